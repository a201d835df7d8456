"""Matrices as products of simpler ones."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.spec import Array, Spec

__all__ = ["qr"]


class QR(Op, name="qr"):
    """x = q r, with orthonormal columns in q and zeros below the diagonal of r.

    Of an m by n matrix, q is m by k and r is k by n, where k is the smaller of both.
    """

    promotes = True
    floats = True

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        if len(x.known) < 2:
            raise ShapeError(
                f"qr: x needs two axes or more; got shape {shapes.show(x.known)}"
            )
        *batch, rows, columns = x.known
        inner = None if rows is None or columns is None else min(rows, columns)
        q, r = (*batch, rows, inner), (*batch, inner, columns)
        return Spec(q, x.dtype), Spec(r, x.dtype)

    def infer_any_rank(self, x: Spec) -> tuple[Spec, Spec]:
        return Spec(None, x.dtype), Spec(None, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        q, r = xp.linalg.qr(x)
        return q, r


def qr(x: Any) -> tuple[Tensor, Tensor]:
    """Return q, orthonormal, and r, upper triangular, such that ``q @ r`` is `x`.

    The signs are those of LAPACK: r's diagonal may be negative.
    """
    return QR()(x)

"""Cross-correlation of two vectors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.padding import flip
from minikeras.engine.spec import Array, Spec

__all__ = ["correlate"]


class Correlate(Op, name="correlate"):
    """y[k] = sum over i of a[i + k + 1 - n] v[i], with n elements in v.

    Full: for all k where the sum has a term; else only for those where it has n terms.
    """

    full: bool = True
    promotes = True
    floats = True

    def infer(self, a: Spec, v: Spec) -> Spec:
        if len(a.known) != 1 or len(v.known) != 1:
            raise ShapeError(
                "correlate: two vectors are wanted; their shapes are "
                f"{shapes.show(a.shape)} and {shapes.show(v.shape)}"
            )
        m, n = a.known[0], v.known[0]
        if m is None or n is None:
            return Spec((None,), a.dtype)
        if m < (1 if self.full else n) or n < 1:
            raise ShapeError(f"correlate: {n} elements have no place on {m}")
        return Spec((m + n - 1 if self.full else m - n + 1,), a.dtype)

    def infer_any_rank(self, a: Spec, v: Spec) -> Spec:
        return Spec((None,), a.dtype)

    def kernel(self, xp: ModuleType, a: Array, v: Array) -> Array:
        return xp.correlate(a, v, "full" if self.full else "valid")

    def vjp(self, g: Tensor, y: Tensor, a: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        if self.full:
            return correlate(g, flip(v), False), flip(correlate(g, a, False))
        return correlate(g, flip(v)), correlate(a, g, False)


def correlate(a: Any, v: Any, full: bool = True) -> Tensor:
    """Return the sums of products of `v` and what lies under it in `a`.

    Args:
        a: a vector.
        v: another one, which is moved along the first.
        full: whether sums count in which `v` reaches over the ends of `a`.

    Shapes:
        a: (m)
        v: (n)
        returns: (m + n - 1) if full, else (m - n + 1); `v` is then the shorter one
    """
    return Correlate(full)(a, v)

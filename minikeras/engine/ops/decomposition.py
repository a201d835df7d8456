"""Matrices as products of triangular and orthogonal ones.

Gradients are those of the factors' entries that are not fixed: each formula takes the
triangle that counts of a product, and solves with the factors instead of inverting.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import elimination
from minikeras.engine.ops.diagonals import tril, triu
from minikeras.engine.ops.filling import eye, zeros_like
from minikeras.engine.ops.indexing import take_along_axis
from minikeras.engine.ops.joining import concatenate
from minikeras.engine.ops.linalg import matmul
from minikeras.engine.ops.matrices import MatrixFunction, Size, smaller, swapped
from minikeras.engine.ops.reshaping import expand_dims, operand, shape
from minikeras.engine.ops.solving import SolveTriangular
from minikeras.engine.ops.sorting import argsort
from minikeras.engine.spec import Array, Spec

__all__ = ["cholesky", "cholesky_inverse", "lu_factor", "qr"]


def _solve_upper(a: Tensor, b: Tensor) -> Tensor:
    return SolveTriangular(lower=False)(a, b)


# -- cholesky --------------------------------------------------------------------------


class Cholesky(MatrixFunction, name="cholesky"):
    """x = y yT, with zeros above the diagonal of y; of x its symmetric part counts.

    Source: Murray 2016, arXiv:1602.07527, section 3.1, for the derivative.
    """

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((rows, columns), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.linalg.cholesky((x + x.swapaxes(-1, -2)) / 2)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        inner = matmul(y, g, transpose_a=True)
        # The lower triangle with half of the diagonal, between y⁻T and y⁻¹.
        half = _solve_upper(swapped(y), (tril(inner) + tril(inner, -1)) / 2)
        whole = _solve_upper(swapped(y), swapped(half))
        return ((whole + swapped(whole)) / 2,)


def cholesky(x: Any, upper: bool = False) -> Tensor:
    """Return the triangular factors of positive definite matrices.

    Args:
        x: matrices, of which the symmetric part counts.
        upper: whether y has its zeros below the diagonal, and ``yT @ y`` is `x`; else
            they are above it, and ``y @ yT`` is `x`.

    Raises:
        ShapeError: if they are not square.
        ValueError: if one is not positive definite.
    """
    y = Cholesky()(x)
    return swapped(y) if upper else y


def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """Return the inverses of matrices whose factors by `cholesky` are given."""
    x = operand(x)
    factor = swapped(x) if upper else x
    half = SolveTriangular(True)(factor, eye(shape(x)[-1], dtype=x.dtype))
    return matmul(half, half, transpose_a=True)


# -- q r -------------------------------------------------------------------------------


class QR(MatrixFunction, name="qr"):
    """x = q r, with orthonormal columns in q and zeros below the diagonal of r.

    Of an m by n matrix q is m by k and r is k by n, where k is the smaller of both, or,
    if the factors are `complete`, k is m.

    Source: Walter and Lehmann 2018, arXiv:1009.6112, and for wide matrices Roberts and
    Roberts 2020, arXiv:2009.10071, for the derivative.
    """

    complete: bool = False

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        inner = rows if self.complete else smaller(rows, columns)
        return [Spec((rows, inner), dtype), Spec((inner, columns), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        q, r = xp.linalg.qr(x, "complete" if self.complete else "reduced")
        return q, r

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
        self._check_unique(x)
        q, r = y
        gq, gr = (zeros_like(f) if h is None else h for f, h in zip(y, g, strict=True))
        # Only the first k columns of x decide on q; the others are q times r's.
        k = shape(q)[-1]
        gq = gq + matmul(x[..., k:], gr[..., k:], transpose_b=True)
        square, inner = r[..., :k], matmul(r[..., :k], gr[..., :k], transpose_b=True)
        inner = inner - matmul(gq, q, transpose_a=True)
        whole = gq + q @ (tril(inner) + swapped(tril(inner, -1)))
        first = swapped(_solve_upper(square, swapped(whole)))
        return (concatenate([first, q @ gr[..., k:]], -1),)

    def _check_unique(self, x: Tensor) -> None:
        rows, columns = x.spec.known[-2:]
        if self.complete and (rows is None or columns is None or rows > columns):
            raise GradientError(
                f"qr: a matrix of {rows} rows and {columns} columns leaves open what "
                "the last columns of a complete q are: there is no derivative"
            )


def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Return q, orthonormal, and r, upper triangular, such that ``q @ r`` is `x`.

    The signs are those of LAPACK: r's diagonal may be negative.

    Args:
        x: matrices.
        mode: "reduced", or "complete" for a square q.

    Raises:
        ValueError: if there is no such mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(
            "`mode` argument value not supported. Expected one of "
            f"{{'reduced', 'complete'}}. Received: mode={mode}"
        )
    return QR(mode == "complete")(x)


# -- l u -------------------------------------------------------------------------------


class LU(MatrixFunction, name="lu"):
    """x[order] = l u, with ones on the diagonal of l; y has l below it, and u.

    Row i was exchanged with row pivots[i], for one i after the other.

    Source: Giles 2008, "Collected matrix derivative results", section 2.2, carried over
    to matrices that are not square.
    """

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        whole = as_dtype("int32")
        inner = smaller(rows, columns)
        return [
            Spec((rows, columns), dtype),
            Spec((inner,), whole),
            Spec((rows,), whole),
        ]

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array, Array]:
        return elimination.lu(xp, x)

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor | None]:
        h, (both, pivots, order) = g[0], y
        if h is None:
            return (None,)
        k = shape(pivots)[-1]
        # Right of the square that both triangles share is more of u, below more of l.
        square, right, below = both[..., :k, :k], both[..., :k, k:], both[..., k:, :k]
        l, u = tril(square, -1) + eye(k, dtype=square.dtype), triu(square)  # noqa: E741
        to_right = _solve_upper(swapped(l), h[..., :k, k:])
        to_below = swapped(_solve_upper(u, swapped(h[..., k:, :k])))
        to_l = tril(h[..., :k, :k], -1) - matmul(to_right, right, transpose_b=True)
        to_u = triu(h[..., :k, :k]) - matmul(below, to_below, transpose_a=True)
        lower = tril(matmul(l, to_l, transpose_a=True), -1)
        upper = triu(matmul(to_u, u, transpose_b=True))
        half = _solve_upper(swapped(l), lower + upper)
        to_square = swapped(_solve_upper(u, swapped(half)))
        top = concatenate([to_square, to_right], -1)
        bottom = concatenate([to_below, zeros_like(h[..., k:, k:])], -1)
        ordered = concatenate([top, bottom], -2)
        back = expand_dims(argsort(order, -1), -1)
        return (take_along_axis(ordered, back, -2),)


def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """Return both triangular factors of matrices in one, and how rows were exchanged.

    Shapes:
        x: (..., rows, columns)
        returns: (..., rows, columns), (..., smaller of both)
    """
    factors, pivots, _ = LU()(x)
    return factors, pivots

"""Diagonals and triangles of matrices."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.reduction import sum
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.ops.selection import Selection
from minikeras.engine.spec import Array, Spec

__all__ = ["diag", "diagonal", "trace", "tril", "triu"]


class Diagonal(Selection, name="diagonal"):
    """y[..., i] = x[i, i + offset], where i and its partner index axis1 and axis2."""

    offset: int
    axis1: int
    axis2: int

    def infer(self, x: Spec) -> Spec:
        i, j = shapes.axes_of((self.axis1, self.axis2), len(x.known))
        rows, columns = x.known[self.axis1], x.known[self.axis2]
        length = None
        if rows is not None and columns is not None:
            above, below = max(self.offset, 0), max(-self.offset, 0)
            length = max(0, min(rows - below, columns - above))
        others = [n for k, n in enumerate(x.known) if k not in (i, j)]
        return Spec((*others, length), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.diagonal(x, self.offset, self.axis1, self.axis2)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of the matrices in `x`, as its last axis.

    Args:
        x: matrices.
        offset: how far the diagonal lies above the main one.
        axis1: the axis of the matrices' rows.
        axis2: the axis of their columns.
    """
    return Diagonal(offset, axis1, axis2)(x)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal of the matrices in `x`: see `diagonal`."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


class MatrixDiag(Op, name="diag"):
    """y[..., i, i + offset] = x[..., i], and 0 elsewhere."""

    offset: int

    def infer(self, x: Spec) -> Spec:
        *batch, n = x.known
        side = None if n is None else n + abs(self.offset)
        return Spec((*batch, side, side), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        *batch, n = x.shape
        side = n + abs(self.offset)
        y = xp.zeros((*batch, side, side), x.dtype)
        i = xp.arange(n)
        y[..., i + max(-self.offset, 0), i + max(self.offset, 0)] = x
        return y

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (diagonal(g, self.offset, -2, -1),)


def diag(x: Any, k: int = 0) -> Tensor:
    """Return the matrix with the vector `x` as its diagonal; of a matrix, the diagonal.

    Args:
        x: a vector, or a matrix.
        k: how far the diagonal lies above the main one.

    Raises:
        ShapeError: if `x` is neither.
    """
    x = operand(x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag: a vector or a matrix is wanted; got {x.ndim} axes")
    return MatrixDiag(k)(x) if x.ndim == 1 else diagonal(x, k)


class Triangle(Op):
    """Matrices with 0 on one side of a diagonal, which lies `k` above the main one."""

    any_rank = True

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None and len(x.shape) < 2:
            raise ShapeError(f"{self.name}: a matrix is wanted; got {x.shape}")
        return Spec(x.shape, x.dtype)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (self(g),)


class Tril(Triangle, name="tril"):
    """y[..., i, j] = x[..., i, j] if j <= i + k, else 0."""

    k: int

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        kept = xp.tri(*x.shape[-2:], self.k, bool)
        return xp.where(kept, x, x.dtype.type(0))


def tril(x: Any, k: int = 0) -> Tensor:
    """Return `x` with 0 above the diagonal that lies `k` above the main one."""
    return Tril(k)(x)


class Triu(Triangle, name="triu"):
    """y[..., i, j] = x[..., i, j] if j >= i + k, else 0."""

    k: int

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        dropped = xp.tri(*x.shape[-2:], self.k - 1, bool)
        return xp.where(dropped, x.dtype.type(0), x)


def triu(x: Any, k: int = 0) -> Tensor:
    """Return `x` with 0 below the diagonal that lies `k` above the main one."""
    return Triu(k)(x)

"""Systems of linear equations, and the inverses that solve them all."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import elimination
from minikeras.engine.op import Op
from minikeras.engine.ops.diagonals import tril, triu
from minikeras.engine.ops.linalg import MatMul, matmul
from minikeras.engine.ops.matrices import (
    MatrixFunction,
    Size,
    matrix_shape,
    swapped,
)
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.ops.reshaping import expand_dims, operand, squeeze
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["inv", "lstsq", "pinv", "solve", "solve_triangular"]


# -- one system ------------------------------------------------------------------------


class LinearSystem(Op):
    """x where a x = b; b and x are matrices, and leading axes broadcast."""

    promotes = True
    floats = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        *batch, size, _ = matrix_shape(self.name, a, square=True)
        *others, rows, columns = matrix_shape(self.name, b)
        if not shapes.compatible(size, rows):
            raise ShapeError(
                f"{self.name}: a has {size} rows and b {rows}; the shapes are "
                f"{shapes.show(a.shape)} and {shapes.show(b.shape)}"
            )
        together = shapes.broadcast(tuple(batch), tuple(others)) or ()
        return Spec((*together, rows if size is None else size, columns), a.dtype)

    def adjoint(self) -> LinearSystem:
        """Return what solves with aT."""
        return self

    def read(self, a: Tensor) -> Tensor:
        """Return the part of `a` that counts."""
        return a

    def vjp(self, g: Tensor, x: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        # For x = A⁻¹ B: dL/dB = A⁻T g and dL/dA = - dL/dB xT.
        to_b = self.adjoint()(swapped(a), g)
        to_a = self.read(-matmul(to_b, x, transpose_b=True))
        return sum_like(to_a, a), sum_like(to_b, b)


class Solve(LinearSystem, name="solve"):
    """x where a x = b."""

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        return xp.linalg.solve(a, b)


class SolveTriangular(LinearSystem, name="solve_triangular"):
    """x where a x = b and a is triangular: what its other half has is not read."""

    lower: bool

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        return elimination.solve_triangular(xp, a, b, self.lower)

    def adjoint(self) -> LinearSystem:
        return SolveTriangular(not self.lower)

    def read(self, a: Tensor) -> Tensor:
        return tril(a) if self.lower else triu(a)


def solve(a: Any, b: Any) -> Tensor:
    """Return x where ``a @ x`` is `b`.

    Shapes:
        a: (..., n, n)
        b: (n), (..., n) with one vector for each matrix, or (..., n, columns)
        returns: (..., n), or (..., n, columns)

    Raises:
        ShapeError: if `a` is not square or `b` has not as many rows.
    """
    return _solved(Solve(), a, b)


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """Return x where ``a @ x`` is `b`, for a triangular `a`; see `solve`.

    Args:
        a: matrices, of which only one triangle is read.
        b: vectors or matrices.
        lower: whether it is the lower triangle.
    """
    return _solved(SolveTriangular(lower), a, b)


def _solved(op: LinearSystem, a: Any, b: Any) -> Tensor:
    a, b = operand(a), operand(b)
    if not _are_vectors(a.shape, b.shape):
        return op(a, b)
    return squeeze(op(a, expand_dims(b, -1)), -1)


def _are_vectors(a: Shape | None, b: Shape | None) -> bool:
    """Whether `b` is one vector, or has one for each matrix of `a`."""
    if a is None or b is None:
        return False
    each = len(b) == len(a) - 1 and all(map(shapes.compatible, a, b))
    return each or len(b) == 1


# -- inverses --------------------------------------------------------------------------


class Inv(MatrixFunction, name="inv"):
    """y = x⁻¹."""

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((rows, columns), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.linalg.inv(x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-_around(y, g),)


def _around(y: Tensor, g: Tensor) -> Tensor:
    """Return yT g yT."""
    return MatMul(False, True)(MatMul(True, False)(y, g), y)


def inv(x: Any) -> Tensor:
    """Return the inverses of square matrices.

    Raises:
        ShapeError: if they are not square.
    """
    return Inv()(x)


class Pinv(MatrixFunction, name="pinv"):
    """y = x⁺, of all matrices with x y x = x the smallest one.

    Singular values up to `rcond` times the largest one count as 0.

    Source: Golub and Pereyra 1973, doi:10.1137/0710036, for the derivative, which holds
    as long as the rank does not change.
    """

    rcond: float | None

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((columns, rows), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        precision = float(np.finfo(x.dtype).eps)
        least = 10 * max(x.shape[-2:]) * precision if self.rcond is None else self.rcond
        return xp.linalg.pinv(x, least)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        gt, yt = swapped(g), swapped(y)
        of_rows, of_columns = (gt @ y) @ yt, yt @ (y @ gt)
        outside_rows = of_rows - x @ (y @ of_rows)
        outside_columns = of_columns - (of_columns @ y) @ x
        return (outside_rows + outside_columns - _around(y, g),)


def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """Return the pseudoinverses of matrices.

    Args:
        x: any matrices.
        rcond: singular values up to this share of the largest one count as 0; by
            default 10 times the precision of the dtype times the longer side.

    Shapes:
        x: (..., rows, columns)
        returns: (..., columns, rows)
    """
    return Pinv(rcond)(x)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """Return the x that brings ``a @ x`` nearest to `b`; of several the shortest.

    Args:
        a: one matrix.
        b: a vector, or a matrix whose columns are treated each by itself.
        rcond: see `pinv`.
    """
    return matmul(pinv(a, rcond), b)

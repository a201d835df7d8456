"""Eigenvalues and singular values, and the vectors that belong to them.

Derivatives of the vectors divide by differences of the values. Where two values are
equal the vectors are not unique, and their share in the gradient is left out.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine.dtypes import DType, as_dtype, result_type
from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.arithmetic import divide_no_nan
from minikeras.engine.ops.comparison import equal, greater
from minikeras.engine.ops.complexes import complex, imag, real
from minikeras.engine.ops.diagonals import MatrixDiag
from minikeras.engine.ops.elementwise import absolute
from minikeras.engine.ops.extremes import argmax, max
from minikeras.engine.ops.filling import arange, zeros_like
from minikeras.engine.ops.linalg import matmul
from minikeras.engine.ops.matrices import MatrixFunction, Size, smaller, swapped
from minikeras.engine.ops.reduction import sum
from minikeras.engine.ops.reshaping import expand_dims, shape
from minikeras.engine.ops.solving import solve
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = ["eig", "eigh", "matrix_rank", "svd"]


# -- eigenvalues -----------------------------------------------------------------------


class Eig(MatrixFunction, name="eig"):
    """x v = v w, with w on a diagonal; both complex, also where they are real.

    Of the vectors that fit, each has length 1, and its largest element is real, as
    LAPACK has them. The derivative keeps them so.

    Source: Giles 2008, "Collected matrix derivative results", section 3.1; the choice
    of length and phase by hand.
    """

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        kind = result_type(dtype, "complex64")
        return [Spec((rows,), kind), Spec((rows, columns), kind)]

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        w, v = xp.linalg.eig(x)
        kind = xp.result_type(x.dtype, "complex64")
        return w.astype(kind), v.astype(kind)

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
        (gw, gv), (w, v) = g, y
        inner = MatrixDiag(0)(zeros_like(w) if gw is None else gw)
        if gv is not None:
            gv = _without_free_directions(gv, v)
            inner = inner + _over_differences(matmul(v, gv, transpose_a=True), w)
        whole = solve(swapped(v), inner @ swapped(v))
        return (whole if x.dtype.is_complex else cast(real(whole), x.dtype),)


def _without_free_directions(g: Tensor, v: Tensor) -> Tensor:
    """Return a gradient by vectors whose length and phase do not change.

    Where v moves by u, its length is kept by -Re(vH u) v, and the phase of its largest
    element, which is real, by -i Im(u[k]) v / v[k].
    """
    along = sum(g * v, -2, keepdims=True)
    lengths, phases = real(along), imag(along)
    rows = expand_dims(arange(shape(v)[-2]), -1)
    largest = equal(rows, argmax(absolute(v), -2, keepdims=True))
    largest = cast(largest, lengths.dtype)
    turns = phases * largest / sum(real(v) * largest, -2, keepdims=True)
    return g - complex(lengths * real(v), turns - lengths * imag(v))


def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues of square matrices, and their vectors as columns.

    Both are complex.

    Raises:
        ShapeError: if they are not square.
    """
    return Eig()(x)


class Eigh(MatrixFunction, name="eigh"):
    """x v = v w, with w on a diagonal, ascending; of x its symmetric part counts.

    Source: Giles 2008, "Collected matrix derivative results", section 3.1.
    """

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((rows,), dtype), Spec((rows, columns), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        w, v = xp.linalg.eigh((x + x.swapaxes(-1, -2)) / 2)
        return w, v

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
        (gw, gv), (w, v) = g, y
        inner = MatrixDiag(0)(zeros_like(w) if gw is None else gw)
        if gv is not None:
            inner = inner + _over_differences(matmul(v, gv, transpose_a=True), w)
        whole = matmul(v @ inner, v, transpose_b=True)
        return ((whole + swapped(whole)) / 2,)


def _over_differences(x: Tensor, values: Tensor) -> Tensor:
    """Return x[i, j] / (values[j] - values[i]), 0 where they are equal."""
    apart = expand_dims(values, -2) - expand_dims(values, -1)
    return divide_no_nan(x, apart)


def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues of symmetric matrices, and their vectors as columns.

    Args:
        x: matrices, of which the symmetric part counts.

    Raises:
        ShapeError: if they are not square.
    """
    return Eigh()(x)


# -- singular values -------------------------------------------------------------------


class SingularValues(MatrixFunction, name="singular_values"):
    """y = the roots of the eigenvalues of xT x, descending."""

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((smaller(rows, columns),), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.linalg.svd(x, compute_uv=False)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        u, _, vt = SVD(False)(x)
        return ((u * expand_dims(g, -2)) @ vt,)


class SVD(MatrixFunction, name="svd"):
    """x = u s vt, with s on a diagonal, descending, and u and vt orthonormal.

    Of an m by n matrix u has k columns and vt k rows, where k is the smaller of both;
    or m and n if they are `full`.

    Source: Townsend 2016, "Differentiating the singular value decomposition".
    """

    full: bool

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        k = smaller(rows, columns)
        u, vt = (rows, rows if self.full else k), (columns if self.full else k, columns)
        return [Spec(u, dtype), Spec((k,), dtype), Spec(vt, dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array, Array]:
        u, s, vt = xp.linalg.svd(x, self.full)
        return u, s, vt

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
        if g[0] is None and g[2] is None:
            return SingularValues().vjp(g[1], y[1], x)
        self._check_unique(x)
        u, s, vt = y
        gu, gs, gvt = (
            zeros_like(f) if h is None else h for f, h in zip(y, g, strict=True)
        )
        row, column = expand_dims(s, -2), expand_dims(s, -1)
        by_u = _over_differences(_skew(matmul(u, gu, transpose_a=True)), s * s) * row
        by_v = _over_differences(_skew(matmul(vt, gvt, transpose_b=True)), s * s)
        inner = by_u + column * by_v + MatrixDiag(0)(gs)
        # What of the gradients lies outside of the spaces that u and v span.
        rest_u = divide_no_nan(gu - u @ matmul(u, gu, transpose_a=True), row)
        rest_v = divide_no_nan(gvt - matmul(gvt, vt, transpose_b=True) @ vt, column)
        return ((u @ inner + rest_u) @ vt + u @ rest_v,)

    def _check_unique(self, x: Tensor) -> None:
        rows, columns = x.spec.known[-2:]
        if self.full and (rows is None or rows != columns):
            raise GradientError(
                f"svd: a matrix of {rows} rows and {columns} columns leaves open what "
                "the last vectors of full matrices are: use full_matrices=False"
            )


def _skew(x: Tensor) -> Tensor:
    return x - swapped(x)


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return u, s and vt such that ``(u * s) @ vt`` is `x`; or s alone.

    Args:
        x: matrices.
        full_matrices: whether u and vt are square; else they have what s goes with.
        compute_uv: whether u and vt are wanted.

    Shapes:
        x: (..., rows, columns)
        s: (..., smaller of both)
    """
    return SVD(full_matrices)(x) if compute_uv else SingularValues()(x)


def matrix_rank(x: Any, tol: Any = None) -> Tensor:
    """Return how many singular values of each matrix are above `tol`.

    Args:
        x: matrices.
        tol: by default the largest singular value, times the longer side, times the
            precision of the dtype.
    """
    values = SingularValues()(x)
    if tol is None:
        precision = float(np.finfo(as_dtype(values.dtype).as_numpy_dtype).eps)
        longer = cast(max(shape(x)[-2:]), values.dtype)
        tol = max(values, -1, keepdims=True) * (longer * precision)
    return sum(cast(greater(values, tol), "int32"), -1)

"""Functions of matrices: what ``keras.ops.linalg`` has, and nothing else.

Matrices are the last two axes; those before are a batch. Integers become floats.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]

Axes = int | Sequence[int] | None


def __dir__() -> list[str]:
    return __all__


# -- what is given ---------------------------------------------------------------------


def _matrices(x: Any, square: bool = False) -> Any:
    """Return `x`, which must be made of matrices.

    As in Keras a size that is not known yet counts as different from any other.

    Raises:
        ValueError: if it is not, or they are not `square`.
    """
    shape = K.known_shape(x)
    if len(shape) < 2:
        raise ValueError(
            f"Expected input to have rank >= 2. Received input with shape {shape}."
        )
    if square and shape[-1] != shape[-2]:
        raise ValueError(
            f"Expected a square matrix. Received non-square input with shape {shape}"
        )
    return x


def _of_matrices(
    function: Callable[..., Any], square: bool = False
) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return function(_matrices(x, square), *args, **kwargs)

    return eager(call)


# -- decompositions, inverses ----------------------------------------------------------

cholesky = _of_matrices(K.cholesky, square=True)
cholesky_inverse = _of_matrices(K.cholesky_inverse, square=True)
det = _of_matrices(K.det, square=True)
eig = _of_matrices(K.eig, square=True)
eigh = _of_matrices(K.eigh, square=True)
inv = _of_matrices(K.inv, square=True)
jvp = eager(K.jvp)
lu_factor = _of_matrices(K.lu_factor)
matrix_rank = _of_matrices(K.matrix_rank)
pinv = _of_matrices(K.pinv)
svd = _of_matrices(K.svd)


@eager
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Return a matrix with orthonormal columns, and an upper triangular one: x = q r.

    Args:
        x: matrices, whose sizes are known.
        mode: "reduced", or "complete" for a square q.

    Raises:
        ValueError: if there is no such mode, or the sizes are not known.
    """
    sizes = K.int_shape(x) or ()
    if len(sizes) < 2:
        raise ValueError(
            f"Input should have rank >= 2. Received: input.shape = {sizes}"
        )
    if None in sizes[-2:]:
        raise ValueError(
            "Input should have its last 2 dimensions fully-defined. Received: "
            f"input.shape = {sizes}"
        )
    return K.qr(x, mode)


# -- systems of equations --------------------------------------------------------------


def _of_systems(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        left, right = K.known_shape(_matrices(a, square=True)), K.known_shape(b)
        if not right:
            raise ValueError(
                f"Expected input to have rank >= 1. Received scalar input {b}."
            )
        if len(left) == len(right) and left[-2] != right[-2]:
            raise ValueError(
                "Incompatible shapes between `a` and `b`. Expected `a.shape[-2] == "
                f"b.shape[-2]`. Received: a.shape={left}, b.shape={right}"
            )
        return function(a, b, *args, **kwargs)

    return eager(call)


solve = _of_systems(K.solve)
solve_triangular = _of_systems(K.solve_triangular)


@eager
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """Return the x that brings ``a @ x`` nearest to `b`; of several the shortest.

    Args:
        a: one matrix.
        b: a vector, or a matrix whose columns are treated each by itself.
        rcond: singular values of `a` up to this share of the largest one count as 0.

    Raises:
        ValueError: if `a` or `b` has more axes, or they differ in their rows.
    """
    left, right = K.known_shape(a), K.known_shape(b)
    if len(left) != 2:
        raise ValueError(f"Expected a to have rank 2. Received: a.shape={left}")
    if len(right) not in (1, 2):
        raise ValueError(f"Expected b to have rank 1 or 2. Received: b.shape={right}")
    if left[0] != right[0]:
        raise ValueError(
            "Expected b.shape[0] to be equal to a.shape[0]. "
            f"Received: a.shape={left}, b.shape={right}"
        )
    return K.lstsq(a, b, rcond)


# -- norms -----------------------------------------------------------------------------


@eager
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the norm of vectors, or of matrices.

    Args:
        x: what holds them.
        ord: of vectors p, for the root of degree p of the sum of p-th powers, infinity
            or 0; of matrices "fro" for the root of the sum of squares, 1 or infinity
            for the largest sum of a column or row, 2 for the largest singular value,
            "nuc" for the sum of all, and -1, -2 or -infinity for the smallest. By
            default the root of the sum of squares.
        axis: of the vectors, or two axes of matrices; None for all of `x`.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: if there is no such norm.
    """
    x = K.cast(x, K.result_type(K.dtype(x), float))
    every = range(K.rank(x)) if axis is None else axis
    axes = (every,) if isinstance(every, int) else tuple(every)
    if ord is None and (axis is None or len(axes) < 3):
        return K.sqrt(K.sum(K.square(x), axes, keepdims))
    if len(axes) == 1:
        return _vector_norm(K.absolute(x), ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(
        f"Improper number of axes for norm: axis={axes}. Vectors have one, matrices two"
    )


def _vector_norm(size: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"Invalid `ord` argument for vector norm. Received: ord={ord}")
    if ord in (math.inf, -math.inf):
        return (K.max if ord > 0 else K.min)(size, axes, keepdims)
    if ord == 2:
        return K.sqrt(K.sum(K.square(size), axes, keepdims))
    if ord == 0:
        return K.sum(K.cast(K.greater(size, 0), K.dtype(size)), axes, keepdims)
    return K.power(K.sum(K.power(size, ord), axes, keepdims), 1.0 / ord)


_OF_SINGULAR_VALUES = {"nuc": K.sum, 2: K.max, -2: K.min}


def _matrix_norm(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if ord == "fro":
        return K.sqrt(K.sum(K.square(x), axes, keepdims))
    if ord in _OF_SINGULAR_VALUES:
        values = K.svd(K.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        found = _OF_SINGULAR_VALUES[ord](values, -1)
        kept = sorted(axis % K.rank(x) for axis in axes)
        return K.expand_dims(found, kept) if keepdims else found
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"Invalid `ord` argument for matrix norm. Received: ord={ord}")
    row, column = axes
    summed, compared = (row, column) if abs(ord) == 1 else (column, row)
    sums = K.sum(K.absolute(x), summed, keepdims=True)
    found = (K.max if ord > 0 else K.min)(sums, compared, keepdims=True)
    return found if keepdims else K.squeeze(found, axes)

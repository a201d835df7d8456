"""Products and norms, under Keras 3's names and NumPy's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "cdist",
    "cross",
    "diff",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "norm",
    "normalize",
    "outer",
    "qr",
    "tensordot",
    "trace",
    "trapezoid",
    "vander",
    "vdot",
]

Axes = int | Sequence[int] | None

tensordot = eager(K.tensordot)
trace = eager(engine.trace)


@eager
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Multiply and sum as `subscripts` say, as in ``"bij,bjk->bik"``."""
    return K.einsum(subscripts, *operands)


@eager
def matmul(x1: Any, x2: Any) -> Any:
    """Return the matrix product over the last two axes; a vector is a row or column."""
    if K.dtype(x1) == K.dtype(x2) == "int8":  # quantized: products would overflow
        x1, x2 = K.cast(x1, "int32"), K.cast(x2, "int32")
    row, column = K.rank(x1) == 1, K.rank(x2) == 1
    x1 = K.expand_dims(x1, 0) if row else x1
    x2 = K.expand_dims(x2, 1) if column else x2
    y = K.matmul(x1, x2)
    y = K.squeeze(y, -1) if column else y
    return K.squeeze(y, -1 if column else -2) if row else y


@eager
def dot(x1: Any, x2: Any) -> Any:
    """Contract the last axis of `x1` with the last but one of `x2`; scalars scale."""
    n, m = K.rank(x1), K.rank(x2)
    if 0 in (n, m):
        return K.multiply(x1, x2)
    return K.tensordot(x1, x2, ((-1,), (-1 if m == 1 else -2,)))


@eager
def inner(x1: Any, x2: Any) -> Any:
    """Contract the last axis of `x1` with the last of `x2`; scalars scale."""
    if 0 in (K.rank(x1), K.rank(x2)):
        return K.multiply(x1, x2)
    return K.tensordot(x1, x2, ((-1,), (-1,)))


@eager
def outer(x1: Any, x2: Any) -> Any:
    """Return the products of each element of `x1` with each of `x2`, both made flat."""
    return K.multiply(K.reshape(x1, (-1, 1)), K.reshape(x2, (1, -1)))


@eager
def vdot(x1: Any, x2: Any) -> Any:
    """Return the sum of the products of all elements of `x1` and `x2`."""
    return K.sum(K.multiply(K.reshape(x1, (-1,)), K.reshape(x2, (-1,))))


@eager
def kron(x1: Any, x2: Any) -> Any:
    """Return the matrix of blocks `x2`, each scaled by one element of `x1`.

    Shapes:
        x1: (a, b)
        x2: (c, d)
        returns: (a · c, b · d)
    """
    blocks = K.einsum("ab,cd->acbd", x1, x2)
    a, c, b, d = shape(blocks)
    return K.reshape(blocks, (a * c, b * d))


@eager
def cross(
    x1: Any,
    x2: Any,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    """Return the cross products of vectors of 3 elements.

    Args:
        x1: the left vectors.
        x2: the right vectors.
        axisa: the axis of the vectors in `x1`.
        axisb: the axis of the vectors in `x2`.
        axisc: the axis of the vectors in the result.
        axis: in place of the three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a = K.unstack(x1, 3, axisa)
    b = K.unstack(x2, 3, axisb)
    parts = [
        K.subtract(K.multiply(a[i], b[j]), K.multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return K.stack(parts, axisc)


@eager
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Return an orthonormal and an upper triangular matrix whose product is `x`.

    Raises:
        ValueError: if `mode` is not ``"reduced"``.
    """
    if mode != "reduced":
        raise ValueError(f"qr: mode is 'reduced'; got {mode!r}")
    return K.qr(x)


# -- lengths ---------------------------------------------------------------------------


@eager
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the norm of vectors, or of matrices.

    Args:
        x: what holds them.
        ord: of vectors p, for the root of degree p of the sum of p-th powers, infinity
            or 0; of matrices "fro" for the root of the sum of squares, 1 or infinity
            for the largest sum of a column or row. By default the root of the sum of
            squares.
        axis: of the vectors, or two axes of matrices; None for all of `x`.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: if there is no such norm.
    """
    x = K.divide(x, 1)
    if ord in (None, "fro"):
        return K.sqrt(K.sum(K.square(x), axis, keepdims))
    every = range(K.rank(x)) if axis is None else axis
    axes = (every,) if isinstance(every, int) else tuple(every)
    if len(axes) == 1:
        return _vector_norm(K.absolute(x), ord, axes, keepdims)
    return _matrix_norm(K.absolute(x), ord, axes, keepdims)


def _vector_norm(size: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if ord in (math.inf, -math.inf):
        return (K.max if ord > 0 else K.min)(size, axes, keepdims)
    if ord == 2:
        return K.sqrt(K.sum(K.square(size), axes, keepdims))
    if ord == 0:
        return K.sum(K.cast(K.greater(size, 0), K.dtype(size)), axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: vectors have no norm {ord!r}")
    return K.power(K.sum(K.power(size, ord), axes, keepdims), 1.0 / ord)


def _matrix_norm(size: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"norm: matrices have no norm {ord!r} here")
    row, column = axes
    summed, compared = (row, column) if abs(ord) == 1 else (column, row)
    sums = K.sum(size, summed, keepdims=True)
    largest = (K.max if ord > 0 else K.min)(sums, compared, keepdims=True)
    return largest if keepdims else K.squeeze(largest, axes)


@eager
def normalize(
    x: Any, axis: Axes = -1, order: float = 2, epsilon: float | None = None
) -> Any:
    """Return `x` divided by its norm over `axis`, by `epsilon` at least."""
    least = K.epsilon() if epsilon is None else epsilon
    if order == 2:
        return engine.l2_normalize(x, axis, least**2)
    return K.divide(x, K.maximum(norm(x, order, axis, keepdims=True), least))


@eager
def cdist(x: Any, y: Any) -> Any:
    """Return the distance between each row of `x` and each of `y`.

    Shapes:
        x: (..., n, channels)
        y: (..., m, channels)
        returns: (..., n, m)
    """
    apart = K.subtract(K.expand_dims(x, -2), K.expand_dims(y, -3))
    return norm(apart, axis=-1)


# -- sequences -------------------------------------------------------------------------


@eager
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbors along `axis`, `n` times over."""
    a = K.moveaxis(a, axis, -1)
    for _ in range(n):
        later, earlier = a[..., 1:], a[..., :-1]
        different = K.not_equal if K.dtype(a) == "bool" else K.subtract
        a = different(later, earlier)
    return K.moveaxis(a, -1, axis)


@eager
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the integral of `y` along `axis` by the trapezoidal rule.

    Args:
        y: values.
        x: where they are taken; by default `dx` apart.
        dx: distance of neighbors.
        axis: along which.
    """
    y = K.moveaxis(y, axis, -1)
    width = dx if x is None else diff(x if K.rank(x) == 1 else K.moveaxis(x, axis, -1))
    means = K.divide(K.add(y[..., 1:], y[..., :-1]), 2)
    return K.sum(K.multiply(means, width), -1)


@eager
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of each element, from `N` - 1 down to 0, or up.

    Shapes:
        x: (n)
        returns: (n, N), by default (n, n)
    """
    powers = K.arange(K.shape(x)[0] if N is None else N)
    y = K.power(K.expand_dims(x, -1), powers)
    return y if increasing else K.flip(y, -1)

"""Products of vectors and matrices, under Keras 3's names and by NumPy's rules."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.engine import shapes
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "tensordot",
    "vdot",
]

tensordot = eager(K.tensordot)


@eager
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Multiply and sum as `subscripts` say, as in ``"bij,bjk->bik"``."""
    if all(K.dtype(x) == "int8" for x in operands):  # as in `matmul`
        operands = tuple(K.cast(x, "int32") for x in operands)
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
    """Contract the last axis of `x1` with the last of `x2`; scalars scale.

    Raises:
        ValueError: if their sizes differ.
    """
    if 0 in (K.rank(x1), K.rank(x2)):
        return K.multiply(x1, x2)
    sizes = [K.known_shape(x)[-1] for x in (x1, x2)]
    if not shapes.compatible(*sizes):
        raise ValueError(
            "`x1` and `x2` must have the same last dimension; received sizes "
            f"{sizes[0]} and {sizes[1]}"
        )
    return K.tensordot(x1, x2, ((-1,), (-1,)))


@eager
def outer(x1: Any, x2: Any) -> Any:
    """Return the products of each element of `x1` with each of `x2`, both made flat."""
    x1, x2 = K.in_one_dtype(x1, x2)
    return K.multiply(K.reshape(x1, (-1, 1)), K.reshape(x2, (1, -1)))


@eager
def vdot(x1: Any, x2: Any) -> Any:
    """Return the sum of the products of all elements of `x1` and `x2`."""
    x1, x2 = K.in_one_dtype(x1, x2)
    return K.tensordot(K.reshape(x1, (-1,)), K.reshape(x2, (-1,)), 1)


@eager
def kron(x1: Any, x2: Any) -> Any:
    """Return an array of blocks `x2`, each scaled by one element of `x1`.

    Shapes:
        x1: (a, b), or any other; of different ranks one gets leading axes of size 1
        x2: (c, d)
        returns: (a · c, b · d)
    """
    n = max(K.rank(x1), K.rank(x2))
    x1, x2 = (K.expand_dims(x, range(n - K.rank(x))) for x in K.in_one_dtype(x1, x2))
    elements = K.expand_dims(x1, range(1, 2 * n, 2))
    blocks = K.multiply(elements, K.expand_dims(x2, range(0, 2 * n, 2)))
    sizes = zip(shape(x1), shape(x2), strict=True)
    return K.reshape(blocks, [a * b for a, b in sizes])


@eager
def cross(
    x1: Any,
    x2: Any,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    """Return the cross products of vectors of 3 elements, or of 2.

    A third element that one lacks is 0; where both lack it only the third one of the
    product is returned, without an axis.

    Args:
        x1: the left vectors.
        x2: the right vectors.
        axisa: the axis of the vectors in `x1`.
        axisb: the axis of the vectors in `x2`.
        axisc: the axis of the vectors in the result.
        axis: in place of the three.

    Raises:
        ValueError: if vectors have other sizes.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _elements("x1", x1, axisa), _elements("x2", x2, axisb)
    third = K.subtract(K.multiply(a[0], b[1]), K.multiply(a[1], b[0]))
    if len(a) == len(b) == 2:
        return third
    a, b = ([*v, K.zeros_like(v[0])] if len(v) == 2 else v for v in (a, b))
    first, second = (
        K.subtract(K.multiply(a[i], b[j]), K.multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0))
    )
    return K.stack([first, second, third], axisc)


def _elements(name: str, x: Any, axis: int) -> list[Any]:
    n = K.known_shape(x)[axis]
    if n not in (2, 3, None):
        raise ValueError(
            f"`{name}`'s dim on `axis={axis}` must be either 2 or 3, but received: {n}"
        )
    return K.unstack(x, n or 3, axis)

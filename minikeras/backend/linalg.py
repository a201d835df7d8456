"""Products, by Keras's rules for shapes, and the engine's functions of matrices."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    cholesky,
    cholesky_inverse,
    det,
    eig,
    eigh,
    einsum,
    inv,
    logdet,
    lstsq,
    lu_factor,
    matmul,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    tensordot,
)
from minikeras.engine.shapes import axis_of

__all__ = [
    "batch_dot",
    "cholesky",
    "cholesky_inverse",
    "det",
    "dot",
    "eig",
    "eigh",
    "einsum",
    "inv",
    "logdet",
    "lstsq",
    "lu_factor",
    "matmul",
    "matrix_rank",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "tensordot",
]


def dot(x: Any, y: Any) -> Tensor:
    """Contract the last axis of `x` with the first axis of the matrix `y`.

    Where `y` has more axes it is its last but one that is contracted:
    ``x[:-1] + y[:-2] + y[-1:]`` is then the shape of the result.

    Shapes:
        x: (..., inner)
        y: (inner, cols)
        returns: (..., cols)

    Raises:
        ShapeError: if both inner sizes are known and they differ.

    Example:
        >>> dot(placeholder((None, 3)), placeholder((3, 4))).shape
        (None, 4)
    """
    if len(y.shape) > 2:
        return engine.tensordot(x, y, ((-1,), (-2,)))
    return engine.matmul(x, y)


def batch_dot(x: Any, y: Any, axes: int | tuple[int, int] | None = None) -> Tensor:
    """Contract an axis of `x` with an axis of `y`, for each element of the batch.

    Args:
        x: the first operand; its first axis is the batch.
        y: the second operand, of the same batch.
        axes: the axis of each, one number if it is the same. By default the last axis
            of `x` and the last but one of `y` (or its last, if it is a matrix).

    Shapes:
        x: (batch, ..., inner)
        y: (batch, inner, ...)
        returns: (batch, ..., ...), or (batch, 1) if nothing else is left

    Raises:
        ShapeError: if the batch itself, or an axis that does not exist, is named, or
            if the sizes differ.

    Example:
        >>> x, y = placeholder((None, 20, 3)), placeholder((None, 30, 3))
        >>> batch_dot(x, y, axes=2).shape
        (None, 20, 30)
    """
    n, m = len(x.shape), len(y.shape)
    if axes is None:
        axes = (n - 1, max(m - 2, 1))
    i, j = (axes, axes) if isinstance(axes, int) else axes
    i, j = axis_of(i, n), axis_of(j, m)
    if 0 in (i, j):
        raise ShapeError(
            f"batch_dot: axes {axes} name the batch, which is not contracted"
        )
    left, right = list(ascii_letters[:n]), list(ascii_letters[n : n + m])
    right[0], right[j] = left[0], left[i]
    kept = left[:i] + left[i + 1 :] + right[1:j] + right[j + 1 :]
    form = f"{''.join(left)},{''.join(right)}->{''.join(kept)}"
    result = engine.einsum(form, x, y)
    return result if len(kept) > 1 else engine.expand_dims(result, -1)

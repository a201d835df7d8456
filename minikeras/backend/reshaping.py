"""The same elements in another arrangement: reshape, transpose, join, repeat, pad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.introspection import ndim
from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    broadcast_to,
    flip,
    meshgrid,
    moveaxis,
    pad,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
    unstack,
)

__all__ = [
    "batch_flatten",
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flatten",
    "flip",
    "meshgrid",
    "moveaxis",
    "pad",
    "permute_dimensions",
    "repeat",
    "repeat_elements",
    "reshape",
    "resize_volumes",
    "reverse",
    "roll",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "temporal_padding",
    "tile",
    "transpose",
    "unstack",
]

Pair = tuple[int, int]


# -- shape and order -------------------------------------------------------------------


def expand_dims(x: Any, axis: int | Sequence[int] = -1) -> Tensor:
    """Return `x` with a new axis of size 1 at `axis`."""
    return engine.expand_dims(x, axis)


def flatten(x: Any) -> Tensor:
    """Return the elements of `x` as a vector."""
    return engine.reshape(x, (-1,))


def batch_flatten(x: Any) -> Tensor:
    """Return `x` as a matrix whose rows are the elements of the batch.

    Shapes:
        x: (batch, ...)
        returns: (batch, product of the rest)
    """
    sizes = x.shape[1:]
    row = -1 if None in sizes else math.prod(sizes)
    return engine.reshape(x, (engine.shape(x)[0], row))


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Tensor:
    """Return `x` with its axes in the order of `pattern`.

    Example:
        >>> permute_dimensions(placeholder((2, 3, 4)), (0, 2, 1)).shape
        (2, 4, 3)
    """
    return engine.transpose(x, pattern)


def reverse(x: Any, axes: int | Sequence[int]) -> Tensor:
    """Return `x` with the order along `axes` reversed."""
    return engine.flip(x, axes)


# -- joining and repeating -------------------------------------------------------------


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Tensor:
    """Return `tensors` one after the other along `axis`.

    Raises:
        ShapeError: if their sizes along another axis differ.
    """
    return engine.concatenate(tensors, axis)


def tile(x: Any, n: int | Sequence[int]) -> Tensor:
    """Return `x` repeated as a whole: `n` times along each axis.

    Example:
        >>> tile(np.array([[1, 2]]), (2, 2))
        array([[1, 2, 1, 2],
               [1, 2, 1, 2]])
    """
    return engine.tile(x, n)


def repeat(x: Any, n: int) -> Tensor:
    """Return the matrix `x` repeated along a new axis of steps.

    Shapes:
        x: (batch, channels)
        returns: (batch, n, channels)

    Raises:
        ShapeError: if `x` is not a matrix.
    """
    if ndim(x) != 2:
        raise ShapeError(f"repeat: a matrix is needed; got {ndim(x)} axes")
    return engine.repeat(engine.expand_dims(x, 1), n, 1)


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Return `x` with each element along `axis` repeated `rep` times.

    Example:
        >>> repeat_elements(np.array([1, 2]), 2, axis=0)
        array([1, 1, 2, 2])
    """
    return engine.repeat(x, rep, axis)


def resize_volumes(
    x: Any,
    depth_factor: int,
    height_factor: int,
    width_factor: int,
    data_format: str | None,
) -> Tensor:
    """Return volumes enlarged by repetition of their elements.

    Shapes:
        x: (batch, depth, height, width, channels), or channels before depth
    """
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = engine.repeat(x, factor, axis)
    return x


# -- padding ---------------------------------------------------------------------------


def temporal_padding(x: Any, padding: Pair = (1, 1)) -> Tensor:
    """Return `x` with zeros before and after its steps.

    Shapes:
        x: (batch, steps, channels)
        returns: (batch, padding[0] + steps + padding[1], channels)
    """
    return engine.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(
    x: Any,
    padding: tuple[Pair, Pair] = ((1, 1), (1, 1)),
    data_format: str | None = None,
) -> Tensor:
    """Return images with a border of zeros.

    Args:
        x: images.
        padding: (top, bottom), (left, right), in pixels.
        data_format: where the channels are.
    """
    return _padded(x, padding, data_format)


def spatial_3d_padding(
    x: Any,
    padding: tuple[Pair, Pair, Pair] = ((1, 1), (1, 1), (1, 1)),
    data_format: str | None = None,
) -> Tensor:
    """Return volumes with a border of zeros, `padding` wide along each axis."""
    return _padded(x, padding, data_format)


def _padded(x: Any, padding: Sequence[Pair], data_format: str | None) -> Tensor:
    widths = [tuple(pair) for pair in padding]
    if standardize_data_format(data_format) == "channels_last":
        return engine.pad(x, [(0, 0), *widths, (0, 0)])
    return engine.pad(x, [(0, 0), (0, 0), *widths])

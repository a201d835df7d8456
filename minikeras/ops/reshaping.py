"""The same elements in another arrangement, under Keras 3's names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "depth_to_space",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "space_to_depth",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "unstack",
    "vsplit",
    "vstack",
]

Sections = int | Sequence[int]

broadcast_to = eager(K.broadcast_to)
flip = eager(K.flip)
moveaxis = eager(K.moveaxis)
roll = eager(K.roll)
swapaxes = eager(K.swapaxes)
unstack = eager(K.unstack)
tile = eager(K.tile, repeats="n")
expand_dims = eager(engine.expand_dims)


@eager
def reshape(x: Any, newshape: Any) -> Any:
    """Return the elements of `x`, in their order, in another shape.

    Args:
        x: what to reshape.
        newshape: its sizes, as integers or tensors; one may be -1, which stands for
            what is left.

    Raises:
        ValueError: if a size is negative otherwise, or several are -1.
    """
    sizes = newshape if isinstance(newshape, (tuple, list)) else ()
    known = [n for n in sizes if isinstance(n, int)]
    if any(n < -1 for n in known):
        raise ValueError(
            "Each dimension in `newshape` must be a non-negative integer, or `-1` for "
            f"a single unknown dimension. Received: newshape={newshape}."
        )
    if known.count(-1) > 1:
        raise ValueError(
            "There must be at most one unknown dimension (-1) in `newshape`. "
            f"Received: newshape={newshape}."
        )
    return K.reshape(x, newshape)


@eager
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `x` with its axes in another order, by default the reverse.

    Raises:
        ValueError: if `axes` are not all axes of `x`, each once.
    """
    n = K.rank(x)
    if axes is None:
        return K.transpose(x)
    if len(axes) != n:
        raise ValueError(
            "axis must be a list of the same length as the input shape, expected "
            f"{n}, but received {len(axes)}."
        )
    if any(not -n <= axis < n for axis in axes):
        raise ValueError(
            f"Each axis in `axes` must be an integer in [{-n}, {n}). Received: "
            f"axes={list(axes)}"
        )
    if len({axis % n for axis in axes}) < n:
        raise ValueError(
            "`axes` must be a valid permutation of the input dimensions (no "
            f"duplicates). Received: axes={list(axes)} for input of rank {n}."
        )
    return K.transpose(x, axes)


@eager
def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """Return `x` without `axis`, by default without all that are known to have size 1.

    Raises:
        ValueError: if an axis has another size.
    """
    if axis is None:
        axis = tuple(i for i, n in enumerate(K.known_shape(x)) if n == 1)
    return K.squeeze(x, axis)


@eager
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return `x` with its elements repeated, each in its place.

    Args:
        x: what to repeat.
        repeats: how often: one number, or one for each element along `axis`.
        axis: along which; None makes `x` flat first.
    """
    times = K.convert_to_numpy(repeats).ravel().tolist()
    return engine.repeat(x, times[0] if len(times) == 1 else times, axis)


@eager
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Return the coordinates of the points of a grid: an array for each axis.

    Args:
        x: where the lines of the grid are, by axis.
        indexing: "xy" for an x that runs along the second axis, as in pictures, "ij"
            for one that runs along the first.

    Raises:
        ValueError: if there is no such `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(
            "Valid values for `indexing` are 'xy' and 'ij', but received "
            f"index={indexing}."
        )
    return K.meshgrid(*map(ravel, x), indexing=indexing)


@eager
def ravel(x: Any) -> Any:
    """Return the elements of `x` as a vector."""
    return K.reshape(x, (-1,))


@eager
def fliplr(x: Any) -> Any:
    """Return `x` with its second axis reversed."""
    return K.flip(x, 1)


@eager
def flipud(x: Any) -> Any:
    """Return `x` with its first axis reversed."""
    return K.flip(x, 0)


@eager
def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Return `array` turned by `k` · 90 degrees, from the first axis to the second.

    Raises:
        ValueError: if the two axes are one, or `array` has no two.
    """
    if K.rank(array) < 2:
        raise ValueError(
            "Input array must have at least 2 dimensions. Received: "
            f"array.ndim={K.rank(array)}"
        )
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(
            f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions."
        )
    first, second = axes
    for _ in range(k % 4):
        array = K.flip(K.swapaxes(array, first, second), first)
    return array


@eager
def pad(
    x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None
) -> Any:
    """Return `x` with a border.

    Args:
        x: what to pad.
        pad_width: how wide: (before, after) for each axis, for all, or one number.
        mode: "constant", "reflect" (the edge is not repeated) or "symmetric".
        constant_values: the border's value in constant mode, 0 by default.

    Raises:
        ValueError: if a value is given in another mode.
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`."
            f" Received: mode={mode}"
        )
    return K.pad(x, _widths(pad_width, K.rank(x)), mode, constant_values or 0)


def _widths(width: Any, rank: int | None) -> Any:
    if isinstance(width, int):
        width = ((width, width),)
    elif isinstance(width[0], int):
        width = (tuple(width),)
    return tuple(width) * (rank or 1) if len(width) == 1 else width


# -- joining and cutting ---------------------------------------------------------------


@eager
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Return arrays of one shape, stacked along a new axis."""
    return K.stack(x, axis)


@eager
def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Any:
    """Return `xs` one after the other along `axis`, or made flat if it is None."""
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    return K.concatenate(xs, axis)


@eager
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """Return `x2` after `x1` along `axis`, both made flat if it is None."""
    return concatenate(K.in_one_dtype(x1, x2), axis)


@eager
def vstack(xs: Sequence[Any]) -> Any:
    """Return `xs` one after the other along the first axis; vectors count as rows."""
    return K.concatenate([_with_rank(x, 2) for x in xs], 0)


@eager
def hstack(xs: Sequence[Any]) -> Any:
    """Return `xs` one after the other along the second axis; vectors as they are."""
    xs = [_with_rank(x, 1) for x in xs]
    return K.concatenate(xs, 0 if K.rank(xs[0]) == 1 else 1)


@eager
def dstack(xs: Sequence[Any]) -> Any:
    """Return `xs` one after the other along the third axis."""
    deep = [x if K.rank(x) > 2 else K.expand_dims(_with_rank(x, 2), 2) for x in xs]
    return K.concatenate(deep, 2)


def _with_rank(x: Any, rank: int) -> Any:
    """Return `x` with new leading axes if it has fewer than `rank`."""
    missing = rank - K.rank(x)
    return K.expand_dims(x, range(missing)) if missing > 0 else x


@eager
def split(x: Any, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return `x` cut along `axis`: into a number of equal parts, or at given places.

    Raises:
        ShapeError: if the parts would not be equal.
    """
    if isinstance(indices_or_sections, int):
        return list(K.split(x, indices_or_sections, axis))
    sizes = [b - a for a, b in pairwise([0, *indices_or_sections])]
    return list(K.split(x, [*sizes, -1], axis))


@eager
def array_split(x: Any, indices_or_sections: Sections, axis: int = 0) -> list[Any]:
    """Return `x` cut along `axis`; the first parts may be larger by one."""
    if isinstance(indices_or_sections, int):
        n, parts = K.known_shape(x)[axis], indices_or_sections
        if n is None:
            return _parts(x, parts, axis)
        sizes = [n // parts + (i < n % parts) for i in range(parts)]
        return list(K.split(x, sizes, axis))
    return split(x, indices_or_sections, axis)


def _parts(x: Any, parts: int, axis: int) -> list[Any]:
    """Return `x` cut into parts where the size of `axis` is only known in a run."""
    n = K.shape(x)[axis]
    ends = [n // parts * i + K.minimum(i, n % parts) for i in range(parts + 1)]
    before = (slice(None),) * (axis % K.rank(x))
    return [x[(*before, slice(a, b))] for a, b in pairwise(ends)]


@eager
def vsplit(x: Any, indices_or_sections: Sections) -> list[Any]:
    """Return `x` cut along its first axis; see `split`."""
    return split(x, indices_or_sections, 0)


@eager
def hsplit(x: Any, indices_or_sections: Sections) -> list[Any]:
    """Return `x` cut along its second axis, or a vector's only one; see `split`."""
    return split(x, indices_or_sections, 0 if K.rank(x) == 1 else 1)


@eager
def dsplit(x: Any, indices_or_sections: Sections) -> list[Any]:
    """Return `x` cut along its third axis; see `split`."""
    return split(x, indices_or_sections, 2)


# -- channels and pixels ---------------------------------------------------------------


@eager
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images whose channels are laid out as blocks of pixels.

    Shapes:
        x: (batch, height, width, block_size² · channels)
        returns: (batch, block_size · height, block_size · width, channels)

    Raises:
        ValueError: if `block_size` is below 2.
    """
    b = _block(block_size)
    if data_format == "channels_last":
        n, h, w, depth = shape(x)
        c = depth // (b * b)
        pixels = K.transpose(K.reshape(x, (n, h, w, b, b, c)), (0, 1, 3, 2, 4, 5))
        return K.reshape(pixels, (n, h * b, w * b, c))
    n, depth, h, w = shape(x)
    c = depth // (b * b)
    pixels = K.transpose(K.reshape(x, (n, c, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return K.reshape(pixels, (n, c, h * b, w * b))


@eager
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images whose blocks of pixels are laid out as channels.

    Shapes:
        x: (batch, block_size · height, block_size · width, channels)
        returns: (batch, height, width, block_size² · channels)

    Raises:
        ValueError: if `block_size` is below 2.
    """
    b = _block(block_size)
    if data_format == "channels_last":
        n, height, width, c = shape(x)
        h, w = height // b, width // b
        blocks = K.transpose(K.reshape(x, (n, h, b, w, b, c)), (0, 1, 3, 2, 4, 5))
        return K.reshape(blocks, (n, h, w, b * b * c))
    n, c, height, width = shape(x)
    h, w = height // b, width // b
    blocks = K.transpose(K.reshape(x, (n, c, h, b, w, b)), (0, 1, 3, 5, 2, 4))
    return K.reshape(blocks, (n, b * b * c, h, w))


def _block(size: int) -> int:
    if size < 2:
        raise ValueError(
            f"`block_size` must be at least 2. Received: block_size={size}"
        )
    return size

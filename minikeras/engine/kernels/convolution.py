"""Convolution as matrix products, block by block.

The windows of x, one a row, make the matrix with which convolution is a product
(*im2col*: Chellapilla, Puri, Simard 2006). It is as many times larger than x as a
window has taps, so it is only ever made for some examples at a time, few enough for
the processor's cache. Measured, this costs little more than the products alone.

    convolve          y  = windows(x) w
    backprop_filter   dw = windows(x)T g
    backprop_input    dx = for each tap: g w[tap]T, added where that tap read x

Each returns calls without arguments, on arrays that stay where they are. A kernel makes
them once; a compiled plan in every run, and then nothing is allocated.

Shapes: x (examples, sizes ..., channels), w (taps ..., channels / groups, filters),
y and g (examples, windows ..., filters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

from minikeras.engine.kernels import depthwise
from minikeras.engine.kernels.windows import Grid, blocks
from minikeras.engine.spec import Array

__all__ = ["Calls", "backprop_filter", "backprop_input", "convolve"]

# This few channels are too short a run of memory to copy or add at speed: windows are
# laid out tap by tap then. For 3 channels this is measured to be up to 3 times faster.
FEW_CHANNELS = 4

Calls = list[Callable[[], Any]]


def convolve(
    xp: ModuleType, y: Array, x: Array, w: Array, grid: Grid, groups: int
) -> Calls:
    """Return the calls that write the convolution of x with w to y."""
    if groups == x.shape[-1] > 1:
        return [lambda: xp.copyto(y, depthwise.convolve(xp, x, w, grid))]
    w, calls = _laid_out(xp, w)
    weights = _by_group(w, groups)
    for rows, laying, matrix in _matrices(xp, x, grid, groups):
        calls += laying
        calls.append(
            partial(xp.matmul, matrix, weights, out=_by_group(y[rows], groups))
        )
    return calls


def backprop_filter(
    xp: ModuleType, dw: Array, x: Array, g: Array, grid: Grid, groups: int
) -> Calls:
    """Return the calls that write the gradient of w to dw, given x and that of y."""
    if groups == x.shape[-1] > 1:
        return [lambda: xp.copyto(dw, depthwise.backprop_filter(xp, x, g, grid))]
    g, calls = _laid_out(xp, g)
    total = _by_group(dw, groups)
    share = xp.empty(total.shape, dw.dtype)
    calls.append(partial(dw.fill, 0))
    for rows, laying, matrix in _matrices(xp, x, grid, groups):
        calls += laying
        above = _by_group(g[rows], groups)
        calls.append(partial(xp.matmul, matrix.swapaxes(1, 2), above, out=share))
        calls.append(partial(xp.add, total, share, out=total))
    return calls


def backprop_input(
    xp: ModuleType, dx: Array, w: Array, g: Array, grid: Grid, groups: int
) -> Calls:
    """Return the calls that write the gradient of x to dx, given w and that of y."""
    channels = dx.shape[-1]
    if groups == channels > 1:
        by_channel = depthwise.backprop_input
        return [lambda: xp.copyto(dx, by_channel(xp, w, g, grid, channels))]
    g, calls = _laid_out(xp, g)
    w, laying = _laid_out(xp, w)
    calls += laying
    if groups == 1 and channels <= FEW_CHANNELS:
        return calls + _by_planes(xp, dx, w, g, grid)
    each = w.reshape(-1, channels // groups, groups, w.shape[-1] // groups)
    weights, turning = _laid_out(xp, each.transpose(0, 2, 3, 1))
    return calls + turning + _by_taps(xp, dx, weights, g, grid)


def _by_taps(xp: ModuleType, dx: Array, weights: Array, g: Array, grid: Grid) -> Calls:
    """Return calls that add, tap after tap, a product to what that tap reads.

    The weights are (taps, groups, filters, channels), the last two those of a group.
    """
    _, groups, _, channels = weights.shape
    wide, calls = (*grid.wide, groups, channels), []
    room, share_room = _Scratch(xp.empty, g.dtype), _Scratch(xp.empty, g.dtype)
    for rows in blocks(xp, len(g), wide, g.itemsize):
        above = _by_group(g[rows], groups)
        sums = room.of(len(g[rows]), *wide)
        share = share_room.of(groups, len(g[rows]), *grid.counts, channels)
        product = share.reshape(*above.shape[:2], channels)
        calls.append(partial(sums.fill, 0))
        for (_, reads), weight in zip(grid.taps(), weights, strict=True):
            target = xp.moveaxis(sums[reads], -2, 0)
            calls.append(partial(xp.matmul, above, weight, out=product))
            calls.append(partial(xp.add, target, share, out=target))
        result = dx[rows].reshape(*dx[rows].shape[:-1], groups, channels)
        calls.append(partial(xp.copyto, result, grid.cropped(sums)))
    return calls


def _by_planes(xp: ModuleType, dx: Array, w: Array, g: Array, grid: Grid) -> Calls:
    """Return calls that do the same with the channels first until the end."""
    channels, calls = dx.shape[-1], []
    room, share_room = _Scratch(xp.empty, g.dtype), _Scratch(xp.empty, g.dtype)
    weights = _by_group(w, 1)[0]
    for rows in blocks(xp, len(g), (*grid.shape, *grid.counts, channels), g.itemsize):
        above = _by_group(g[rows], 1)[0].T
        product = share_room.of(len(weights), above.shape[1])
        shares = product.reshape(*grid.shape, channels, -1, *grid.counts)
        sums = room.of(channels, len(g[rows]), *grid.wide)
        calls.append(partial(xp.matmul, weights, above, out=product))
        calls.append(partial(sums.fill, 0))
        for tap, reads in grid.taps():
            target = sums[(slice(None), *reads)]
            calls.append(partial(xp.add, target, shares[tap], out=target))
        calls.append(
            partial(xp.copyto, dx[rows], grid.cropped(xp.moveaxis(sums, 0, -1)))
        )
    return calls


def _matrices(
    xp: ModuleType, x: Array, grid: Grid, groups: int
) -> Iterator[tuple[slice, Calls, Array]]:
    """Yield slices of the examples, calls that lay out their windows, and where.

    That is a matrix with the axes (groups, windows, taps and channels), the same memory
    for each slice.
    """
    channels = x.shape[-1]
    length = math.prod(grid.shape) * channels
    room, border = _Scratch(xp.empty, x.dtype), _Scratch(xp.zeros, x.dtype)
    for rows in blocks(xp, len(x), (*grid.counts, length), x.itemsize):
        part, calls = x[rows], []
        if grid.wide != grid.sizes:
            wide = border.of(len(part), *grid.wide, channels)
            calls.append(partial(xp.copyto, grid.cropped(wide), part))
            part = wide
        view = grid.view(xp, part)
        if groups == 1 and channels <= FEW_CHANNELS:
            middle = view.ndim // 2
            view = view.transpose(*range(middle, view.ndim), *range(middle))
            laid = room.of(*view.shape)
            matrix = laid.reshape(length, -1).T[None]
        else:
            split = view.reshape(*view.shape[:-1], groups, channels // groups)
            view = xp.moveaxis(split, -2, 0)
            laid = room.of(*view.shape)
            matrix = laid.reshape(groups, -1, length // groups)
        yield rows, [*calls, partial(xp.copyto, laid, view)], matrix


class _Scratch:
    """Memory for one block after the other, of which the first is the largest."""

    def __init__(self, new: Callable[..., Array], dtype: Any) -> None:
        self._new = partial(new, dtype=dtype)
        self._memory = self._new(0)

    def of(self, *shape: int) -> Array:
        """Return an array of this shape."""
        size = math.prod(shape)
        if size > self._memory.size:
            self._memory = self._new(size)
        return self._memory[:size].reshape(shape)


def _laid_out(xp: ModuleType, x: Array) -> tuple[Array, Calls]:
    """Return x in one piece of memory, and calls that bring it there."""
    if x.flags.c_contiguous:
        return x, []
    copy = xp.empty(x.shape, x.dtype)
    return copy, [partial(xp.copyto, copy, x)]


def _by_group(y: Array, groups: int) -> Array:
    """Return w, y or g as matrices: (groups, all but the last axis, filters / groups).

    It is a view, if the array is in one piece of memory.
    """
    return y.reshape(-1, groups, y.shape[-1] // groups).swapaxes(0, 1)

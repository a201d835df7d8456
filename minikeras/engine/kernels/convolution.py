"""Convolution as matrix products, block by block.

The windows of x, one a row, make the matrix with which convolution is a product
(*im2col*: Chellapilla, Puri, Simard 2006). It is as many times larger than x as a
window has taps, so it is only ever made for some examples at a time, few enough for
the processor's cache. Measured, this costs little more than the products alone.

    convolve          y  = windows(x) w
    backprop_filter   dw = windows(x)T g
    backprop_input    dx = for each tap: g w[tap]T, added where that tap read x

Shapes: x (examples, sizes ..., channels), w (taps ..., channels / groups, filters),
y and g (examples, windows ..., filters).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType

from minikeras.engine.kernels import depthwise
from minikeras.engine.kernels.windows import Grid, blocks
from minikeras.engine.spec import Array

__all__ = ["backprop_filter", "backprop_input", "convolve"]

# This few channels are too short a run of memory to copy or add at speed: windows are
# laid out tap by tap then. For 3 channels this is measured to be up to 3 times faster.
FEW_CHANNELS = 4


def convolve(xp: ModuleType, x: Array, w: Array, grid: Grid, groups: int) -> Array:
    """Return the convolution of x with w."""
    if groups == x.shape[-1] > 1:
        return depthwise.convolve(xp, x, w, grid)
    y = xp.empty((len(x), *grid.counts, w.shape[-1]), x.dtype)
    weights = _by_group(w, groups)
    for rows, matrix in _matrices(xp, x, grid, groups):
        xp.matmul(matrix, weights, out=_by_group(y[rows], groups))
    return y


def backprop_filter(
    xp: ModuleType, x: Array, g: Array, grid: Grid, groups: int
) -> Array:
    """Return the gradient of w, given x and that of y."""
    if groups == x.shape[-1] > 1:
        return depthwise.backprop_filter(xp, x, g, grid)
    channels = x.shape[-1] // groups
    dw = xp.zeros((*grid.shape, channels, g.shape[-1]), x.dtype)
    total = _by_group(dw, groups)
    for rows, matrix in _matrices(xp, x, grid, groups):
        total += xp.matmul(matrix.swapaxes(1, 2), _by_group(g[rows], groups))
    return dw


def backprop_input(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int, groups: int
) -> Array:
    """Return the gradient of x, which has `channels`, given w and that of y."""
    if groups == channels > 1:
        return depthwise.backprop_input(xp, w, g, grid, channels)
    if groups == 1 and channels <= FEW_CHANNELS:
        return _backprop_few(xp, w, g, grid, channels)
    dx = xp.empty((len(g), *grid.sizes, channels), g.dtype)
    wide = (*grid.wide, channels)
    for rows in blocks(xp, len(g), wide, g.itemsize):
        above = g[rows]
        part, factor = xp.zeros((len(above), *wide), g.dtype), _by_group(above, groups)
        for tap, reads in grid.taps():
            share = xp.matmul(factor, _by_group(w[tap], groups).swapaxes(1, 2))
            target = part[reads]
            target += share.swapaxes(0, 1).reshape(target.shape)
        dx[rows] = grid.cropped(part)
    return dx


def _backprop_few(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int
) -> Array:
    """Do what `backprop_input` does, with the channels first until the end."""
    dx = xp.empty((len(g), *grid.sizes, channels), g.dtype)
    weights = _by_group(w, 1)[0]
    for rows in blocks(xp, len(g), (*grid.shape, *grid.counts, channels), g.itemsize):
        above = g[rows]
        shares = xp.matmul(weights, _by_group(above, 1)[0].T)
        shares = shares.reshape(*grid.shape, channels, len(above), *grid.counts)
        part = xp.zeros((channels, len(above), *grid.wide), g.dtype)
        for tap, reads in grid.taps():
            part[(slice(None), *reads)] += shares[tap]
        dx[rows] = grid.cropped(xp.moveaxis(part, 0, -1))
    return dx


def _matrices(
    xp: ModuleType, x: Array, grid: Grid, groups: int
) -> Iterator[tuple[slice, Array]]:
    """Yield slices of the examples with the matrices of their windows.

    Such a matrix has the axes (groups, windows, taps and channels).
    """
    channels = x.shape[-1]
    length = math.prod(grid.shape) * channels
    for rows in blocks(xp, len(x), (*grid.counts, length), x.itemsize):
        view = grid.view(xp, grid.padded(xp, x[rows]))
        if groups == 1 and channels <= FEW_CHANNELS:
            windows, taps = range(view.ndim // 2), range(view.ndim // 2, view.ndim)
            yield rows, view.transpose(*taps, *windows).reshape(length, -1).T[None]
        else:
            split = view.reshape(*view.shape[:-1], groups, channels // groups)
            apart = xp.moveaxis(split, -2, 0)
            yield rows, apart.reshape(groups, -1, length // groups)


def _by_group(y: Array, groups: int) -> Array:
    """Return w, y or g as matrices: (groups, all but the last axis, filters / groups).

    It is a view, if the array is in one piece of memory.
    """
    return y.reshape(-1, groups, y.shape[-1] // groups).swapaxes(0, 1)

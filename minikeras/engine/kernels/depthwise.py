"""Convolution with one input channel a group: sums of products, channel by channel.

A matrix product needs channels to sum over, and here is one for each filter. Measured,
products of such thin matrices take three to ten times as long as the plain sums.

Shapes are those of `minikeras.engine.kernels.convolution`; the filters are (channels,
multiplier), for each channel has as many, and are taken one of the multiplier at a
time.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from minikeras.engine.kernels.windows import Grid, blocks
from minikeras.engine.spec import Array

__all__ = ["backprop_filter", "backprop_input", "convolve"]


def convolve(xp: ModuleType, x: Array, w: Array, grid: Grid) -> Array:
    """Return the convolution of x with w."""
    channels = x.shape[-1]
    windows, taps = _letters(grid)
    view = grid.view(xp, grid.padded(xp, x))
    y = xp.empty((len(x), *grid.counts, w.shape[-1]), x.dtype)
    for out, filters in zip(
        _each(y, channels), _each(w[..., 0, :], channels), strict=True
    ):
        out[...] = xp.einsum(f"n{windows}{taps}c,{taps}c->n{windows}c", view, filters)
    return y


def backprop_filter(xp: ModuleType, x: Array, g: Array, grid: Grid) -> Array:
    """Return the gradient of w, given x and that of y."""
    channels = x.shape[-1]
    windows, taps = _letters(grid)
    view = grid.view(xp, grid.padded(xp, x))
    dw = xp.empty((*grid.shape, 1, g.shape[-1]), x.dtype)
    for out, above in zip(
        _each(dw[..., 0, :], channels), _each(g, channels), strict=True
    ):
        above = xp.ascontiguousarray(above)
        out[...] = xp.einsum(f"n{windows}{taps}c,n{windows}c->{taps}c", view, above)
    return dw


def backprop_input(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int
) -> Array:
    """Return the gradient of x, given w and that of y."""
    dx = xp.empty((len(g), *grid.sizes, channels), g.dtype)
    wide = (*grid.wide, channels)
    for rows in blocks(xp, len(g), wide, g.itemsize):
        part = xp.zeros((len(dx[rows]), *wide), g.dtype)
        pairs = zip(
            _each(g[rows], channels), _each(w[..., 0, :], channels), strict=True
        )
        for above, filters in pairs:
            for tap, reads in grid.taps():
                part[reads] += above * filters[tap]
        dx[rows] = grid.cropped(part)
    return dx


def _letters(grid: Grid) -> tuple[str, str]:
    """Return einsum's letters for the axes of windows, and for those of taps."""
    return "xyz"[: len(grid.windows)], "ijk"[: len(grid.windows)]


def _each(y: Array, channels: int) -> Iterator[Array]:
    """Yield views of w, y or g with one filter for each channel."""
    split = y.reshape(*y.shape[:-1], channels, y.shape[-1] // channels)
    return (split[..., i] for i in range(split.shape[-1]))

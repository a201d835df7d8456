"""Pooling, tap by tap: each step works on strided slices as large as the result.

A compiled plan makes one loop of the steps, if windows are small and, for gradients,
tile the array. Maxima and sums over large windows are taken along one axis after the
other: 5 by 5 taps cost 5 + 5 steps rather than 25. The gradient of a maximum cannot be:
it goes to the *first* of equal elements (Source: TensorFlow's MaxPoolGrad), which takes
all taps in their order.

Shapes: x, dx and h (examples, sizes ..., channels), y and g (examples, windows ...,
channels).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce
from types import ModuleType

from minikeras.engine.kernels.windows import Grid, blocks, laid
from minikeras.engine.spec import Array

__all__ = ["average", "average_backprop", "maximum", "maximum_backprop", "picked"]

# Windows of so many taps are taken in one pass over x.
FEW_TAPS = 9


def maximum(xp: ModuleType, x: Array, grid: Grid) -> Array:
    """Return the largest element of each window."""
    return _combined(xp.maximum, grid.padded(xp, x, _lowest(xp, x)), grid)


def maximum_backprop(xp: ModuleType, x: Array, y: Array, g: Array, grid: Grid) -> Array:
    """Return the gradient of x, given that of its windows' maxima y."""
    if grid.tiles:
        parts = [xp.where(hit, g, 0) for _, hit in _hits(xp, x, y, grid)]
        return grid.cropped(laid(xp, parts, grid))
    dx = xp.empty(x.shape, g.dtype)
    wide = (*grid.wide, x.shape[-1])
    for rows in blocks(xp, len(x), wide, x.itemsize):
        part = xp.zeros((len(dx[rows]), *wide), g.dtype)
        for reads, hit in _hits(xp, x[rows], y[rows], grid):
            part[reads] += xp.where(hit, g[rows], 0)
        dx[rows] = grid.cropped(part)
    return dx


def picked(xp: ModuleType, x: Array, y: Array, h: Array, grid: Grid) -> Array:
    """Return the elements of h from where the maxima y of x are."""
    result = xp.zeros(y.shape, h.dtype)
    for rows in blocks(xp, len(x), (*grid.wide, x.shape[-1]), x.itemsize):
        padded, part = grid.padded(xp, h[rows]), result[rows]
        for reads, hit in _hits(xp, x[rows], y[rows], grid):
            part += xp.where(hit, padded[reads], 0)
    return result


def average(xp: ModuleType, x: Array, grid: Grid) -> Array:
    """Return the mean of each window; padding does not count."""
    return _combined(xp.add, grid.padded(xp, x), grid) / _terms(xp, x, grid)


def average_backprop(xp: ModuleType, g: Array, grid: Grid) -> Array:
    """Return the gradient of x, given that of its windows' means."""
    part = g / _terms(xp, g, grid)
    if grid.tiles:
        return grid.cropped(laid(xp, [part] * math.prod(grid.shape), grid))
    for axis in reversed(range(len(grid.windows))):
        above = part
        sizes = list(above.shape)
        sizes[axis + 1] = grid.wide[axis]
        part = xp.zeros(sizes, g.dtype)
        for reads in _along(grid, axis):
            part[reads] += above
    return grid.cropped(part)


def _combined(combine: Callable[..., Array], x: Array, grid: Grid) -> Array:
    """Return the elements of each window of a padded array, combined two by two."""
    if math.prod(grid.shape) <= FEW_TAPS:
        return reduce(combine, (x[reads] for _, reads in grid.taps()))
    y = x
    for axis in range(len(grid.windows)):
        y = reduce(combine, (y[reads] for reads in _along(grid, axis)))
    return y


def _along(grid: Grid, axis: int) -> Iterator[tuple[slice, ...]]:
    """Yield what is read by the taps along one spatial axis, the others left whole."""
    for tap in range(grid.shape[axis]):
        read = grid.windows[axis].read(tap, grid.counts[axis])
        yield (*(slice(None),) * (axis + 1), read)


def _hits(
    xp: ModuleType, x: Array, y: Array, grid: Grid
) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """Yield, for each tap, what it reads and which windows' first maximum it is."""
    padded = grid.padded(xp, x, _lowest(xp, x))
    (_, reads), *others = grid.taps()
    taken = padded[reads] == y
    yield reads, taken
    for _, reads in others:
        found = padded[reads] == y
        yield reads, found & ~taken
        taken = found | taken


def _terms(xp: ModuleType, x: Array, grid: Grid) -> Array | int:
    """Return how many elements of x each window has: fewer at a padded edge."""
    if grid.wide == grid.sizes:
        return math.prod(grid.shape)
    ones = xp.ones((1, *grid.sizes, 1), x.dtype)
    return _combined(xp.add, grid.padded(xp, ones), grid)


def _lowest(xp: ModuleType, x: Array) -> float | int:
    """Return a value that no element of x is below."""
    if x.dtype.kind in "iu":
        return int(xp.iinfo(x.dtype).min)
    return False if x.dtype.kind == "b" else -math.inf

"""Convolution as one product: the windows of all examples, a row each, by the filters.

The rows take the memory of x times the taps of a window. So this is for windows of few
elements, such as those of images of one to three channels, or of one tap.

Shapes: x (examples, sizes ..., channels), w (taps ..., channels, filters), y and g
(examples, windows ..., filters).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType

from minikeras.engine.kernels.slices import product, product_over_rows
from minikeras.engine.kernels.windows import Grid
from minikeras.engine.spec import Array

__all__ = ["backprop_filter", "backprop_input", "convolve", "suits"]

FEW = 32  # elements of a window
MOST = 2**22  # elements of all windows, which a plan keeps for the gradient


def suits(grid: Grid, x: Sequence[int], w: Sequence[int]) -> bool:
    """Whether a convolution is better done in this way, given the shapes of x and w."""
    taps, length = math.prod(grid.shape), math.prod(grid.shape) * x[-1]
    whole = x[0] * math.prod(grid.counts) * length
    return w[-2] == x[-1] and 0 < whole <= MOST and (taps == 1 or length <= FEW)


def convolve(xp: ModuleType, x: Array, w: Array, grid: Grid) -> Array:
    """Return the convolution of x with w."""
    filters = w.shape[-1]
    y = product(xp, _rows(xp, x, grid), w.reshape(-1, filters))
    return y.reshape(len(x), *grid.counts, filters)


def backprop_filter(xp: ModuleType, x: Array, g: Array, grid: Grid) -> Array:
    """Return the gradient of w, given x and that of y."""
    filters = g.shape[-1]
    dw = product_over_rows(xp, _rows(xp, x, grid), g.reshape(-1, filters))
    return dw.reshape(*grid.shape, x.shape[-1], filters)


def backprop_input(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int
) -> Array:
    """Return the gradient of x, which has `channels`, given w and that of y.

    Raises:
        TypeError: unless each element of x is in one window, of one tap.
    """
    *taps, _, filters = w.shape
    if math.prod(taps) > 1 or grid.counts != grid.sizes:
        raise TypeError("windows overlap, or leave gaps")
    # Laid out anew: BLAS is slower with a right operand that lies transposed.
    across = w.reshape(channels, filters).T.reshape(-1).reshape(filters, channels)
    dx = product(xp, g.reshape(-1, filters), across)
    return dx.reshape(*g.shape[:-1], channels)


def _rows(xp: ModuleType, x: Array, grid: Grid) -> Array:
    """Return the matrix of all windows, (examples and windows, taps and channels)."""
    padded = grid.padded(xp, x)
    taps = [padded[reads] for _, reads in grid.taps()]
    if x.shape[-1] == 1:  # one tap after the other: longer runs of memory
        return xp.stack(taps).reshape(len(taps), -1).T
    return xp.stack(taps, -2).reshape(-1, len(taps) * x.shape[-1])

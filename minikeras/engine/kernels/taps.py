"""Convolution with one input channel a group: a sum over taps, and over nothing else.

Where sums and products are fused to one loop it takes hardly more time than to read and
write the arrays.

Shapes: x (examples, sizes ..., channels), w (taps ..., 1, channels by multiplier), y
and g (examples, windows ..., channels by multiplier).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from itertools import product
from operator import add
from types import ModuleType

from minikeras.engine.kernels.windows import Grid, Window, bordered, laid
from minikeras.engine.spec import Array

__all__ = ["backprop_filter", "backprop_input", "convolve", "suits"]

# So many terms have a place in one loop.
MOST = 25


def suits(grid: Grid, x: Sequence[int], w: Sequence[int]) -> bool:
    """Whether a convolution is of this kind, given the shapes of x and w."""
    terms = math.prod(grid.shape) * (w[-1] // max(x[-1], 1))
    return w[-2] == 1 < x[-1] and 0 < terms <= MOST and x[0] > 0


def convolve(xp: ModuleType, x: Array, w: Array, grid: Grid) -> Array:
    """Return the convolution of x with w."""
    padded, filters = grid.padded(xp, x)[..., None], _by_channel(w, x.shape[-1])
    y = reduce(add, (padded[reads] * filters[tap] for tap, reads in grid.taps()))
    return y.reshape(len(x), *grid.counts, w.shape[-1])


def backprop_filter(xp: ModuleType, x: Array, g: Array, grid: Grid) -> Array:
    """Return the gradient of w, given x and that of y."""
    padded, above = grid.padded(xp, x)[..., None], _by_channel(g, x.shape[-1])
    axes = tuple(range(len(grid.windows) + 1))
    dw = [(padded[reads] * above).sum(axes) for _, reads in grid.taps()]
    return xp.stack(dw).reshape(*grid.shape, 1, g.shape[-1])


def backprop_input(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int
) -> Array:
    """Return the gradient of x, which has `channels`, given w and that of y.

    With stride s, dilation d, tap t of window o reads element s o + d t. So the taps
    with one remainder r of d t by s make the gradients of elements s q + r, each out of
    those of windows q - d t // s.
    """
    axes = list(map(_sources, grid.windows, grid.counts, grid.wide))
    widths = ((0, 0), *(border for border, _ in axes), (0, 0))
    above = _by_channel(bordered(xp, g, widths, 0), channels)
    filters = _by_channel(w, channels)
    terms: dict[tuple[int, ...], list[Array]] = defaultdict(list)
    for tap, _ in grid.taps():
        found = [reads[t] for (_, reads), t in zip(axes, tap, strict=True)]
        reads = (slice(None), *(read for _, read in found))
        for i in range(filters.shape[-1]):
            share = above[*reads, ..., i] * filters[*tap, ..., i]
            terms[tuple(r for r, _ in found)].append(share)
    steps = tuple(Window(window.stride, window.stride) for window in grid.windows)
    sizes = [
        -(-n // s.stride) * s.stride for n, s in zip(grid.wide, steps, strict=True)
    ]
    nothing = xp.zeros_like(terms[(0,) * len(steps)][0])
    parts = [
        reduce(add, terms[remainders]) if remainders in terms else nothing
        for remainders in product(*(range(step.stride) for step in steps))
    ]
    return grid.cropped(laid(xp, parts, Grid(steps, tuple(sizes))))


def _sources(
    window: Window, count: int, wide: int
) -> tuple[tuple[int, int], list[tuple[int, slice]]]:
    """Return the border that the gradients of windows need along an axis.

    And for each tap its remainder by the stride, and which of the gradients it takes.
    """
    rows = -(-wide // window.stride)
    before = (window.span - 1) // window.stride
    offsets = (
        divmod(t * window.dilation, window.stride) for t in range(window.size or 0)
    )
    reads = [(r, slice(before - q, before - q + rows)) for q, r in offsets]
    return (before, max(rows - count, 0)), reads


def _by_channel(x: Array, channels: int) -> Array:
    """Return w, y or g with an axis of channels, and one of the multiplier."""
    return x.reshape(*x.shape[:-1], channels, x.shape[-1] // channels)

"""Windows that slide along the axes of an array: where they lie, and how to read them.

A window has `size` *taps*, `dilation` apart; successive windows start `stride` apart;
the padding rule says how far the first and the last may reach over the edge. With
size 3, stride 2, dilation 1 and one element of padding at each end:

    padded axis    . 0 1 2 3 4 .
    window 0       a b c
    window 1           a b c
    window 2               a b c

What convolution and pooling do is in terms of two readings of this picture: window by
window (`Grid.view`), or tap by tap (`Grid.taps`: all the a's are a strided slice of
the axis, and so are all the b's).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from types import ModuleType
from typing import TypeAlias

import numpy as np

from minikeras.engine.errors import ShapeError
from minikeras.engine.spec import Array
from minikeras.engine.values import Value

__all__ = ["PADDINGS", "Grid", "Padding", "Window", "blocks", "bordered", "laid"]

PADDINGS = ("valid", "same", "causal")

# A rule by its name, or the elements (before, after).
Padding: TypeAlias = "str | tuple[int, int]"

# Bytes worked on at a time: on a CPU a part of the cache; on a GPU, where each call
# costs time and memory is ample, much more.
CPU_BLOCK = 2**21
GPU_BLOCK = 2**28


class Window(Value):
    """How windows lie along one axis.

    Attributes:
        size: taps of a window; None if only the run will tell.
        stride: elements from one window's start to the next one's.
        dilation: elements from one tap to the next.
        padding: "valid": windows stay inside; "same": one window for every `stride`
            elements, the padding shared by both ends, an odd element going to the
            end; "causal": as many windows, none reaching beyond its own element, all
            padding at the start; or the elements (before, after).
    """

    size: int | None
    stride: int = 1
    dilation: int = 1
    padding: Padding = "valid"

    @property
    def span(self) -> int:
        """Elements from the first tap to the last, both included."""
        return ((self.size or 1) - 1) * self.dilation + 1

    def count(self, n: int | None) -> int | None:
        """Return how many windows an axis of `n` elements has.

        Raises:
            ShapeError: if not even one fits.
        """
        if n is None:
            return None
        if self.padding in ("same", "causal"):
            return -(-n // self.stride)
        if self.size is None:
            return None
        whole = n + sum(self.pads(n))
        if whole < self.span:
            pads = f", {whole} with its padding" if whole > n else ""
            raise ShapeError(
                "Computed output size would be zero or negative. A window spans "
                f"{self.span} elements, but the axis has {n}{pads}"
            )
        return (whole - self.span) // self.stride + 1

    def pads(self, n: int) -> tuple[int, int]:
        """Return the elements of padding before and after an axis of `n`."""
        if isinstance(self.padding, tuple):
            return self.padding
        if self.padding == "causal":
            return self.span - 1, 0
        if self.padding == "valid":
            return 0, 0
        reach = (-(-n // self.stride) - 1) * self.stride + self.span
        total = max(reach - n, 0)
        return total // 2, total - total // 2

    def read(self, tap: int, count: int) -> slice:
        """Return the part of the padded axis which one tap of `count` windows reads."""
        start = tap * self.dilation
        return slice(start, start + (count - 1) * self.stride + 1, self.stride)


class Grid(Value):
    """The windows over all spatial axes of an array.

    The array has the axes (examples, `sizes` ..., channels).

    Attributes:
        windows: how they lie along each spatial axis.
        sizes: of the spatial axes.
    """

    windows: tuple[Window, ...]
    sizes: tuple[int, ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Taps of a window along each axis."""
        return tuple(w.size or 0 for w in self.windows)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Number of windows along each axis."""
        return tuple(w.count(n) or 0 for w, n in self._axes())

    @cached_property
    def wide(self) -> tuple[int, ...]:
        """Sizes of the spatial axes, padding included."""
        return tuple(n + sum(w.pads(n)) for w, n in self._axes())

    @cached_property
    def tiles(self) -> bool:
        """Whether windows follow each other without gap or overlap."""
        return all(w.stride == w.size and w.dilation == 1 for w in self.windows)

    def _axes(self) -> Iterator[tuple[Window, int]]:
        return zip(self.windows, self.sizes, strict=True)

    def padded(self, xp: ModuleType, x: Array, value: float = 0) -> Array:
        """Return `x` padded with `value`; `x` itself if there is no padding."""
        pads = (w.pads(n) for w, n in self._axes())
        return bordered(xp, x, ((0, 0), *pads, (0, 0)), value)

    def cropped(self, x: Array) -> Array:
        """Return the view of a padded array without its padding."""
        before = (w.pads(n)[0] for w, n in self._axes())
        inside = (slice(b, b + n) for b, n in zip(before, self.sizes, strict=True))
        return x[(slice(None), *inside)]

    def view(self, xp: ModuleType, x: Array) -> Array:
        """Return a padded array as (examples, windows ..., taps ..., channels)."""
        first, *steps, last = x.strides
        pairs = list(zip(steps, self.windows, strict=True))
        return xp.lib.stride_tricks.as_strided(
            x,
            (len(x), *self.counts, *self.shape, x.shape[-1]),
            (
                first,
                *(step * w.stride for step, w in pairs),
                *(step * w.dilation for step, w in pairs),
                last,
            ),
        )

    def taps(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Yield each tap, and the part of a padded array which all windows' taps read.

        The last axis goes fastest.
        """
        for tap in product(*map(range, self.shape)):
            along = zip(self.windows, tap, self.counts, strict=True)
            yield tap, (slice(None), *(w.read(t, n) for w, t, n in along))

    def rests(self) -> Iterator[tuple[slice, ...]]:
        """Yield, for windows that tile, the parts of a padded array behind the last."""
        inside: tuple[slice, ...] = (slice(None),)
        for w, count, n in zip(self.windows, self.counts, self.wide, strict=True):
            end = count * w.stride
            if end < n:
                yield *inside, slice(end, None)
            inside = *inside, slice(0, end)


def laid(xp: ModuleType, parts: Sequence[Array], grid: Grid) -> Array:
    """Return what has these parts where the taps of windows that tile read it.

    It is 0 behind the last windows.
    """
    count, *_, channels = parts[0].shape
    x = xp.empty_like(parts[0], shape=(count, *grid.wide, channels), order="C")
    for (_, reads), part in zip(grid.taps(), parts, strict=True):
        x[reads] = part
    for rest in grid.rests():
        x[rest] = 0
    return x


def bordered(
    xp: ModuleType, x: Array, widths: Sequence[tuple[int, int]], value: float
) -> Array:
    """Return `x` with a border of `value`; `x` itself if the border is empty."""
    if not any(map(any, widths)):
        return x
    sizes = [a + n + b for n, (a, b) in zip(x.shape, widths, strict=True)]
    y, inside = xp.empty_like(x, shape=sizes, order="C"), ()
    for n, (a, b) in zip(x.shape, widths, strict=True):
        for width, outside in (a, slice(0, a)), (b, slice(a + n, None)):
            if width:
                y[*inside, outside] = value
        inside = *inside, slice(a, a + n)
    y[inside] = x
    return y


def blocks(
    xp: ModuleType, examples: int, shape: Sequence[int], itemsize: int
) -> Iterator[slice]:
    """Yield slices of the examples, for which arrays of `shape` make up a block."""
    block = CPU_BLOCK if xp is np else GPU_BLOCK
    step = max(1, block // max(1, math.prod(shape) * itemsize))
    return (slice(i, min(i + step, examples)) for i in range(0, examples, step))

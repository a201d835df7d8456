"""Convolution and pooling written out: one loop over windows, one over their taps.

`offsets` is TensorFlow's documented rule for where windows lie ("Notes on padding" in
the guide to tf.nn): everything else follows from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["convolve", "filter_gradient", "pool", "spread", "transpose"]

Hit = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def each(value: Any, axes: int) -> list[Any]:
    """Return one value for each axis."""
    return [value] * axes if isinstance(value, int | str) else list(value)


def offsets(n: int, size: int, stride: int, dilation: int, padding: Any) -> list[int]:
    """Return where each window starts along an axis of n elements."""
    span = (size - 1) * dilation + 1
    if padding == "valid":
        count, before = int(np.ceil((n - span + 1) / stride)), 0
    elif padding == "same":
        count = int(np.ceil(n / stride))
        if n % stride == 0:
            before = max(span - stride, 0) // 2
        else:
            before = max(span - n % stride, 0) // 2
    elif padding == "causal":
        count, before = int(np.ceil(n / stride)), span - 1
    else:
        before, after = padding
        count = (before + n + after - span) // stride + 1
    return [o * stride - before for o in range(count)]


def hits(
    sizes: Any, taps: Any, strides: Any = 1, padding: Any = "valid", dilation: Any = 1
) -> tuple[tuple[int, ...], Iterator[Hit]]:
    """Return the windows' counts, and what meets: (window, tap, element of x)."""
    axes = len(sizes)
    settings = (taps, each(strides, axes), each(dilation, axes), each(padding, axes))
    starts = [
        offsets(n, *setting) for n, *setting in zip(sizes, *settings, strict=True)
    ]
    steps = each(dilation, axes)

    def meet() -> Iterator[Hit]:
        for window in itertools.product(*(range(len(s)) for s in starts)):
            for tap in itertools.product(*map(range, taps)):
                places = (starts[a][window[a]] + tap[a] * steps[a] for a in range(axes))
                place = tuple(places)
                if all(0 <= i < n for i, n in zip(place, sizes, strict=True)):
                    yield window, tap, place

    return tuple(map(len, starts)), meet()


def convolve(x: np.ndarray, w: np.ndarray, groups: int = 1, **how: Any) -> np.ndarray:
    """Return the convolution of x (n, spatial ..., c) and w (taps ..., c, f)."""
    counts, meet = hits(x.shape[1:-1], w.shape[:-2], **how)
    y = np.zeros((len(x), *counts, w.shape[-1]))
    for window, tap, place in meet:
        for c, f, inner in linked(w, groups):
            y[:, *window, f] += x[:, *place, c] * w[*tap, inner, f]
    return y


def transpose(
    shape: Any, w: np.ndarray, g: np.ndarray, groups: int = 1, **how: Any
) -> np.ndarray:
    """Return the gradient of x, of this shape, given that of the convolution with w."""
    _, meet = hits(shape[1:-1], w.shape[:-2], **how)
    dx = np.zeros(shape)
    for window, tap, place in meet:
        for c, f, inner in linked(w, groups):
            dx[:, *place, c] += g[:, *window, f] * w[*tap, inner, f]
    return dx


def filter_gradient(
    x: np.ndarray, shape: Any, g: np.ndarray, groups: int = 1, **how: Any
) -> np.ndarray:
    """Return the gradient of w, of this shape, given that of its convolution with x."""
    _, meet = hits(x.shape[1:-1], shape[:-2], **how)
    dw = np.zeros(shape)
    for window, tap, place in meet:
        for c, f, inner in linked(dw, groups):
            dw[*tap, inner, f] += x[:, *place, c] @ g[:, *window, f]
    return dw


def linked(w: np.ndarray, groups: int) -> Iterator[tuple[int, int, int]]:
    """Yield the channels and filters that meet, with the channel's place in w."""
    channels, filters = w.shape[-2:]
    for f in range(filters):
        group = f // (filters // groups)
        for inner in range(channels):
            yield group * channels + inner, f, inner


def windows(x: np.ndarray, size: Any, strides: Any, padding: str) -> dict[Any, Any]:
    """Return for each window the places in it, in order."""
    axes = x.ndim - 2
    taps = each(size, axes)
    _, meet = hits(x.shape[1:-1], taps, taps if strides is None else strides, padding)
    found: dict[Any, list[Any]] = {}
    for window, _, place in meet:
        found.setdefault(window, []).append(place)
    return found


def pool(
    combine: Callable[..., Any],
    x: np.ndarray,
    size: Any,
    strides: Any = None,
    padding: str = "valid",
) -> np.ndarray:
    """Return `combine` (np.max, np.mean) of the elements of x in each window."""
    found = windows(x, size, strides, padding)
    counts = [1 + max(axis) for axis in zip(*found, strict=True)]
    y = np.zeros((len(x), *counts, x.shape[-1]))
    for window, places in found.items():
        y[:, *window] = combine([x[:, *place] for place in places], axis=0)
    return y


def spread(
    x: np.ndarray, g: np.ndarray, size: Any, strides: Any = None, padding: str = "valid"
) -> np.ndarray:
    """Return g at the first of the largest elements of each window of x, else 0."""
    dx = np.zeros(x.shape)
    for window, places in windows(x, size, strides, padding).items():
        for n, c in np.ndindex(len(x), x.shape[-1]):
            best = max(places, key=lambda place: x[n, *place, c])
            dx[n, *best, c] += g[n, *window, c]
    return dx

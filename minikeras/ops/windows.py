"""Windows cut out of images and put together again; Keras 3's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "fold", "unfold"]

Sizes = int | Sequence[int]

adaptive_average_pool = eager(K.adaptive_average_pool)
adaptive_max_pool = eager(K.adaptive_max_pool)


class _Axis(NamedTuple):
    """How windows lie along one axis of images."""

    taps: int
    dilation: int
    padding: int
    stride: int

    def count(self, n: Any) -> Any:
        """Return how many windows there are along `n` pixels."""
        span = (self.taps - 1) * self.dilation + 1
        return (n + 2 * self.padding - span) // self.stride + 1

    def reads(self, count: Any) -> Any:
        """Return which pixel of the padded axis each tap of `count` windows reads."""
        first = K.arange(self.taps) * self.dilation
        return K.expand_dims(first, 1) + K.arange(count) * self.stride


def _pair(given: Sizes) -> tuple[int, int]:
    first, second = (given, given) if isinstance(given, int) else given
    return first, second


def _axes(*given: Sizes) -> list[_Axis]:
    return [_Axis(*numbers) for numbers in zip(*map(_pair, given), strict=True)]


@eager
def unfold(
    x: Any,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """Return the pixels of each window, one window a column ("im2col").

    Args:
        x: images.
        kernel_size: height and width of a window.
        dilation: pixels from one tap of a window to the next.
        padding: pixels of zeros around the images.
        stride: pixels from one window's start to the next one's.

    Shapes:
        x: (batch, channels, height, width)
        returns: (batch, channels · taps, windows)

    Raises:
        ValueError: if `x` has another rank.
    """
    _check_rank(x, 4)
    rows, columns = _axes(kernel_size, dilation, padding, stride)
    batch, channels, height, width = shape(x)
    edges = [(a.padding, a.padding) for a in (rows, columns)]
    x = K.pad(x, [(0, 0), (0, 0), *edges]) if rows.padding or columns.padding else x
    x = K.take(x, rows.reads(rows.count(height)), 2)
    x = K.take(x, columns.reads(columns.count(width)), 4)
    x = K.transpose(x, (0, 1, 2, 4, 3, 5))
    return K.reshape(x, (batch, channels * rows.taps * columns.taps, -1))


@eager
def fold(
    x: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Any:
    """Return images in which each pixel is the sum of what windows have there.

    That is what `unfold` does, transposed; the arguments are those of it.

    Shapes:
        x: (batch, channels · taps, windows)
        returns: (batch, channels, height, width), with the sizes in `output_size`

    Raises:
        ValueError: if `x` has another rank.
    """
    _check_rank(x, 3)
    rows, columns = _axes(kernel_size, dilation, padding, stride)
    height, width = _pair(output_size)
    batch, depth, _ = shape(x)
    tall, wide = rows.count(height), columns.count(width)
    channels = depth // (rows.taps * columns.taps)
    x = K.reshape(x, (batch, channels, rows.taps, columns.taps, tall, wide))
    x = K.transpose(x, (2, 4, 3, 5, 0, 1))
    x = _laid(x, rows, tall, height)
    x = _laid(K.transpose(x, (1, 2, 0, 3, 4)), columns, wide, width)
    return K.transpose(x, (2, 3, 1, 0))


def _laid(x: Any, axis: _Axis, count: int, n: int) -> Any:
    """Return the sums over taps and windows, the first two axes, by pixel."""
    pixels = K.reshape(x, (axis.taps * count, *shape(x)[2:]))
    places = K.reshape(axis.reads(count), (-1,))
    padded = K.segment_sum(pixels, places, n + 2 * axis.padding)
    return padded[axis.padding : axis.padding + n]


def _check_rank(x: Any, rank: int) -> None:
    if K.rank(x) != rank:
        raise ValueError(
            f"Input must be a {rank}D tensor. Received: input.shape={K.known_shape(x)}"
        )

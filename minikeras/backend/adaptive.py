"""Pooling to a given size: as many windows as are wanted, whatever the input's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.introspection import int_shape
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]

Sizes = int | Sequence[int]


def adaptive_average_pool(
    inputs: Any, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """Return the means of `output_size` windows of nearly equal size.

    Window i of `out` along an axis of n elements goes from ``floor(i n / out)`` to
    ``ceil((i + 1) n / out)``: neighbors may overlap by one element.

    Args:
        inputs: signals, images or volumes.
        output_size: windows along all axes of space, or along each.
        data_format: "channels_last" or "channels_first".

    Shapes:
        inputs: (batch, spatial ..., channels), one to three spatial axes
        returns: (batch, *output_size, channels)

    Raises:
        ValueError: if `inputs` has another rank.
    """

    def mean(windows: Any, inside: Any, axis: int) -> Any:
        behind = range(2, len(windows.shape) - axis)
        inside = engine.cast(inside, windows.dtype)
        share = inside / engine.sum(inside, 1, keepdims=True)
        return engine.sum(windows * engine.expand_dims(share, behind), axis + 1)

    return _pooled("average", mean, inputs, output_size, data_format)


def adaptive_max_pool(
    inputs: Any, output_size: Sizes, data_format: str | None = None
) -> Tensor:
    """Return the largest elements of windows; see `adaptive_average_pool`."""

    def largest(windows: Any, inside: Any, axis: int) -> Any:
        return engine.max(windows, axis + 1)

    return _pooled("max", largest, inputs, output_size, data_format)


def _pooled(
    kind: str,
    reduce: Callable[[Any, Any, int], Any],
    x: Any,
    output_size: Sizes,
    data_format: str | None,
) -> Tensor:
    """Return `x` with each spatial axis cut into windows, which `reduce` makes one."""
    shape = int_shape(x) or ()
    n = len(shape) - 2
    if not 1 <= n <= 3:
        raise ValueError(f"adaptive_{kind}_pool supports only 1D/2D/3D inputs")
    counts = (output_size,) * n if isinstance(output_size, int) else output_size
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, count in enumerate(counts, first):
        reads, inside = _windows(shape[axis] or engine.shape(x)[axis], count)
        x = reduce(engine.take(x, reads, axis), inside, axis)
    return x


def _windows(n: Any, count: int) -> tuple[Any, Any]:
    """Return which elements windows read, and which of these are not repetitions.

    All windows read as many as the longest may have: shorter ones the last repeatedly.
    """
    number = engine.arange(count)
    start, end = number * n // count, ((number + 1) * n + count - 1) // count
    longest = n // count + 2 * engine.minimum(n % count, 1)
    reads = engine.expand_dims(start, 1) + engine.arange(longest)
    end = engine.expand_dims(end, 1)
    return engine.minimum(reads, end - 1), engine.less(reads, end)

"""Fake quantization: floats that could have been integers, with a gradient."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = ["fake_quant_with_min_max_vars"]


def fake_quant_with_min_max_vars(
    inputs: Any,
    min_vals: Any,
    max_vals: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Any:
    """Return `inputs`, clipped to a range and rounded to its levels.

    The range is moved a little, so that 0 is a level. The gradient of what lies in it
    is 1; what lies below or above sends its gradient to `min_vals` or `max_vals`.

    Args:
        inputs: floats.
        min_vals: the lower end, one for all or one for each channel.
        max_vals: the upper end.
        num_bits: there are ``2^num_bits`` levels.
        narrow_range: whether the lowest of them is left out.
        axis: of the channels.

    Source: Jacob et al. 2018, arXiv:1712.05877.
    """
    levels, least = (1 << int(num_bits)) - 1, int(narrow_range)

    @K.custom_gradient
    def quantized(x: Any, low: Any, high: Any) -> Any:
        kind = K.result_type(low.dtype, "float32")
        first, last = (K.cast(_along(end, x, axis), kind) for end in (low, high))
        bottom, top, step, per_unit = _nudged(first, last, levels, least)
        inside = K.clip(K.cast(x, kind), bottom, top) - bottom
        zero = K.floor(0.5 - bottom * per_unit)
        y = K.floor(inside * per_unit - zero + 0.5) * step

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any, Any]:
            g = arguments[0] if upstream is None else upstream
            below, above = K.less_equal(x, bottom), K.greater_equal(x, top)
            held = K.logical_and(K.greater_equal(x, bottom), K.less_equal(x, top))
            to_low, to_high = (
                _summed(K.where(beyond, g, 0), end, axis)
                for beyond, end in ((below, low), (above, high))
            )
            return K.where(held, g, 0), to_low, to_high

        return K.cast(y, x.dtype), gradient

    return quantized(*map(K.convert_to_tensor, (inputs, min_vals, max_vals)))


def _nudged(low: Any, high: Any, levels: int, least: int) -> tuple[Any, ...]:
    """Return a range with 0 on a level, a level's size, and levels per unit."""
    count = levels - least
    step, per_unit = (high - low) / count, count / (high - low)
    zero = K.round(K.clip(least - low / step, least, levels))
    return (least - zero) * step, (levels - zero) * step, step, per_unit


def _along(end: Any, x: Any, axis: int | None) -> Any:
    """Return the ends of channels, in a shape that broadcasts to `x`."""
    if axis is None or not len(end.shape):
        return end
    sizes = [1] * len(x.shape)
    sizes[axis] = -1
    return K.reshape(end, sizes)


def _summed(x: Any, end: Any, axis: int | None) -> Any:
    """Return the sums over all that has one end, in the shape of the ends."""
    n = len(x.shape)
    kept = axis is not None and len(end.shape)
    channels = [axis % n] if kept else []  # type: ignore[operator]
    total = K.sum(x, axis=[i for i in range(n) if i not in channels])
    return K.reshape(total, K.shape(end))

"""Scales and zero points of groups of inputs, as GPTQ and 4-bit blocks have them."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = [
    "compute_quantization_parameters",
    "dequantize_with_sz_map",
    "dequantize_with_zero_point",
    "quantize_with_sz_map",
    "quantize_with_zero_point",
]


def compute_quantization_parameters(
    x: Any,
    *,
    bits: int,
    symmetric: bool = False,
    per_channel: bool = False,
    group_size: int = -1,
    compute_dtype: str = "float32",
    epsilon: float = 0.0,
    signed: bool = False,
) -> tuple[Any, Any, Any]:
    """Return scales, zero points, largest level: ``q = round(x / scale) + zero``.

    Args:
        x: the transposed kernel.
        bits: of a quantized number.
        symmetric: whether the range is made symmetric around 0.
        per_channel: whether each row has a scale of its own.
        group_size: how many inputs share a scale; -1 for all of a row.
        compute_dtype: of the largest level.
        epsilon: added to the range.
        signed: whether quantized numbers lie around 0 instead of above it.

    Shapes:
        x: (outputs, inputs)
        returns: (outputs, groups), (outputs, groups), ()

    Raises:
        ValueError: if `x` is no matrix, or is empty.
    """
    if x is None:
        raise ValueError(f"Input tensor {x} cannot be None.")
    if len(x.shape) < 2:
        raise ValueError(
            f"Input weight tensor {x} must have a rank of at least 2, but got rank "
            f"{len(x.shape)}."
        )
    if 0 in x.shape:
        raise ValueError("Input tensor 'x' cannot be empty.")
    low, high = _ranges(x, per_channel, group_size)
    if symmetric:
        high = K.maximum(K.abs(low), high)
        low = K.where(K.less(low, 0), -high, low)
    empty = K.equal(low, high)
    low, high = K.where(empty, low - 1, low), K.where(empty, high + 1, high)
    levels = 2**bits - 1
    scale = (high - low + epsilon) / levels
    scale = K.where(K.less_equal(scale, 0), 1e-8, scale)
    middle = (levels + 1) / 2
    zero = K.full_like(scale, middle) if symmetric else K.round(-low / scale)
    least, most = (-middle, middle - 1) if signed else (0, 255)
    zero = K.clip(zero - middle if signed else zero, least, most)
    rows = K.ones((x.shape[0], 1))
    scale, zero = scale * K.cast(rows, scale.dtype), zero * K.cast(rows, zero.dtype)
    kind = "int8" if signed else "uint8"
    return scale, K.cast(zero, kind), K.cast(levels, compute_dtype)


def _ranges(weights: Any, per_channel: bool, group_size: int) -> tuple[Any, Any]:
    """Return the least and the largest value of each group: (rows or 1, groups)."""
    x: Any = K.convert_to_tensor(weights)
    rows, inputs = x.shape[:2]
    if not per_channel:
        x = K.reshape(x, (1, 1, -1))
    elif group_size > 0 and inputs > group_size:
        x = K.pad(x, ((0, 0), (0, -inputs % group_size)))
        x = K.reshape(x, (rows, -1, group_size))
    else:
        x = K.reshape(x, (rows, 1, -1))
    return K.min(x, axis=2), K.max(x, axis=2)


def quantize_with_zero_point(
    input_tensor: Any, scale: Any, zero: Any, maxq: Any
) -> Any:
    """Return ``round(x / scale + zero)``, from 0 to `maxq`, still as floats."""
    safe = K.where(K.equal(scale, 0), K.cast(1e-8, scale.dtype), scale)
    return K.clip(K.round(input_tensor / safe + K.cast(zero, scale.dtype)), 0, maxq)


def dequantize_with_zero_point(input_tensor: Any, scale: Any, zero: Any) -> Any:
    """Return ``(q - zero) scale``."""
    return scale * (K.cast(input_tensor, scale.dtype) - K.cast(zero, scale.dtype))


def quantize_with_sz_map(
    weights_matrix: Any,
    scale: Any,
    zero: Any,
    g_idx: Any,
    maxq: Any,
    group_axis: int = -1,
) -> Any:
    """Return a matrix quantized, each column by its group's scale and zero point.

    Args:
        weights_matrix: floats.
        scale: of the groups.
        zero: zero points of the groups.
        g_idx: the number of each column's group.
        maxq: the largest quantized number.
        group_axis: the axis of the groups, and of the columns.
    """
    scale, zero = _spread(g_idx, group_axis, scale, zero)
    return quantize_with_zero_point(weights_matrix, scale, zero, maxq)


def dequantize_with_sz_map(
    weights_matrix: Any, scale: Any, zero: Any, g_idx: Any, group_axis: int = -1
) -> Any:
    """Return the floats of a matrix that `quantize_with_sz_map` has quantized."""
    scale, zero = _spread(g_idx, group_axis, scale, zero)
    return dequantize_with_zero_point(weights_matrix, scale, zero)


def _spread(g_idx: Any, axis: int, *of_groups: Any) -> list[Any]:
    places = K.cast(g_idx, "int32")
    return [K.take(x, places, axis=axis) for x in of_groups]

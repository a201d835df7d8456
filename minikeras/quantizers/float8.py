"""Training in 8-bit floats: rounding to them, and scales that follow the values."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = [
    "FLOAT8_MAX",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "quantize_and_dequantize",
    "to_few_bits",
]

# Of each format: the largest number, the bits of the fraction, and the least exponent.
_FORMATS = {"float8_e4m3fn": (448.0, 3, -6), "float8_e5m2": (57344.0, 2, -14)}
FLOAT8_MAX = {name: largest for name, (largest, _, _) in _FORMATS.items()}


def compute_float8_scale(amax: Any, scale: Any, dtype_max: Any, margin: int = 0) -> Any:
    """Return the scale by which values up to `amax` fit a format.

    Args:
        amax: the largest value of late; if it is 0 or not finite, the scale stays.
        scale: the scale so far, by which values are divided.
        dtype_max: the largest number of the format.
        margin: how many powers of two to leave free.

    Source: NVIDIA's Transformer Engine, ``update_fp8_metas``.
    """
    known = K.logical_and(K.greater(amax, 0.0), K.isfinite(amax))
    fitting = dtype_max / K.where(known, amax, 1.0) / 2**margin
    return 1.0 / K.where(known, fitting, 1.0 / scale)


def compute_float8_amax_history(x: Any, amax_history: Any) -> Any:
    """Return the history of largest values, with that of `x` in the first place."""
    latest = K.cast(K.max(K.abs(x)), amax_history.dtype)
    rest = K.roll(amax_history, -1)[1:]
    return K.concatenate([K.reshape(latest, (1,)), rest], axis=0)


def quantize_and_dequantize(
    inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str
) -> Any:
    """Return `inputs` as 8-bit floats would hold them, after a division by `scale`.

    Args:
        inputs: floats.
        scale: how many times smaller they are kept.
        quantized_dtype: ``"float8_e4m3fn"`` or ``"float8_e5m2"``.
        compute_dtype: of the result.
    """
    largest, digits, least = _FORMATS[str(quantized_dtype)]
    scale = K.cast(scale, compute_dtype)
    x = K.clip(K.cast(inputs, compute_dtype) / scale, -largest, largest)
    return to_few_bits(x, digits, least) * scale


def to_few_bits(x: Any, digits: int, least: int) -> Any:
    """Return floats rounded to a fraction of `digits` bits.

    Args:
        x: floats.
        digits: bits of the fraction, the leading one not counted.
        least: the exponent below which numbers have fewer of them.
    """
    size = K.maximum(K.abs(x), 2.0**least)
    step = K.power(K.cast(2.0, x.dtype), K.floor(K.log2(size)) - digits)
    return K.round(x / step) * step

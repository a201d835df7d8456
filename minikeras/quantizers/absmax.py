"""Floats as small integers and a scale: what is largest becomes the largest integer."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K

__all__ = [
    "AbsMaxQuantizer",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
]

Range = tuple[int, int]


class Quantizer(K.Configured):
    """Base of quantizers: functions from floats to integers and their scale.

    Args:
        output_dtype: of the integers.
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """Return `x` quantized; here, as it is."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it.

        Raises:
            NotImplementedError: in a subclass which does not say what these are.
        """
        raise NotImplementedError(f"{self} does not implement get_config()")


class AbsMaxQuantizer(Quantizer):
    """``q = round(x scale)`` with ``scale = largest integer / largest |x|``.

    Args:
        axis: along which the largest value counts; may be said in the call instead.
        value_range: the least and the largest integer.
        epsilon: added to the largest |x|, which may be 0.
        output_dtype: of the integers.

    Raises:
        ValueError: if int8 does not hold `value_range`.
    """

    def __init__(
        self,
        axis: int | tuple[int, ...] | None = None,
        value_range: Range = (-127, 127),
        epsilon: float = K.epsilon(),
        output_dtype: str = "int8",
    ) -> None:
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else axis and tuple(axis)
        self.value_range = value_range
        self.epsilon = epsilon
        if output_dtype == "int8" and (value_range[0] < -128 or value_range[1] > 127):
            raise ValueError(
                "Quantizer with output_dtype='int8' requires value_range to be within "
                f"the interval [-128, 127]. Received: value_range={value_range}"
            )

    def __call__(
        self, x: Any, axis: int | tuple[int, ...] | None = None, to_numpy: bool = False
    ) -> tuple[Any, Any]:
        """Return integers, and the scale with size 1 along `axis`.

        Args:
            x: floats.
            axis: by default that of the quantizer, else the last one.
            to_numpy: accepted, as in Keras.
        """
        along = next(a for a in (axis, self.axis, -1) if a is not None)
        return abs_max_quantize(
            x, along, self.value_range, self.output_dtype, self.epsilon, to_numpy
        )

    def get_config(self) -> dict[str, Any]:
        names = ("value_range", "epsilon", "output_dtype")
        config = {name: getattr(self, name) for name in names}
        return config if self.axis is None else {**config, "axis": self.axis}


def abs_max_quantize(
    inputs: Any,
    axis: int | tuple[int, ...],
    value_range: Range = (-127, 127),
    dtype: str = "int8",
    epsilon: float = K.epsilon(),
    to_numpy: bool = False,
) -> tuple[Any, Any]:
    """Return integers and their scale: ``q = round(x scale)``, with one scale an axis.

    Args:
        inputs: floats.
        axis: along which one scale serves all.
        value_range: the least and the largest integer.
        dtype: of the integers.
        epsilon: added to the largest |x|, which may be 0.
        to_numpy: accepted, as in Keras.
    """
    x = K.convert_to_tensor(inputs)
    largest = K.max(K.abs(x), axis=axis, keepdims=True)
    scale = K.cast(value_range[1] / (largest + epsilon), x.dtype)
    return K.cast(K.clip(K.round(x * scale), *value_range), dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: Range = (-8, 7),
    dtype: str = "int8",
    epsilon: float = K.epsilon(),
    to_numpy: bool = False,
) -> tuple[Any, Any, Any]:
    """Return integers, scales and zero points: ``q = round(x / scale) + zero``.

    Each block of rows, in each column, has a scale and a zero point of its own.

    Args:
        inputs: floats.
        block_size: rows in a block; the last one may have fewer, and counts as if it
            ended in zeros.
        value_range: the least and the largest integer.
        dtype: of the integers.
        epsilon: added to the range, which may be 0.
        to_numpy: accepted, as in Keras.

    Shapes:
        inputs: (rows, columns)
        returns: (rows, columns), (blocks, columns), (blocks, columns)
    """
    low, high = value_range
    x: Any = K.convert_to_tensor(inputs)
    rows, columns = x.shape
    blocks = math.ceil(rows / block_size)
    padded = K.pad(x, ((0, blocks * block_size - rows), (0, 0)))
    grouped = K.reshape(padded, (blocks, block_size, columns))
    least, most = (f(grouped, axis=1, keepdims=True) for f in (K.min, K.max))
    scale = (most - least + epsilon) / (high - low)
    zero = K.clip(K.round(-least / scale) + low, low, high)
    found = K.clip(K.round(grouped / scale) + zero, low, high)
    whole = K.reshape(K.cast(found, dtype), (blocks * block_size, columns))[:rows]
    return whole, K.squeeze(scale, 1), K.cast(K.squeeze(zero, 1), "int8")

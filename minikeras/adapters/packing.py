"""How a weight is kept in few bits: as integers, scales and zero points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.adapters.forms import Form
from minikeras.quantizers import (
    AbsMaxQuantizer,
    QuantizationConfig,
    abs_max_quantize_grouped_with_zero_point,
    dequantize_with_sz_map,
    pack_int4,
    unpack_int4,
)

__all__ = ["Int4", "Int8", "Packing"]


class Packing:
    """Base of packings: from a weight to its parts, and back.

    Args:
        layer: whose weight it is.
        form: what the layer does with the weight.
        shape: of the weight.

    Attributes:
        names: of the parts; the first is that of the weight.
        by_row: how many of the parts have a row for each row of the weight.
        value_range: the least and the largest integer.
    """

    by_row = 2
    value_range = (-127, 127)

    def __init__(self, layer: Any, form: Form, shape: Sequence[int]) -> None:
        self.layer = layer
        self.form = form
        self.shape = tuple(shape)
        self.names = [form.name, f"{form.name}_scale"]

    def encode(self, weight: Any) -> list[Any]:
        """Return the parts of a weight."""
        raise NotImplementedError

    def decode(self, *parts: Any) -> Any:
        """Return the weight of these parts, nearly what was encoded."""
        raise NotImplementedError

    def integers(self, *parts: Any) -> Any:
        """Return the integers among these parts, one for each number."""
        return parts[0]

    def quantizer(self, axis: Any) -> Any:
        """Return what quantizes weights: the config's, or one for largest values."""
        config = self.layer.quantization_config
        own = AbsMaxQuantizer(axis=axis, value_range=self.value_range)
        return QuantizationConfig.weight_quantizer_or_default(config, own)

    def _floats(self, integers: Any) -> Any:
        return K.cast(integers, self.layer.compute_dtype)


class Int8(Packing):
    """An integer for each number, and a scale for each output."""

    def encode(self, weight: Any) -> list[Any]:
        integers, scale = self.quantizer(self.form.reduced(self.layer))(weight)
        return [integers, self.form.stored(self.layer, scale)]

    def decode(self, *parts: Any) -> Any:
        integers, scale = parts
        return self._floats(integers) / self.form.spread(self.layer, scale)


class Int4(Packing):
    """Two integers in a byte, of a matrix; a scale for each output, or each block.

    Args:
        layer: whose weight it is.
        form: what the layer does with the weight.
        shape: of the weight.
        block: how many inputs share a scale and a zero point; None: all, and there are
            no zero points.
    """

    value_range = (-8, 7)

    def __init__(
        self, layer: Any, form: Form, shape: Sequence[int], block: int | None
    ) -> None:
        super().__init__(layer, form, shape)
        reduced = form.reduced(layer)
        if form.axis:
            self.rows, self.columns = self.shape
        else:
            self.rows = math.prod(self.shape[i] for i in reduced)
            self.columns = math.prod(self.shape) // self.rows
        self.block = block if block and block > 0 else None
        if self.block:
            self.names += [f"{form.name}_zero", "g_idx"]
            self.by_row = 3
        self.count = self.columns if form.paired else self.rows

    def encode(self, weight: Any) -> list[Any]:
        axis = self.form.axis
        matrix = K.reshape(weight, (self.rows, self.columns))
        if not self.block:
            integers, scale = self.quantizer(axis)(matrix)
            return [self._paired(integers), K.squeeze(scale, axis)]
        turned = K.transpose(matrix) if axis else matrix
        parts = abs_max_quantize_grouped_with_zero_point(turned, self.block)
        integers, *groups = [K.transpose(p) if axis else p for p in parts]
        inputs = K.arange(self.columns if axis else self.rows, dtype="float32")
        return [self._paired(integers), *groups, K.floor(inputs / self.block)]

    def _paired(self, integers: Any) -> Any:
        return pack_int4(integers, self.form.paired)[0]

    def integers(self, *parts: Any) -> Any:
        matrix = unpack_int4(parts[0], self.count, self.form.paired)
        return matrix if self.form.axis else K.reshape(matrix, self.shape)

    def decode(self, *parts: Any) -> Any:
        packed, scale, *more = parts
        axis = self.form.axis
        integers = self._floats(unpack_int4(packed, self.count, self.form.paired))
        if self.block:
            zero, groups = more
            matrix = dequantize_with_sz_map(integers, scale, zero, groups, axis)
        else:
            matrix = integers / K.expand_dims(scale, axis)
        return matrix if axis else K.reshape(matrix, self.shape)

"""A weight that an algorithm quantizes by looking at data: until then it stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.adapters.forms import Form
from minikeras.adapters.packing import Packing
from minikeras.quantizers import dequantize_with_sz_map, pack_int4, unpack_int4

__all__ = ["Calibrated"]


class Calibrated(Packing):
    """Levels from 0 up, of the transposed matrix, two in a byte if they have 4 bits.

    Args:
        layer: whose weight it is.
        form: what the layer does with the weight.
        shape: of the weight.
        mode: ``"gptq"`` or ``"awq"``; the latter has a factor for each input.
        bits: of a level.
        group: how many inputs share a scale and a zero point; -1 for all.
    """

    def __init__(
        self,
        layer: Any,
        form: Form,
        shape: Sequence[int],
        mode: str,
        bits: int,
        group: int,
    ) -> None:
        super().__init__(layer, form, shape)
        name = form.name
        self.mode, self.bits = mode, bits
        self.rows, self.columns = form.matrix(layer, self.shape)
        self.groups = 1 if group == -1 else math.ceil(self.rows / group)
        factors = ["awq_scales"] if mode == "awq" else []
        self.names = [
            f"quantized_{name}",
            f"{name}_scale",
            f"{name}_zero",
            *factors,
            "g_idx",
        ]

    @property
    def done(self) -> bool:
        """Whether the weight is quantized: an attribute of the layer says so."""
        return getattr(self.layer, f"is_{self.mode}_calibrated")

    @done.setter
    def done(self, value: bool) -> None:
        setattr(self.layer, f"is_{self.mode}_calibrated", value)

    @property
    def waits(self) -> bool:
        """Whether the layer still computes by the weight as it was."""
        return not self.done and self.layer.kept_weight is not None

    def encode(self, weight: Any) -> list[Any]:
        """Return the parts as they are before there is anything in them."""
        kept = (self.columns + 1) // 2 if self.bits == 4 else self.columns
        of_groups = (self.columns, self.groups)
        factors = [K.ones((self.rows,))] if self.mode == "awq" else []
        return [
            K.zeros((kept, self.rows), "uint8"),
            K.ones(of_groups),
            K.zeros(of_groups, "uint8"),
            *factors,
            K.zeros((self.rows,)),
        ]

    def packed(self, integers: Any) -> Any:
        """Return levels as they are kept."""
        levels = K.cast(integers, "uint8")
        return pack_int4(levels, 0, "uint8")[0] if self.bits == 4 else levels

    def integers(self, *parts: Any) -> Any:
        if self.waits:
            return self.layer.kept_weight.value
        if self.bits != 4:
            return parts[0]
        return unpack_int4(parts[0], self.columns, 0, "uint8")

    def decode(self, *parts: Any) -> Any:
        if self.waits:
            return self.layer.kept_weight.value
        _, scale, zero, *factors, groups = parts
        matrix = dequantize_with_sz_map(self.integers(*parts), scale, zero, groups)
        matrix = matrix / factors[0] if factors else matrix
        return self._floats(K.reshape(K.transpose(matrix), self.shape))

"""A loop's operands in memory: where the open loops have come to, and what is there."""

from __future__ import annotations

import copy

import numpy as np

from minikeras.engine.loops import Loop
from minikeras.engine.native.function import Function
from minikeras.engine.native.memory import advance, load, store
from minikeras.engine.native.values import DType, Value

__all__ = ["INT64", "Operands"]

INT64 = np.dtype(np.int64)

# Beginnings of operands that stay at hand. Where there are more, each is fetched when
# it is needed: LLVM would come to the same, after long trials.
REGISTERS = 12


class Operands:
    """Reads and writes operands.

    Those of the same strides have come equally far, so one number says how far: the
    elements of memory between an operand's beginning and the row at hand.
    """

    def __init__(self, loop: Loop, code: Function) -> None:
        self._code = code
        self._operands = loop.operands
        known = loop.places or (None,) * len(loop.operands)
        self._places = [place or (i, 0) for i, place in enumerate(known)]
        first = sorted({number for number, _ in self._places})
        at_hand = first if len(first) <= REGISTERS else ()
        self._bases = {number: code.argument(number) for number in at_hand}
        zero = code.constant(0, INT64)
        self._offsets = dict.fromkeys((strides for _, strides in loop.operands), zero)

    def along(self, d: int, index: Value) -> Operands:
        """Return the operands `index` steps further in dimension `d`."""
        there = copy.copy(self)
        there._offsets = {
            strides: self._further(offset, index, strides[d])
            for strides, offset in self._offsets.items()
        }
        return there

    def _further(self, offset: Value, index: Value, stride: int) -> Value:
        if stride == 0 or index.text == "0":
            return offset
        steps = index * stride if stride != 1 else index
        return steps if offset.text == "0" else offset + steps

    def _pointer(self, number: int, index: Value) -> str:
        """Return a pointer to element `index` of operand `number`'s row."""
        dtype, strides = self._operands[number]
        offset = self._further(self._offsets[strides], index, strides[-1])
        first, apart = self._places[number]
        base = self._bases.get(first) or self._code.argument(first)
        pointer = advance(self._code, base, dtype, offset)
        return advance(self._code, pointer, dtype, self._code.constant(apart, INT64))

    def read(
        self,
        number: int,
        dtype: DType,
        index: Value,
        lanes: int,
        mask: Value | None,
    ) -> Value:
        """Return a row's elements from `index` on; no lanes: that one number."""
        memory, strides = self._operands[number]
        pointer = self._pointer(number, index)
        if not lanes or strides[-1] == 0:
            one = load(self._code, pointer, memory, 1, 0, None)
            return one.cast(dtype).splat(lanes)
        return load(self._code, pointer, memory, strides[-1], lanes, mask).cast(dtype)

    def write(
        self, number: int, value: Value, index: Value, mask: Value | None
    ) -> None:
        """Set a row's elements from `index` on."""
        memory, strides = self._operands[number]
        pointer = self._pointer(number, index)
        store(self._code, value.cast(memory), pointer, strides[-1], mask)

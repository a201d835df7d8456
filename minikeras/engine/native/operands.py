"""A loop's operands in memory: where the open loops have come to, and what is there."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from minikeras.engine.loops import Loop
from minikeras.engine.native.ir import Function, Value

__all__ = ["INT64", "Operands"]

INT64 = np.dtype(np.int64)


class Operands:
    """Reads and writes operands.

    Those of the same strides have come equally far, so one number says how far: the
    elements of memory between an operand's beginning and the row at hand.
    """

    def __init__(self, loop: Loop, code: Function) -> None:
        self._code = code
        self._operands = loop.operands
        self._bases = [code.argument(number) for number in range(len(loop.operands))]
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
        return self._code.advance(self._bases[number], dtype, offset)

    def read(
        self,
        number: int,
        dtype: np.dtype[Any],
        index: Value,
        lanes: int,
        mask: Value | None,
    ) -> Value:
        """Return a row's elements from `index` on; no lanes: that one number."""
        memory, strides = self._operands[number]
        stride = strides[-1]
        pointer = self._pointer(number, index)
        if not lanes or stride == 0:
            return self._code.load(pointer, memory, 0, None).cast(dtype).splat(lanes)
        if stride == 1 or lanes == 1:
            return self._code.load(pointer, memory, lanes, mask).cast(dtype)
        return self._code.gather(pointer, memory, stride, lanes, mask).cast(dtype)

    def write(
        self, number: int, value: Value, index: Value, mask: Value | None
    ) -> None:
        """Set a row's elements from `index` on."""
        memory, strides = self._operands[number]
        stride = strides[-1]
        pointer = self._pointer(number, index)
        value = value.cast(memory)
        if stride == 1 or value.lanes <= 1:
            self._code.store(value, pointer, mask)
        else:
            self._code.scatter(value, pointer, stride, mask)

"""Loops written by hand, instruction by instruction."""

from __future__ import annotations

import numpy as np

from minikeras.engine.loops import Instruction, Loop


class LoopWriter:
    """Writes a loop over `sizes`; who extends it says where its operands lie."""

    def __init__(self, sizes, seed=0):
        self.sizes = tuple(sizes)
        self.rng = np.random.default_rng(seed)
        self.operands, self.instructions = [], []

    def emit(self, name, *inputs, dtype=None, attribute=None, per_row=None):
        if per_row is None:
            per_row = all(self.instructions[i].per_row for i in inputs)
        if dtype is None:
            dtype = self.instructions[inputs[-1]].dtype
        step = Instruction(name, inputs, np.dtype(dtype), attribute, per_row)
        self.instructions.append(step)
        return len(self.instructions) - 1

    def load(self, k):
        dtype, strides = self.operands[k]
        row = strides[-1] == 0
        return self.emit("load", dtype=dtype, attribute=k, per_row=row)

    def constant(self, number, dtype: np.typing.DTypeLike = "float32"):
        number = np.dtype(dtype).type(number)
        return self.emit("constant", dtype=dtype, attribute=number)

    def reduce(self, ufunc, x):
        return self.emit("reduce", x, attribute=ufunc, per_row=True)

    def store(self, x, k):
        self.emit("store", x, attribute=k)

    def accumulate(self, ufunc, x, k):
        self.emit("accumulate", x, attribute=(ufunc, k))

    @property
    def loop(self):
        return Loop(self.sizes, tuple(self.operands), tuple(self.instructions))

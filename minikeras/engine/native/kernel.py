"""Kernels: compiled loops, and what they are bound to.

Compiling is done for many loops at a time, and once for loops that differ only in
their outermost size: a last, smaller batch needs no other machine code.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from minikeras.engine.loops import Loop, processors
from minikeras.engine.native import dispatch, jit
from minikeras.engine.native.dispatch import Call
from minikeras.engine.native.nest import FUNCTION, write
from minikeras.engine.native.parts import Partial, nanoseconds, partials, rows_in_part
from minikeras.engine.native.schedule import canonical

__all__ = ["Kernel", "build"]

# Loops that take so many nanoseconds let other threads of Python run meanwhile.
LONG = 20e3


class Code(NamedTuple):
    """Machine code: ``void function(const ptr *operands, i64 start, i64 stop, case)``.

    Attributes:
        function: its address.
        case: which of its loops to do.
    """

    function: int
    case: int


class Kernel:
    """A compiled loop.

    Attributes:
        loop: what it does.
        code: the machine code.
        merges: what brings together the totals of its parts, if it has parts.
    """

    def __init__(
        self, loop: Loop, code: Code, merges: Sequence[tuple[Partial, Code]]
    ) -> None:
        self.loop = loop
        self.code = code
        self.merges = merges
        self._rows = rows_in_part(loop)
        self._long = nanoseconds(loop) > LONG

    def bind(
        self, arrays: Sequence[np.ndarray], start: int = 0, stop: int | None = None
    ) -> Callable[[], None]:
        """Return a function without arguments that does the loop on these arrays.

        A loop that is long enough is shared among threads along its outermost
        dimension, in parts that its sizes decide: the results have the same bits
        for any number of threads.

        Args:
            arrays: the operands; element 0 of each is where the loop begins.
            start: where in the outermost dimension to begin; in a loop's only
                dimension, a multiple of 64.
            stop: before what to end, likewise; by default, the dimension's size.

        Raises:
            TypeError: if an array's dtype is not the operand's.
            ValueError: if the only dimension is cut within a vector.
        """
        wanted = [operand.dtype for operand in self.loop.operands]
        found = [array.dtype for array in arrays]
        if found != wanted:
            raise TypeError(f"kernel: operands are {wanted}, got {found}")
        stop = self.loop.sizes[0] if stop is None else stop
        if len(self.loop.sizes) == 1 and (
            start % 64 or (stop % 64 and stop < self.loop.sizes[0])
        ):
            raise ValueError(f"kernel: {start} to {stop} does not cut at 64 elements")
        rows = self._rows
        if not self.merges and processors() == 1:
            rows = self.loop.sizes[0]
        begins = range(start, stop, rows) if start < stop else range(start, start + 1)
        bases = np.array([array.ctypes.data for array in arrays], np.int64)
        pointers = np.tile(bases, (len(begins), 1))
        function, case = self.code
        calls = [
            Call(function, row.ctypes.data, begin, min(begin + rows, stop), case)
            for begin, row in zip(begins, pointers, strict=True)
        ]
        after, buffers = self._merge(pointers) if len(begins) > 1 else ([], [])
        owner = (self, pointers, buffers, *arrays)
        return dispatch.bind(calls, after, owner, self._long)

    def call(self, arrays: Sequence[np.ndarray]) -> tuple[Call, object]:
        """Return the call that does all of the loop, and what must live as long."""
        pointers = np.array([array.ctypes.data for array in arrays], np.int64)
        function, case = self.code
        call = Call(function, pointers.ctypes.data, 0, self.loop.sizes[0], case)
        return call, (self, pointers, *arrays)

    def _merge(self, pointers: np.ndarray) -> tuple[list[Call], list[np.ndarray]]:
        """Let each part, a row of `pointers`, have its own totals.

        Returns:
            What brings them together, and what they are in.
        """
        calls, buffers = [], []
        parts = len(pointers)
        for partial, code in self.merges:
            dtype = self.loop.operands[partial.operand].dtype
            totals = np.empty((parts, partial.span), dtype)
            column = pointers[:, partial.operand]
            ends = np.array([totals[0, partial.first :].ctypes.data, column[0]])
            column[:] = ends[0] + np.arange(parts) * totals.strides[0]
            calls.append(Call(code.function, ends.ctypes.data, 0, parts, code.case))
            buffers += [totals, ends]
        return calls, buffers


_lock = threading.Lock()
_known: dict[Hashable, Code] = {}


def build(loops: Sequence[Loop]) -> list[Kernel]:
    """Compile loops, all of which `supports` must approve of, in one go.

    What has been compiled before, by any call, is not compiled again.
    """
    merges = [partials(loop) for loop in loops]
    every = [*loops, *(partial.merge for found in merges for partial in found)]
    shapes = {_key(shape): shape for shape in map(canonical, every)}
    with _lock:
        new = [key for key in shapes if key not in _known]
        if new:
            text = write([shapes[key] for key in new], jit.host())
            (address,) = jit.compile_module(text, [FUNCTION])
            _known.update((key, Code(address, i)) for i, key in enumerate(new))
    return [
        Kernel(
            loop, _code(loop), [(partial, _code(partial.merge)) for partial in found]
        )
        for loop, found in zip(loops, merges, strict=True)
    ]


def _code(loop: Loop) -> Code:
    return _known[_key(canonical(loop))]


def _key(loop: Loop) -> Hashable:
    """Return what tells loops apart, also 0.0 from -0.0 and 1 from True."""
    numbers = tuple(
        np.asarray(i.attribute, i.dtype).tobytes()
        for i in loop.instructions
        if i.name == "constant"
    )
    return loop, numbers

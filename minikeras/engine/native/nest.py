"""From a loop to the text of a function: nested loops, and rows within them.

The function is ``void(const ptr *operands, i64 start, i64 stop, i64 case)``: it does a
range of the outermost dimension of the loop that `case` chooses. Totals over all
dimensions stay in registers from the first element to the last; other totals are
brought together in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from minikeras.engine.loops import Instruction, Loop
from minikeras.engine.native.function import Function, State
from minikeras.engine.native.jit import Host
from minikeras.engine.native.memory import advance, load, store
from minikeras.engine.native.operands import INT64, Operands
from minikeras.engine.native.schedule import Pass, once_per_row, schedule
from minikeras.engine.native.totals import Total
from minikeras.engine.native.ufuncs import UFUNCS
from minikeras.engine.native.values import Value, where

__all__ = ["FUNCTION", "write"]

FUNCTION = "loops"
HEADER = f"define void @{FUNCTION}(ptr %operands, i64 %start, i64 %stop, i64 %case)"
# Numbers that LLVM's short way can cope with, see `Function`.
PLAIN = frozenset(("f4", "f8", "i4", "i8", "u4", "u8", "b1"))

INT32 = np.dtype(np.int32)

# Totals under way, by the instruction that makes them.
States = dict[int, State]


def write(loops: Sequence[Loop], host: Host) -> str:
    """Return a module whose function does any of the loops.

    Args:
        loops: what `canonical` returned.
        host: the processor.
    """
    code = Function(HEADER, host, host.masks and all(map(_is_plain, loops)))
    for loop in loops:
        code.begin_case()
        _Nest(loop, host, code).write()
        code.end_case()
    return code.text()


def _is_plain(loop: Loop) -> bool:
    """Return whether the processor has instructions for all that a loop does.

    What it cannot do with a whole vector LLVM takes apart, lane by lane.
    """
    parts = (*loop.operands, *loop.instructions)
    apart = any(
        o.dtype.itemsize < 4 and o.strides[-1] not in (0, 1) for o in loop.operands
    )
    rounded = any(i.name == "half" for i in loop.instructions)
    return {part.dtype.str[1:] for part in parts} <= PLAIN and not (apart or rounded)


class _Nest:
    """Writes one loop.

    Attributes:
        values: by instruction, what is computed outside the loops over elements.
        spread: those of them that are wanted in all lanes, in all lanes.
        indices: of the loops that are open, each with its first index.
        operands: where the open loops have come to.
    """

    def __init__(self, loop: Loop, host: Host, code: Function) -> None:
        self.loop = loop
        self.code = code
        self.schedule = schedule(loop, host)
        self.last = len(loop.sizes) - 1
        self.values: dict[int, Value] = {}
        self.spread: dict[int, Value] = {}
        self.buffers: dict[int, str] = {}
        self.indices: list[tuple[Value, Value]] = []
        self.operands = Operands(loop, code)
        self.bounds = [
            (Value(self.code, "%start", INT64, 0), Value(self.code, "%stop", INT64, 0)),
            *((self._integer(0), self._integer(size)) for size in loop.sizes[1:]),
        ]
        self.roots = [
            i
            for i, instruction in enumerate(loop.instructions)
            if instruction.name in ("accumulate", "store")
        ]

    def write(self) -> None:
        """Write all of it."""
        states: States = {}
        for i in self.roots:
            if self._in_registers(i):
                lanes = 0 if self._once(i) else self.schedule.lanes
                states[i] = self._total(i).start(self.code, lanes)
        states = self._dimension(0, states)
        for i, state in states.items():
            self._finish(i, state)

    def _integer(self, number: int) -> Value:
        return self.code.constant(number, INT64)

    # ----------------------------------------------------------------- totals

    def _in_registers(self, i: int) -> bool:
        """Return whether instruction `i` is a total that needs no memory until the end.

        That is one number, or one per element of a row that is a vector.
        """
        instruction = self.loop.instructions[i]
        if instruction.name != "accumulate":
            return False
        *outer, inner = self.loop.operands[instruction.attribute[1]].strides
        return not any(outer) and (inner == 0 or self.schedule.flat)

    def _total(self, i: int) -> Total:
        instruction = self.loop.instructions[i]
        ufunc = instruction.attribute
        if instruction.name == "accumulate":
            ufunc = ufunc[0]
        row = self.loop.sizes[-1] if self.last else 1 << 30
        long = self._in_registers(i) or row > 64 * self.schedule.lanes
        return Total(ufunc, instruction.dtype, long)

    def _finish(self, i: int, state: State) -> None:
        """Store a total that was in registers."""
        operand = self.loop.instructions[i].attribute[1]
        total = self._total(i)
        if self.loop.operands[operand].strides[-1] == 0:
            state = total.fold(state)
        mask = self._row_mask()
        self.operands.write(operand, total.result(state), self._integer(0), mask)

    def _bring_together(
        self, i: int, value: Value, index: Value, mask: Value | None
    ) -> None:
        """Add to a total in memory, or begin it."""
        ufunc, operand = self.loop.instructions[i].attribute
        strides = self.loop.operands[operand].strides
        begun = [
            index.equals(begin)
            for (index, begin), stride in zip(self.indices, strides, strict=False)
            if stride == 0
        ]
        if begun:
            first = begun[0]
            for other in begun[1:]:
                first = first & other
            old = self.operands.read(operand, value.dtype, index, value.lanes, mask)
            value = where(first, value, UFUNCS[ufunc].formula(old, value))
        self.operands.write(operand, value, index, mask)

    def _row_mask(self) -> Value | None:
        """Return which lanes a flat row fills, None if all."""
        length, lanes = self.loop.sizes[-1], self.schedule.lanes
        if not self.schedule.flat or length == lanes:
            return None
        return self.code.first_lanes(length, lanes)

    # ------------------------------------------------------------------ loops

    def _dimension(self, d: int, states: States) -> States:
        """Write the loops over dimension `d` and those inside it."""
        for i in self.schedule.levels[d]:
            self._compute_outside(i)
        if d == self.last:
            return self._row(states)
        begin, end = self.bounds[d]
        outside = self.operands

        def body(index: Value, states: States) -> States:
            self.indices.append((index, begin))
            self.operands = outside.along(d, index)
            states = self._dimension(d + 1, states)
            self.indices.pop()
            self.operands = outside
            return states

        return self.code.loop(begin, end, 1, states, body)

    def _row(self, states: States) -> States:
        """Write what is done for one row."""
        zero = self._integer(0)
        totals = [i for i in self.roots if self._per_row_in_memory(i)]
        for i in totals:
            states[i] = self._total(i).start(self.code, self.schedule.lanes)
        if self.schedule.flat:
            self._flat_row(states)
        for p in self.schedule.passes:
            states = self._pass(p, states)
        for i in totals:
            total = self._total(i)
            value = total.result(total.fold(states.pop(i)))
            self._bring_together(i, value, zero, None)
        for i in filter(self._once, self.roots):
            (source,) = self.loop.instructions[i].inputs
            self._end(i, self.values[source], zero, None, states)
        return states

    def _flat_row(self, states: States) -> None:
        """Write what becomes of the values of a row that is one vector."""
        zero, mask = self._integer(0), self._row_mask()
        for i in self.roots:
            if not self._once(i):
                (source,) = self.loop.instructions[i].inputs
                value = self._in_lanes(source, self.values)
                self._end(i, value, zero, mask, states)

    def _once(self, i: int) -> bool:
        return once_per_row(self.loop, i)

    def _per_row_in_memory(self, i: int) -> bool:
        """Return whether `i` adds up a row's elements to bring that to memory."""
        instruction = self.loop.instructions[i]
        if instruction.name != "accumulate" or self._in_registers(i) or self._once(i):
            return False
        return self.loop.operands[instruction.attribute[1]].strides[-1] == 0

    def _end(
        self, i: int, value: Value, index: Value, mask: Value | None, states: States
    ) -> None:
        """Write an instruction that yields no value."""
        instruction = self.loop.instructions[i]
        if instruction.name == "store":
            self.operands.write(instruction.attribute, value, index, mask)
        elif i in states:
            states[i] = self._total(i).add(states[i], value, mask)
        else:
            self._bring_together(i, value, index, mask)

    def _pass(self, p: Pass, states: States) -> States:
        """Write one pass over the elements of a row, and what must come before it."""
        for i in p.before:
            self._compute_outside(i)
        if not p.elements:
            return states
        for i in p.keep:
            self._buffer(i)
        totals = [i for i in p.elements if self.loop.instructions[i].name == "reduce"]
        for i in totals:
            states[i] = self._total(i).start(self.code, self.schedule.lanes)
        states = self._elements(partial(self._vector, p), states)
        for i in totals:
            total = self._total(i)
            self._keep_outside(i, total.result(total.fold(states.pop(i))))
        return states

    def _buffer(self, i: int) -> None:
        lanes = self.schedule.lanes
        size = -(-self.loop.sizes[-1] // lanes) * lanes
        dtype = self.loop.instructions[i].dtype
        self.buffers[i] = self.code.buffer(size * dtype.itemsize)

    def _elements(
        self,
        body: Callable[[Value | None, Value, States], States],
        states: States,
    ) -> States:
        """Write a loop over a row's vectors, and what is left as a part of one."""
        code, lanes, size = self.code, self.schedule.lanes, self.loop.sizes[-1]
        begin, end = self.bounds[self.last]
        parted = size % lanes != 0
        if self.schedule.split or not parted:
            if self.last:
                whole = self._integer(size - size % lanes)
            else:
                whole = begin + ((end - begin) & -lanes)
            states = code.loop(begin, whole, lanes, states, partial(body, None))
            begin = whole
        if not parted:
            return states
        if self.last and size - int(begin.text) <= lanes:
            return body(code.first_lanes(size % lanes, lanes), begin, states)

        def part(index: Value, states: States) -> States:
            left = (end - index).cast(INT32).splat(lanes)
            mask = code.sequence(1, INT32, lanes) < left
            return body(mask, index, states)

        return code.loop(begin, end, lanes, states, part)

    def _vector(
        self, p: Pass, mask: Value | None, index: Value, states: States
    ) -> States:
        """Write a pass's instructions for the vector that begins at `index`."""
        code, lanes = self.code, self.schedule.lanes
        states = dict(states)
        found: dict[int, Value] = {}
        for i in p.kept:
            dtype = self.loop.instructions[i].dtype
            at = advance(code, self.buffers[i], dtype, index)
            found[i] = load(code, at, dtype, 1, lanes, None)
        for i in p.elements:
            instruction = self.loop.instructions[i]
            inputs = [self._in_lanes(x, found) for x in instruction.inputs]
            if instruction.name in ("reduce", "store", "accumulate"):
                self._end(i, inputs[0], index, mask, states)
            else:
                found[i] = self._compute(instruction, inputs, index, lanes, mask)
            if i in p.keep:
                at = advance(code, self.buffers[i], instruction.dtype, index)
                store(code, found[i], at, 1, None)
        return states

    # ----------------------------------------------------------- instructions

    def _in_lanes(self, i: int, found: dict[int, Value]) -> Value:
        return self.spread[i] if self.loop.instructions[i].per_row else found[i]

    def _keep_outside(self, i: int, value: Value) -> None:
        self.values[i] = value
        if i in self.schedule.spread:
            self.spread[i] = value.splat(self.schedule.lanes)

    def _compute_outside(self, i: int) -> None:
        """Write an instruction outside the loops over elements."""
        instruction = self.loop.instructions[i]
        zero, mask = self._integer(0), self._row_mask()
        if instruction.per_row and instruction.name != "reduce":
            inputs = [self.values[x] for x in instruction.inputs]
            value = self._compute(instruction, inputs, zero, 0, None)
        else:
            inputs = [self._in_lanes(x, self.values) for x in instruction.inputs]
            if instruction.name == "reduce":
                total = self._total(i)
                value = total.result(total.fold(total.of(inputs[0], mask)))
            else:
                lanes = self.schedule.lanes
                value = self._compute(instruction, inputs, zero, lanes, mask)
        self._keep_outside(i, value)

    def _compute(
        self,
        instruction: Instruction,
        inputs: Sequence[Value],
        index: Value,
        lanes: int,
        mask: Value | None,
    ) -> Value:
        """Write an instruction that yields a value; no lanes: of one number."""
        name, dtype = instruction.name, instruction.dtype
        if name == "load":
            return self.operands.read(instruction.attribute, dtype, index, lanes, mask)
        if name == "constant":
            return self.code.constant(instruction.attribute, dtype, lanes)
        if name == "cast":
            return inputs[0].cast(dtype)
        if name == "where":
            return where(*inputs)
        return UFUNCS[name].formula(*inputs)

"""Which instructions may write variables in place, and so come last.

A run that fails, or is interrupted, has to leave all variables as they were. So what
writes a variable comes after all that can fail, in a second list of instructions which
is run to its end without a break.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import (
    Call,
    Fused,
    Instruction,
    Map,
    Slot,
    Store,
)
from minikeras.engine.loops import Instruction as Step
from minikeras.engine.loops import Loop, Operand
from minikeras.engine.ops.state import Handle

__all__ = ["Commits"]


class Commits:
    """The order of a program, and what it does in place.

    Attributes:
        body: instructions that write no variable.
        commit: those which do, and what depends on them; none of them can fail.
        in_place: the variable on whose memory each of these slots lies.
    """

    def __init__(self, instructions: Sequence[Instruction]) -> None:
        self.in_place = _candidates(instructions) if is_on("in_place") else {}
        self._before_calls(instructions)
        self._drop_overtaken(self._late(instructions))
        late = self._late(instructions)
        chosen = set(map(id, late))
        self.body = [i for i in instructions if id(i) not in chosen]
        left = [i for i in late if not self._is_done(i)]
        self.commit = self._together(left) if is_on("fuse") else left

    def _together(self, late: Sequence[Instruction]) -> list[Instruction]:
        """Return instructions with stores of one size, which come last, made one."""
        alike: dict[Any, list[Store]] = {}
        for unit in late:
            if isinstance(unit, Store):
                (x,) = unit.inputs
                plain = x.size and x.layout.flags.c_contiguous
                same = x.dtype == unit.handle.dtype
                alike.setdefault(x.size if plain and same else unit, []).append(unit)
        copies: list[Instruction] = [i for i in late if not isinstance(i, Store)]
        for stores in alike.values():
            if len(stores) > 1:
                copies.append(loop := _copying(stores))
                handles = (store.handle for store in stores)
                self.in_place.update(zip(loop.outputs, handles, strict=True))
            else:
                copies += stores
        return copies

    def _is_done(self, unit: Instruction) -> bool:
        return isinstance(unit, Store) and unit.inputs[0] in self.in_place

    def _before_calls(self, instructions: Sequence[Instruction]) -> None:
        """Keep in place nothing that a call, which may fail, waits for."""
        needed: set[Slot] = set()
        for unit in reversed(instructions):
            waited_for = any(y.base in needed for y in unit.outputs)
            if isinstance(unit, Call) or waited_for:
                needed.update(x.base for x in unit.inputs)
            if waited_for:  # what it writes in place beside would make it late, too
                needed.update(y.base for y in unit.outputs)
        for slot in needed.intersection(self.in_place):
            del self.in_place[slot]

    def _late(self, instructions: Sequence[Instruction]) -> list[Instruction]:
        """Return what writes variables, and what needs something that does."""
        touched: set[Slot] = set()
        found: list[Instruction] = []
        for unit in instructions:
            writes = not self.in_place.keys().isdisjoint(unit.outputs)
            if (
                writes
                or isinstance(unit, Store)
                or any(x.base in touched for x in unit.inputs)
            ):
                found.append(unit)
                touched.update(y.base for y in unit.outputs)
        return found

    def _drop_overtaken(self, late: Sequence[Instruction]) -> None:
        """Keep in place no variable that is read as it was after it was written."""
        written: set[Any] = set()
        for unit in late:
            now = {self.in_place[y]: y for y in unit.outputs if y in self.in_place}
            for x in unit.inputs:
                handle = x.base.source
                if not isinstance(handle, Handle):
                    continue
                if handle in written or (
                    handle in now and not _same_walk(unit, x, now[handle])
                ):
                    self._drop(handle)
            written.update(now)

    def _drop(self, handle: Any) -> None:
        self.in_place = {y: h for y, h in self.in_place.items() if h is not handle}


def _candidates(instructions: Sequence[Instruction]) -> dict[Slot, Any]:
    """Return the slots that become variables and are each written by one loop."""
    fused = {
        y for unit in instructions if isinstance(unit, Fused) for y in unit.outputs
    }
    found: dict[Slot, Any] = {}
    for unit in instructions:
        if isinstance(unit, Store):
            (x,) = unit.inputs
            if x in fused and x not in found and x.dtype == unit.handle.dtype:
                found[x] = unit.handle
    return found


def _copying(stores: Sequence[Store]) -> Fused:
    """Return the loop that does what the stores, all of one size, do."""
    slots = [store.inputs[0] for store in stores]
    copies = [Slot.new(x.shape, x.dtype) for x in slots]
    size = slots[0].size
    operands = [Operand(x.dtype, (int(size > 1),)) for x in (*slots, *copies)]
    steps = [Step("load", (), x.dtype, i, size == 1) for i, x in enumerate(slots)]
    steps += [
        Step("store", (i,), x.dtype, len(slots) + i, size == 1)
        for i, x in enumerate(slots)
    ]
    loop = Loop((size,), tuple(operands), tuple(steps))
    triples = zip(slots, copies, stores, strict=True)
    members = [Map("cast", [x], y, store.node) for x, y, store in triples]
    return Fused(loop, [*slots, *copies], len(copies), members)


def _same_walk(unit: Instruction, x: Slot, y: Slot) -> bool:
    """Whether a loop reads each element of `x` just where it writes that of `y`."""
    if not isinstance(unit, Fused) or unit.accumulates(y):
        return False
    strides = [
        o.strides for o, s in zip(unit.loop.operands, unit.slots, strict=True) if s is y
    ]
    reads = [
        o.strides for o, s in zip(unit.loop.operands, unit.slots, strict=True) if s is x
    ]
    return x.offset() == 0 and set(strides) == set(reads)

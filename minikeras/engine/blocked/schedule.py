"""Which call writes where, and when: before the blocks, in each of them, or after.

What no block changes is computed before; totals over several blocks are completed
after. In a block a value is written straight into the output that it is stored to, if
nothing is read later that this would destroy; else into scratch, a slot of which is
free again after the last use of its value. A value may take the slot of one that is
read for the last time in the same call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minikeras.engine.blocked.analysis import Analysis
from minikeras.engine.blocked.calls import Call, call, copy, headed, total, ufunc
from minikeras.engine.blocked.geometry import Blocks
from minikeras.engine.blocked.lowering import IDENTITIES
from minikeras.engine.blocked.places import (
    Array,
    Place,
    Scratch,
    Slots,
    Whole,
    cell,
    extent,
    filled,
    just,
)
from minikeras.engine.loops import Instruction, Loop

__all__ = ["Schedule"]


class Schedule:
    """The calls of a loop that is divided in blocks.

    Attributes:
        blocks: what it is divided in.
        before: what to do first.
        each: what to do in every block.
        after: what to do last.
        slots: the scratch.
        serial: whether it is for one thread: a block goes on from where the one before
            it ended; or an order of adding depends on the blocks, and should not depend
            on the number of threads; or all that threads wrote is read again by one.
    """

    def __init__(self, loop: Loop, views: Sequence[Array], blocks: Blocks) -> None:
        self.before: list[Call] = []
        self.each: list[Call] = []
        self.after: list[Call] = []
        self.slots = Slots()
        self.serial = False
        self.blocks = blocks
        self._views = views
        self._facts = Analysis(loop, views, blocks)
        self._homes: dict[int, Place] = {}
        for number, step in enumerate(self._facts.steps):
            if step.name != "store":
                self._homes[number] = self._place(number, step)
        for value, operands in self._facts.stored.items():
            self._store(value, operands)

    # -- values ------------------------------------------------------------------------

    def _place(self, number: int, step: Instruction) -> Place:
        """Add the calls that compute a value; return where it lies."""
        if step.name == "constant":
            shape = (1,) * len(self.blocks.sizes)
            return Whole(np.full(shape, step.attribute, step.dtype))
        if step.name == "load" and not self._facts.copied(number):
            return Whole(self._views[step.attribute])
        if self._facts.crosses(number):
            home = self._home(number)
            self._complete(number, step, home)
            self._release(self._facts.ending(number))
            return home
        overwritten = self._facts.overwritten(number)
        self._release(overwritten)
        home = self._home(number)
        phase = self.before if self._facts.fixed(number) else self.each
        phase.append(call(step, self._inputs(number, step), home))
        self._release(self._facts.ending(number) - overwritten)
        return home

    def _inputs(self, number: int, step: Instruction) -> list[Place]:
        if step.name == "load":
            return [Whole(self._views[step.attribute])]
        if step.name not in ("maximum", "minimum"):
            return [self._homes[i] for i in step.inputs]
        # NumPy compares with one number at half the speed of with an array.
        return [self._written_out(i, number) for i in step.inputs]

    def _written_out(self, value: int, number: int) -> Place:
        step = self._facts.steps[value]
        if step.name != "constant":
            return self._homes[value]
        shape = extent(self.blocks.extents, self._facts.varies[number])
        array = np.full(math.prod(shape), step.attribute, step.dtype)
        return filled(array, self._facts.varies[number])

    def _home(self, number: int) -> Place:
        """Return where a value is to be."""
        varies, dtype = self._facts.varies[number], self._facts.steps[number].dtype
        k = self._facts.target(number)
        if k is not None:
            return Whole(self._views[k])
        if self._facts.fixed(number) or self._facts.crosses(number):
            return Whole(np.empty(extent(self.blocks.sizes, varies), dtype))
        return self._scratch(varies, dtype, self._facts.head(number))

    def _scratch(
        self, varies: Sequence[bool], dtype: np.dtype[Any], head: int = 0
    ) -> Scratch:
        shape = extent(self.blocks.extents, varies)
        elements = math.prod(shape) + (math.prod(shape[head:]) if head else 0)
        size = elements * dtype.itemsize
        return Scratch(self.slots.take(size), size, dtype, tuple(varies), head)

    def _release(self, values: Iterable[int]) -> None:
        for value in values:
            home = self._homes[value]
            if isinstance(home, Scratch):
                self.slots.give(home.offset, home.size)

    def _store(self, value: int, operands: Iterable[int]) -> None:
        """Add the copies to the operands in which the value does not lie already."""
        phase = self.after if self._facts.late(value) else self.each
        for k in operands:
            if k != self._facts.target(value):
                phase.append(copy(self._homes[value], Whole(self._views[k])))

    # -- totals over several blocks ----------------------------------------------------

    def _complete(self, number: int, step: Instruction, home: Place) -> None:
        """Add the calls that make a total to which several blocks contribute."""
        (x,), (name, axes) = step.inputs, step.attribute
        place, last = self._homes[x], len(self.blocks.sizes) - 1
        if not isinstance(place, Scratch):  # all of it is there, before or after
            written = self._facts.target(x) is not None
            self.serial |= written
            phase = self.after if written else self.before
            phase.append(total(name, axes, step.dtype, place, home))
        elif last == 0:
            self._pairwise(step, place, home)
        elif last in axes or not place.varies[last]:
            self._gather(step, place, home)
        else:
            self._run(step, place, home)

    def _pairwise(self, step: Instruction, x: Place, home: Place) -> None:
        """A total of each block, then of pairs, pairs of pairs ...: see `halves`."""
        name, axes = step.attribute
        self.serial |= name == "multiply" or step.dtype == np.float16
        parts = np.empty(len(self.blocks.cuts), step.dtype)
        self.each.append(total(name, axes, step.dtype, x, cell(parts)))
        while len(parts) > 1:
            pairs = np.empty(len(parts) // 2, step.dtype)
            places = just(parts[::2]), just(parts[1::2]), just(pairs)
            self.after.append(Call(ufunc(name), places))
            parts = pairs
        self.after.append(copy(just(parts), home))

    def _gather(self, step: Instruction, x: Scratch, home: Place) -> None:
        """A total of each row, all kept; then that of the rows."""
        name, axes = step.attribute
        self.serial |= len(x.varies) - 1 in axes
        inner = [axis for axis in axes if axis > self.blocks.axis]
        outer = [axis for axis in axes if axis <= self.blocks.axis]
        varies = [v and d not in inner for d, v in enumerate(x.varies)]
        kept = Whole(np.empty(extent(self.blocks.sizes, varies), step.dtype))
        self.each.append(total(name, inner, step.dtype, x, kept))
        self.after.append(total(name, outer, step.dtype, kept, home))

    def _run(self, step: Instruction, x: Scratch, home: Place) -> None:
        """A running total, to which each block adds."""
        name, axes = step.attribute
        self.serial = True
        self.before.append(copy(just(IDENTITIES[name](step.dtype)), home))
        if x.head and axes == tuple(range(x.head)):
            self.each += headed(name, step.dtype, x, home)
            return
        place: Place = x
        inside = [axis for axis in axes if self.blocks.extents[axis] > 1]
        if inside:
            varies = [v and d not in inside for d, v in enumerate(x.varies)]
            place = self._scratch(varies, step.dtype)
            self.each.append(total(name, inside, step.dtype, x, place))
            self.slots.give(place.offset, place.size)
        self.each.append(Call(ufunc(name), (home, place, home)))

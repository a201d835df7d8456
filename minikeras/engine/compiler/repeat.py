"""`Repeat`: a scan whose body is a program, bound once for each step.

The rows that the steps read and write are views of the stacked arrays, and the carries
lie where the step before has put them, so that nothing is copied between steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minikeras.engine.compiler.program import Call, Instruction, Program, Slot
from minikeras.engine.graph import Node
from minikeras.engine.storage import aligned

if TYPE_CHECKING:
    from minikeras.engine.compiler.schedule import Schedule

__all__ = ["Form", "Layout", "Repeat"]

Array = Any
Bound = tuple[Callable[[], Any], Instruction]


class Repeat(Call):
    """A scan.

    Args:
        node: the scan's.
        inputs: the first carries, the stacked rows, what the body captures.
        outputs: the last carries and the stacked rows that are wanted.
        schedule: of one step; it fetches the new carries, then the rows.
        layout: where each step puts what it fetches.
        form: the numbers that describe the scan.
    """

    __slots__ = ("form", "layout", "schedule")

    def __init__(
        self,
        node: Node,
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        schedule: Schedule,
        layout: Layout,
        form: Form,
    ) -> None:
        super().__init__(node, inputs, outputs)
        self.schedule = schedule
        self.layout = layout
        self.form = form

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.form.steps

    @property
    def program(self) -> Program:
        """What one step does."""
        return self.schedule.program

    def bound(
        self, inputs: Sequence[Array], outputs: Sequence[Array], binder: Any
    ) -> Iterator[Bound]:
        """Yield the calls of all steps."""
        form, memory = self.form, aligned(self.schedule.memory.size)
        state = list(inputs[: form.carries])
        stacked = inputs[form.carries : form.carries + form.xs]
        captures = inputs[form.carries + form.xs :]
        ends, rows = outputs[: len(form.ends)], outputs[len(form.ends) :]
        carried = self.program.fetches[: len(form.carried)]
        spare = [[np.empty(x.shape, x.dtype) for x in carried] for _ in "ab"]
        effects = any(isinstance(i, Call) and i.key is None for i in self.schedule.body)
        if effects:
            yield binder.enter_loop, self
        times = range(form.steps)[:: -1 if form.reverse else 1]
        for i, (t, after) in enumerate(zip_longest(times, times[1:])):
            fed = [*state, *(x[t, ...] for x in stacked), *captures]
            landing = list(spare[i % 2])
            for number, row in self.layout.kept.items() if after is not None else ():
                landing[number] = rows[row - len(carried)][after, ...]
            step = Step(self, fed, [*landing, *(y[t, ...] for y in rows)], memory)
            if effects:
                yield partial(binder.at_step, t), self
            yield from binder.inside(step.array).all(self.schedule.body)
            yield from ((call, self) for call in step.copies(is_first=not i))
            for number, slot in zip(form.carried, carried, strict=True):
                state[number] = step.array(slot)
        if effects:
            yield binder.leave_loop, self
        for y, number in zip(ends, form.ends, strict=True):
            yield partial(np.copyto, y, state[number]), self


class Form(NamedTuple):
    """What a scan is like.

    Attributes:
        steps: how many there are.
        reverse: whether the last row comes first.
        carries: how many of the inputs are carries.
        xs: how many of them are stacked rows.
        carried: the number of the carry that each of the first fetches becomes.
        ends: the numbers of the carries whose last values are outputs.
    """

    steps: int
    reverse: bool
    carries: int
    xs: int
    carried: Sequence[int]
    ends: Sequence[int]


class Layout(NamedTuple):
    """Where a step puts what it fetches.

    Attributes:
        placed: for each computed slot the number of the fetch on which it lies.
        kept: for carries of which the first values of all steps are wanted, as rows:
            the number of that fetch, on whose next row a step leaves the carry.
    """

    placed: dict[Slot, int]
    kept: dict[int, int]

    @classmethod
    def of(cls, program: Program, node: Node, carried: Sequence[int]) -> Layout:
        """Return the layout of a body; a carry that would not stay is copied first."""
        count, fetches = len(carried), program.fetches
        feeds = [program.feeds[i] for i in carried]
        for number, slot in enumerate(fetches[:count]):
            moves = slot.base in feeds and slot is not feeds[number]
            if moves or (slot.is_view and not slot.is_given):
                fetches[number] = program.copied(slot, node)
        placed: dict[Slot, int] = {}
        for number in (*range(count, len(fetches)), *range(count)):
            slot = fetches[number]
            if not (slot.is_given or slot.is_view):
                placed.setdefault(slot, number)
        rows = {fetches[i]: i for i in range(count, len(fetches))}
        pairs = ((n, rows.get(feed)) for n, feed in enumerate(feeds))
        kept = {n: i for n, i in pairs if i is not None and placed.get(fetches[n]) == n}
        return cls(placed, kept)


class Step:
    """One step: where the slots of the body lie in it."""

    def __init__(
        self,
        unit: Repeat,
        fed: Sequence[Array],
        fetched: Sequence[Array],
        memory: Array,
    ) -> None:
        self.unit = unit
        self.fetched = fetched
        self.memory = memory
        self.arrays = dict(zip(unit.program.feeds, fed, strict=True))
        for slot, number in unit.layout.placed.items():
            self.arrays[slot] = fetched[number]

    def array(self, slot: Slot) -> Array:
        """Return the array of a slot of the body."""
        base = slot.base
        if base not in self.arrays:
            if isinstance(base.source, np.ndarray):
                self.arrays[base] = base.source
            else:
                self.arrays[base] = self.unit.schedule.memory.array(self.memory, base)
        return slot.on(self.arrays[base])

    def copies(self, is_first: bool) -> Iterator[Callable[[], Any]]:
        """Yield the copying of rows that do not lie where they are wanted."""
        layout, count = self.unit.layout, len(self.unit.form.carried)
        at_hand = set() if is_first else {*layout.kept.values()}
        for number, slot in enumerate(self.unit.program.fetches):
            elsewhere = layout.placed.get(slot) != number and number not in at_hand
            if number >= count and elsewhere:
                yield partial(np.copyto, self.fetched[number], self.array(slot))

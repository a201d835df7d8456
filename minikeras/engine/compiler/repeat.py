"""`Repeat`: a scan whose body is a program, bound once for each step.

The rows that the steps read and write are views of the stacked arrays, and the carries
lie where the step before has put them, so that nothing is copied between steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minikeras.engine.compiler.memory import aligned
from minikeras.engine.compiler.program import Call, Instruction, Program, Slot
from minikeras.engine.graph import Node

if TYPE_CHECKING:
    from minikeras.engine.compiler.schedule import Schedule

__all__ = ["Repeat", "places"]

Array = Any
Bound = tuple[Callable[[], Any], Instruction]


class Repeat(Call):
    """A scan.

    Attributes:
        inputs: the first carries, the stacked rows, what the body captures.
        outputs: the last carries and the stacked rows that are wanted.
        schedule: of one step.
        ends: for each output whether it is a carry's end, by number, or a row: None.
        carried: which carry each of the body's first outputs becomes.
        placed: the slots of the body that lie on a row of an output, by number.
    """

    __slots__ = (
        "carried",
        "carries",
        "ends",
        "placed",
        "reverse",
        "schedule",
        "steps",
        "xs",
    )

    carried: Sequence[int]
    carries: int
    ends: Sequence[int | None]
    placed: dict[Slot, int]
    reverse: bool
    schedule: Schedule
    steps: int
    xs: int

    def __init__(
        self, node: Node, inputs: Sequence[Slot], outputs: Sequence[Slot], **form: Any
    ) -> None:
        super().__init__(node, inputs, outputs)
        for name, value in form.items():
            setattr(self, name, value)

    def bound(
        self, inputs: Sequence[Array], outputs: Sequence[Array], binder: Any
    ) -> Iterator[Bound]:
        """Yield the calls of all steps."""
        memory = aligned(self.schedule.memory.size)
        state = list(inputs[: self.carries])
        stacked = inputs[self.carries : self.carries + self.xs]
        captures = inputs[self.carries + self.xs :]
        rows = [y for y, end in zip(outputs, self.ends, strict=True) if end is None]
        spare = [
            [_like(x) for x in self.program.fetches[: len(self.carried)]] for _ in "ab"
        ]
        times = range(self.steps)
        effects = any(isinstance(i, Call) and i.key is None for i in self.schedule.body)
        if effects:
            yield binder.enter_loop, self
        for t in reversed(times) if self.reverse else times:
            fed = [*state, *(x[t, ...] for x in stacked), *captures]
            step = Step(self, fed, [y[t, ...] for y in rows], spare[t % 2], memory)
            if effects:
                yield partial(binder.at_step, t), self
            yield from binder.inside(step.array).all(self.schedule.body)
            yield from ((c, self) for c in step.copies())
            for i, value in zip(self.carried, step.carries(), strict=True):
                state[i] = value
        if effects:
            yield binder.leave_loop, self
        ends = (
            (y, end)
            for y, end in zip(outputs, self.ends, strict=True)
            if end is not None
        )
        for y, end in ends:
            yield partial(np.copyto, y, state[end]), self

    @property
    def program(self) -> Program:
        """What one step does."""
        return self.schedule.program


class Step:
    """One step: where the slots of the body lie in it."""

    def __init__(
        self,
        unit: Repeat,
        fed: Sequence[Array],
        rows: Sequence[Array],
        spare: Sequence[Array],
        memory: Array,
    ) -> None:
        self.unit = unit
        self.rows = rows
        self.spare = spare
        self.memory = memory
        self.arrays = dict(zip(unit.program.feeds, fed, strict=True))
        for slot, place in unit.placed.items():
            number = place - len(unit.carried)
            self.arrays[slot] = spare[place] if number < 0 else rows[number]

    def array(self, slot: Slot) -> Array:
        """Return the array of a slot of the body."""
        base = slot.base
        if base not in self.arrays:
            known = isinstance(base.source, np.ndarray)
            memory = self.unit.schedule.memory
            self.arrays[base] = (
                base.source if known else memory.array(self.memory, base)
            )
        return slot.on(self.arrays[base])

    def copies(self) -> Iterator[Callable[[], Any]]:
        """Yield the copying of rows that do not lie where they are wanted."""
        n = len(self.unit.carried)
        for number, slot in enumerate(self.unit.program.fetches[n:]):
            if self.unit.placed.get(slot) != number + n:
                yield partial(np.copyto, self.rows[number], self.array(slot))

    def carries(self) -> Iterator[Array]:
        """Yield where the next step finds its carries."""
        for slot in self.unit.program.fetches[: len(self.unit.carried)]:
            yield self.array(slot)


def _like(slot: Slot) -> Array:
    return np.empty(slot.shape, slot.dtype)


def places(program: Program, node: Node, carried: Sequence[int]) -> dict[Slot, int]:
    """Return which fetch each computed slot of a body lies on: rows before carries.

    A carry that would not stay where the next step finds it is copied first.
    """
    count = len(carried)
    stay = {program.feeds[i]: number for number, i in enumerate(carried)}
    for number in range(count):
        slot = program.fetches[number]
        moves = slot.base in stay and stay.get(slot) != number
        if moves or (slot.is_view and not slot.is_given):
            program.fetches[number] = program.copied(slot, node)
    found: dict[Slot, int] = {}
    for number in (*range(count, len(program.fetches)), *range(count)):
        slot = program.fetches[number]
        if not (slot.is_given or slot.is_view):
            found.setdefault(slot, number)
    return found

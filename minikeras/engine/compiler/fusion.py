"""Fusion: maps and totals that visit the same elements become one loop.

Each instruction gets a *stage*, one more than the last of those it needs. An
instruction joins the group that made its inputs if it reads them in the very order in
which they are made; else it goes one stage further, where it joins, or starts, the
group of its size. As what a group needs is made in earlier stages, or in itself, no
two groups can ever wait for each other, and one walk over the program is enough.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from minikeras.engine.compiler.group import Group
from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import (
    Call,
    Instruction,
    Map,
    Program,
    Slot,
    Store,
    Total,
)

__all__ = ["fuse", "ordered"]

# As many instructions may wait in a chain for the one that needs them.
_PATIENCE = 12
# What has so many elements is not computed with nodes built so much earlier: it would
# take memory for longer than it is needed.
_LARGE, _NEAR = 1 << 16, 24


def fuse(program: Program) -> None:
    """Replace maps and totals by fused loops, in a new order."""
    program.instructions = ordered(_Fusion(program).units())


class _Fusion:
    """Stages and groups in the making."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.stage: dict[Slot, int] = {}
        self.maker: dict[Slot, Group] = {}
        self.groups: dict[tuple[int, int], Group] = {}
        self.found: list[Group | Call | Store] = []
        self.waiting: dict[Slot, Map | Total] = {}
        self.called: set[Slot] = set()
        self.depth: dict[Slot, int] = {}
        self.effects = 0
        self.uses = Counter(x.base for i in program for x in i.inputs)

    def units(self) -> list[Instruction]:
        """Return the program's instructions, those of each group made one."""
        kept = {x.base for x in self.program.fetches if isinstance(x, Slot)}
        for instruction in self.program:
            if isinstance(instruction, (Map, Total)):
                self.add(instruction, kept)
            else:
                self.add_whole(instruction)
        needed = Counter(self.uses)
        needed.update(kept)
        units: list[Instruction] = []
        for unit in self.found:
            units += unit.built(needed) if isinstance(unit, Group) else [unit]
        return units

    def add_whole(self, unit: Any) -> None:
        """Give a call its stage."""
        self.settle(unit.inputs)
        stage = 1 + self.latest(unit.inputs)
        if unit.key is None:  # effects keep their order
            stage = self.effects = max(stage, self.effects)
        self.stage.update(dict.fromkeys((y.base for y in unit.outputs), stage))
        self.called.update(y.base for y in unit.outputs)
        self.found.append(unit)

    def add(self, instruction: Map | Total, kept: set[Slot]) -> None:
        """Find the group of an instruction, once the group of its user is known."""
        behind = 1 + max(
            (self.depth.get(x.base, 0) for x in instruction.inputs), default=0
        )
        if (
            behind < _PATIENCE
            and self.can_wait(instruction)
            and instruction.output not in kept
        ):
            self.waiting[instruction.output] = instruction
            self.depth[instruction.output] = behind
        else:
            self.place(instruction)

    def can_wait(self, instruction: Map | Total) -> bool:
        """Whether it is best done where it is first used.

        It is if it is made of little, and used there alone or made of what is at hand.
        """
        y = instruction.output
        whole = [x for x in instruction.inputs if x.size == y.size and not x.is_given]
        at_hand = all(x.is_given or x.base in self.called for x in instruction.inputs)
        free = not y.is_view and (at_hand or self.uses[y] == 1)
        is_map = isinstance(instruction, Map)
        return is_map and free and len(whole) <= 1 and is_on("defer")

    def place(self, instruction: Map | Total) -> None:
        """Enter an instruction in a group, and before it those that waited for it."""
        waiting = [x.base for x in instruction.inputs if x.base in self.waiting]
        if waiting:
            sources = self.sources(instruction)
            group = self.maker_of(sources)
            if group is None or instruction.output.size not in (group.size, group.rows):
                group = self.group_for(instruction, sources)
            for y in waiting:
                self.place_waiting(y, group)
        self.enter(self.group_for(instruction, instruction.inputs), instruction)

    def place_waiting(self, y: Slot, group: Group) -> None:
        """Enter what makes `y`, if it still waits."""
        instruction = self.waiting.pop(y, None)
        if instruction is not None:
            self.place_in(instruction, group)

    def place_in(self, instruction: Map | Total, group: Group) -> None:
        """Enter what has waited in `group` if it fits there, else where it would."""
        for x in instruction.inputs:
            self.place_waiting(x.base, group)
        early = self.latest(instruction.inputs) < group.stage
        inside = all(
            self.maker.get(x.base) is group or self.stage_of(x) < group.stage
            for x in instruction.inputs
        )
        if (early or inside) and group.takes(instruction):
            self.enter(group, instruction)
        else:
            self.place(instruction)

    def sources(self, instruction: Map | Total) -> list[Slot]:
        """Return the inputs, with those that wait replaced by what they need."""
        found: list[Slot] = []
        for x in instruction.inputs:
            inner = self.waiting.get(x.base)
            found += [x] if inner is None else self.sources(inner)
        return found

    def settle(self, inputs: Iterable[Slot]) -> None:
        """Do now what has waited for a call."""
        for x in inputs:
            instruction = self.waiting.pop(x.base, None)
            if instruction is not None:
                self.place(instruction)

    def maker_of(self, sources: Sequence[Slot]) -> Group | None:
        """Return the one group that made the latest sources, if there is one."""
        latest = self.latest(sources)
        makers = {self.maker.get(x.base) for x in sources if self.stage_of(x) == latest}
        return makers.pop() if latest and len(makers) == 1 else None

    def group_for(self, instruction: Map | Total, sources: Sequence[Slot]) -> Group:
        """Return the group that made its latest sources, or a later one."""
        group = self.maker_of(sources)
        if group is not None and group.takes(instruction):
            return group
        place = self.latest(sources) + 1, instruction.space.size
        group = self.groups.get(place)
        if group is None or _far(group, instruction) or not group.takes(instruction):
            group = self.groups[place] = Group(*place)
            self.found.append(group)
        return group

    def enter(self, group: Group, instruction: Map | Total) -> None:
        group.add(instruction)
        y = instruction.output
        if not y.is_view:  # a part of something cannot be had in the same loop
            self.maker[y] = group
        self.stage[y.base] = max(group.stage, self.stage.get(y.base, 0))

    def stage_of(self, x: Slot) -> int:
        return self.stage.get(x.base, 0)

    def latest(self, inputs: Sequence[Slot]) -> int:
        """Return the stage after which all inputs are there."""
        return max(map(self.stage_of, inputs), default=0)


def _far(group: Group, instruction: Map | Total) -> bool:
    """Whether a group is done long before a large value is wanted."""
    large = max(group.size, instruction.output.base.size) >= _LARGE
    if not large or not group.members:
        return False
    return instruction.node.index - group.members[0].node.index > _NEAR


def ordered(units: Sequence[Instruction]) -> list[Instruction]:
    """Return units so that each follows what it needs, else in the order given."""
    makers: dict[Slot, list[int]] = {}
    for i, unit in enumerate(units):
        for y in unit.outputs:
            makers.setdefault(y.base, []).append(i)
    needs = [{j for x in u.inputs for j in makers.get(x.base, ())} for u in units]
    needs = [need - {i} for i, need in enumerate(needs)]
    users: list[list[int]] = [[] for _ in units]
    for i, need in enumerate(needs):
        for j in need:
            users[j].append(i)
    rank = [_rank(i, unit) for i, unit in enumerate(units)]
    missing = [len(need) for need in needs]
    ready = [(rank[i], i) for i, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    order: list[Instruction] = []
    while ready:
        _, i = heapq.heappop(ready)
        order.append(units[i])
        for j in users[i]:
            missing[j] -= 1
            if not missing[j]:
                heapq.heappush(ready, (rank[j], j))
    return order


def _rank(place: int, unit: Instruction) -> Any:
    """Return when a unit is due: when its last node was built; stores at the end."""
    return isinstance(unit, Store), unit.node.index, place

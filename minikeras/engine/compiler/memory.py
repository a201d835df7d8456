"""Where computed values lie: one stretch of memory, used again and again.

A value's place is free for others after its last use; one that a loop computes from a
value of the same form, of which it is the last user, takes that one's place.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import Fused, Instruction, Slot
from minikeras.engine.storage import ALIGNMENT

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Memory"]


class Memory:
    """The places of a program's values.

    Args:
        instructions: in the order of their run.
        kept: slots whose values are still needed at the end.
        elsewhere: slots that lie somewhere else, such as on a variable.

    Attributes:
        offset: of each computed slot, in bytes.
        size: bytes in all.
        least: the most bytes that are in use at one time; no plan needs fewer.
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        kept: Iterable[Slot],
        elsewhere: Mapping[Slot, object],
    ) -> None:
        self.offset: dict[Slot, int] = {}
        self.size = self.least = 0
        self._free: list[tuple[int, int]] = []  # (start, stop), in order
        last = _last_uses(instructions, kept)
        used, reuse = 0, is_on("reuse")
        for i, unit in enumerate(instructions):
            dying = {
                x.base
                for x in unit.inputs
                if last.get(x.base) == i and x.base in self.offset
            }
            for y in unit.outputs:
                if y.is_given or y.base in elsewhere or y.base in self.offset:
                    continue  # a variable, or the second part of something
                heir_of = None if y.is_view else _inherited(unit, y, dying)
                y = y.base
                if reuse and heir_of is not None:
                    dying.remove(heir_of)
                    self.offset[y] = self.offset[heir_of]
                else:
                    self.offset[y] = self._take(_room(y))
                    used += _room(y)
            self.least = max(self.least, used)
            made = {y.base for y in unit.outputs if y.base in self.offset}
            unused = {y for y in made if last.get(y, i) == i}
            for x in dying | unused if reuse else ():
                self._give(self.offset[x], _room(x))
                used -= _room(x)

    def array(self, arena: np.ndarray[Any, Any], slot: Slot) -> np.ndarray[Any, Any]:
        """Return the array of a slot in these bytes."""
        start = self.offset[slot]
        raw = arena[start : start + slot.layout.nbytes]
        return raw.view(slot.dtype).reshape(slot.shape)

    def _take(self, room: int) -> int:
        """Return the start of the smallest free stretch with enough `room`."""
        fitting = [(b - a, a) for a, b in self._free if b - a >= room]
        if fitting:
            length, start = min(fitting)
            self._free.remove((start, start + length))
            if length > room:
                insort(self._free, (start + room, start + length))
            return start
        start = self.size
        if self._free and self._free[-1][1] == self.size:  # grow the last free stretch
            start = self._free.pop()[0]
        self.size = start + room
        return start

    def _give(self, start: int, room: int) -> None:
        """Let a stretch be used again, joined with free neighbors."""
        stop = start + room
        i = bisect(self._free, (start, stop))
        if i < len(self._free) and self._free[i][0] == stop:
            _, stop = self._free.pop(i)
        if i and self._free[i - 1][1] == start:
            i -= 1
            start, _ = self._free.pop(i)
        self._free.insert(i, (start, stop))


def _room(slot: Slot) -> int:
    """Return how many bytes a slot takes, rounded up."""
    return -(-max(slot.layout.nbytes, 1) // ALIGNMENT) * ALIGNMENT


def _last_uses(
    instructions: Sequence[Instruction], kept: Iterable[Slot]
) -> dict[Slot, int]:
    last = {x.base: i for i, unit in enumerate(instructions) for x in unit.inputs}
    return last | dict.fromkeys((x.base for x in kept), len(instructions))


def _inherited(unit: Instruction, y: Slot, dying: set[Slot]) -> Slot | None:
    """Return an input whose place the output `y` of a loop can take."""
    if not isinstance(unit, Fused) or unit.accumulates(y):
        return None
    walks = dict(zip(unit.slots, unit.loop.operands, strict=True))
    for x in unit.inputs:
        whole = x.offset() == 0 and x.size == x.base.size == y.size
        alike = whole and x.base in dying and walks[x] == walks[y]
        if alike and not any(z.base is x.base and z is not x for z in unit.inputs):
            return x.base
    return None

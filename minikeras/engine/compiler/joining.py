"""Joining: updates of many variables by one formula become one loop over all of them.

An optimizer says the same of every variable, element by element. Where the variables,
their slots and their gradients each lie one after the other in one stretch of memory,
an *arena*, all of it is one long row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from minikeras.engine.compiler.program import Fused, Instruction, Slot
from minikeras.engine.ops.state import Handle
from minikeras.engine.storage import Storage

__all__ = ["Arena", "joined"]

Handles: TypeAlias = "tuple[Handle, ...]"


_VECTOR = 16  # elements; what follows begins where a vector may begin


class Arena(tuple[Handle, ...]):
    """Variables that lie one after the other; as a slot's source, all of them."""

    __slots__ = ()

    def on(self, storage: Storage) -> Any:
        """Return the array on which they lie, from now on if they did not before."""
        *starts, size = bounds(storage[handle].size for handle in self)
        return storage.arena(self, starts, size)


class _Joint:
    """Loops of one form that can be done as one, at the place of the first."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.members: list[Fused] = []
        self.written: set[Any] = set()
        self.read: set[Any] = set()

    def takes(self, unit: Fused, writes: set[Any]) -> bool:
        """Whether nothing since the first member stands between it and `unit`."""
        own = {w for w in writes if isinstance(w, Handle)}
        reads = {_what(x) for x in unit.inputs} - own
        return self.written.isdisjoint(reads | writes) and self.read.isdisjoint(own)


def joined(
    units: Sequence[Instruction],
    in_place: Mapping[Slot, Handle],
    fits: Callable[[Handles], bool],
) -> list[Instruction]:
    """Return instructions in which loops of one form, over many variables, are one.

    Args:
        units: what writes variables, in order.
        in_place: the variable on whose memory each output lies.
        fits: whether variables can lie one after the other.
    """
    joints: dict[Any, _Joint] = {}
    found: dict[int, _Joint] = {}
    for i, unit in enumerate(units):
        writes: set[Any] = {y.base for y in unit.outputs}
        writes |= {in_place[y] for y in unit.outputs if y in in_place}
        form = _form(unit, in_place)
        joint = None if form is None else joints.get(form)
        if isinstance(unit, Fused) and form is not None:
            if joint is None or not joint.takes(unit, writes):
                joint = joints[form] = found[i] = _Joint(i)
            joint.members.append(unit)
        for other in joints.values():
            other.written |= writes
            if other is not joint:
                other.read |= {_what(x) for x in unit.inputs}
    return _replaced(units, found, in_place, fits)


def _replaced(
    units: Sequence[Instruction],
    joints: Mapping[int, _Joint],
    in_place: Mapping[Slot, Handle],
    fits: Callable[[Handles], bool],
) -> list[Instruction]:
    result: list[Instruction] = []
    gone: set[int] = set()
    for i, unit in enumerate(units):
        joint = joints.get(i)
        if joint is not None and len(joint.members) > 1:
            whole = _joined(joint.members, in_place, fits)
            if whole is not None:
                result.append(whole)
                gone.update(map(id, joint.members))
        if id(unit) not in gone:
            result.append(unit)
    return result


def _what(x: Slot) -> Any:
    """Return the variable that a slot reads, else where it lies."""
    return x.base.source if isinstance(x.base.source, Handle) else x.base


def _form(unit: Instruction, in_place: Mapping[Slot, Handle]) -> Any:
    """Return what loops have in common that can be one; None if this one cannot."""
    if not isinstance(unit, Fused) or len(unit.loop.sizes) != 1:
        return None
    kinds: list[Any] = []
    for slot, operand in zip(unit.slots, unit.loop.operands, strict=True):
        whole = slot.base.size == slot.size
        if operand.strides == (0,):
            kinds.append(slot)
        elif slot in in_place or (isinstance(slot.base.source, Handle) and whole):
            kinds.append("variable")
        elif whole and not slot.is_given and slot not in unit.outputs:
            kinds.append("computed")
        else:
            return None
    return unit.loop.instructions, tuple(kinds), unit.written


def _joined(
    members: Sequence[Fused],
    in_place: Mapping[Slot, Handle],
    fits: Callable[[Handles], bool],
) -> Fused | None:
    """Return one loop that does what all members do, None if it cannot be had."""
    first = members[0]
    columns = list(zip(*(m.slots for m in members), strict=True))
    joint: list[Slot] = []
    for slots, operand in zip(columns, first.loop.operands, strict=True):
        if operand.strides == (0,):
            joint.append(slots[0])
            continue
        handles = Arena(in_place.get(x, x.base.source) for x in slots)
        variables = isinstance(handles[0], Handle)
        bases = {x.base for x in slots}
        if len(bases) < len(slots) or any(x.base.size != x.size for x in slots):
            return None
        if variables and (len(set(handles)) < len(slots) or not fits(handles)):
            return None
        size = bounds(x.size for x in slots)[-1]
        joint.append(Slot.new((size,), operand.dtype, handles if variables else None))
    for slots, whole in zip(columns, joint, strict=True):
        if whole is not slots[0] and whole.source is None:
            _lay(slots, whole)
    size = max(slot.size for slot in joint)
    return Fused(
        first.loop._replace(sizes=(size,), places=()),
        joint,
        first.written,
        [x for m in members for x in m.members],
    )


def _lay(slots: Iterable[Slot], whole: Slot) -> None:
    """Let slots lie one after the other on `whole`."""
    bases = [slot.base for slot in slots]
    starts = bounds(base.size for base in bases)
    for base, start in zip(bases, starts, strict=False):
        stop, shape = start + base.size, base.shape
        base.become(
            whole.view(lambda a, i=start, j=stop, shape=shape: a[i:j].reshape(shape))
        )


def bounds(sizes: Iterable[int]) -> list[int]:
    """Return where each of some arrays begins in an arena, and where the arena ends."""
    rooms = (math.ceil(size / _VECTOR) * _VECTOR for size in sizes)
    return [*accumulate(rooms, initial=0)]

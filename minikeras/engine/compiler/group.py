"""`Group`: members of one loop, and the box of elements that they visit together.

All members have the same number of elements, in C order. Where the sizes of their axes
part them differently, the box has all those parts: (6, 8) and (2, 3, 8) meet in
(2, 3, 8). A *row* is what the reductions of a group go over; what is reduced over other
axes leaves the loop by `accumulate`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Container, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from minikeras.engine import blocked
from minikeras.engine.compiler.program import (
    Fused,
    Map,
    Part,
    Slot,
    Total,
    strides_within,
)
from minikeras.engine.loops import Instruction, Loop, Operand

__all__ = ["Group"]

# A total over everything is a row of its own if it is short, so that what is made of
# it can still be in the loop.
_SHORT = 1 << 14
# More arrays than this in one loop get in each other's way in the cache.
_MOST_OPERANDS = 24
# And longer loops take long to make.
_MOST_MEMBERS = 120


class Group:
    """Members of one loop in the making.

    Attributes:
        stage: all that it reads is made in earlier stages.
        size: number of elements of the box.
        cuts: how many elements lie to the left of each place where the box is parted.
        rows: how many rows it has; None while nothing is reduced over them.
        uneven: how many elements lie to the left of the last place at which something
            is not read on, or written, with the same stride; no row goes across it.
    """

    def __init__(self, stage: int, size: int) -> None:
        self.stage = stage
        self.size = size
        self.cuts: set[int] = set()
        self.rows: int | None = None
        self.uneven = 1
        self.members: list[Map | Total] = []
        self.made: dict[Slot, str] = {}  # each output: "element", "row" or "total"
        self.read: set[Any] = set()

    # -- who may join ------------------------------------------------------------------

    def takes(self, member: Map | Total) -> bool:
        """Whether `member` can be done in this loop."""
        crowded = len(self.read) + len(member.inputs) > _MOST_OPERANDS
        if self.members and (crowded or len(self.members) >= _MOST_MEMBERS):
            return False
        space, size = member.space.shape, member.space.size
        if size == 0:
            return not self.members
        uneven = self._uneven_with(member, space)
        cuts = self.cuts | _cuts(space, size)
        rows = self.rows
        if size != self.size:
            if (
                isinstance(member, (Total, Part))
                or size != rows
                or not any(self.made.get(x.base) == "row" for x in member.inputs)
            ):
                return False
        elif isinstance(member, Total):
            rows = self._rows_with(member, uneven)
        if rows is not None:
            cuts |= {rows} - {1, self.size}
        if uneven > (rows or uneven) or not _is_chain(cuts, self.size):
            return False
        return all(self._in_order(x, space, cuts, rows) for x in member.inputs)

    def _rows_with(self, total: Total, uneven: int) -> int | None:
        """Return the number of rows if `total` joined."""
        rows = _rows(total)
        if self.rows is not None or rows is None or uneven > rows:
            return self.rows
        return None if rows == 1 and total.inputs[0].size > _SHORT else rows

    def _uneven_with(self, member: Map | Total, space: Sequence[int]) -> int:
        """Return what `uneven` is if `member` joined."""
        read = [x for x in member.inputs if x.base not in self.made]
        found = [_uneven(x, space) for x in read]
        if member.output.is_view:
            found.append(_uneven(member.output, member.output.shape))
        return max(self.uneven, *found) if found else self.uneven

    def _in_order(
        self, x: Slot, space: Sequence[int], cuts: set[int], rows: int | None
    ) -> bool:
        """Whether a member finds `x` at hand, or need not look for it here."""
        kind = self.made.get(x.base)
        if kind is None:
            return True
        if kind == "total":
            return False
        size = math.prod(space)
        box = _box({c for c in cuts if c < size}, size)
        if size != self.size:  # a member with one value a row
            own = _strides(box) if kind == "row" else None
        elif kind == "row":
            own = _row_strides(box, size // (rows or size))
        else:
            own = _strides(box)
        return x.offset() == 0 and _access(x, space, box) == own

    def add(self, member: Map | Total) -> None:
        """Let `member`, which the group takes, join."""
        space = member.space
        self.uneven = self._uneven_with(member, space.shape)
        kind = "element" if space.size == self.size else "row"
        if isinstance(member, Total):
            self.rows = self._rows_with(member, self.uneven)
            kind = (
                "row"
                if self.rows is not None and self.rows == _rows(member)
                else "total"
            )
        self.cuts |= _cuts(space.shape, space.size)
        if self.rows is not None:
            self.cuts |= {self.rows} - {1, self.size}
        self.members.append(member)
        self.made[member.output] = kind
        self.read |= {x.place for x in member.inputs if x.base not in self.made}

    # -- the loop ----------------------------------------------------------------------

    def built(self, needed: Container[Any]) -> list[Any]:
        """Return the loop as an instruction; the members if they do not make one."""
        if self.size == 0 or not self.members:
            return list(self.members)
        loop = _Builder(self, needed).fused()
        if loop is None or not blocked.supports(loop.loop):
            return list(self.members)
        return [loop]


class _Builder:
    """Turns a group's members into a loop."""

    def __init__(self, group: Group, needed: Any) -> None:
        self.group = group
        self.box = _box(group.cuts, group.size)
        self.inner = 1 if group.rows is None else group.size // group.rows
        self.needed = self._outside_uses(needed)
        self.slots: list[Slot] = []
        self.operands: list[Operand] = []
        self.instructions: list[Instruction] = []
        self.place: dict[Any, int] = {}

    def _outside_uses(self, needed: Any) -> set[Slot]:
        """Return the outputs that something outside the group uses."""
        inside: dict[Slot, int] = {}
        for member in self.group.members:
            for x in member.inputs:
                inside[x.base] = inside.get(x.base, 0) + 1
        return {y for y in self.group.made if needed[y] > inside.get(y, 0)}

    def fused(self) -> Fused | None:
        """Return the loop, None if the rows do not lie in memory as rows."""
        for member in self.group.members:
            self.add(member)
        needed = self.needed
        written = [
            m for m in self.group.members if m.output.is_view or m.output in needed
        ]
        for member in written:
            self.store(member)
        sizes, operands = self.collapsed()
        if sizes is None:
            return None
        places = self.places(operands)
        loop = Loop(sizes, tuple(operands), tuple(self.instructions), places)
        return Fused(loop, self.slots, len(written), self.group.members)

    def emit(
        self,
        name: str,
        inputs: Sequence[int],
        dtype: Any,
        attribute: Any = None,
        per_row: bool = False,
    ) -> int:
        self.instructions.append(
            Instruction(name, tuple(inputs), dtype, attribute, per_row)
        )
        return len(self.instructions) - 1

    def operand(self, slot: Slot, strides: Sequence[int]) -> int:
        self.slots.append(slot)
        self.operands.append(Operand(slot.dtype, tuple(strides)))
        return len(self.slots) - 1

    def add(self, member: Map | Total) -> None:
        """Emit what a member does."""
        kind = self.group.made[member.output]
        inputs = [self.input(x, member.space.shape) for x in member.inputs]
        if not isinstance(member, Total):
            self.place[member.output] = self.emit(
                member.name, inputs, member.output.dtype, None, kind == "row"
            )
            return
        (x,) = inputs
        if self.instructions[x].per_row:  # the same in the whole row: say so for each
            x = self.emit("cast", [x], self.instructions[x].dtype)
        if kind == "row":
            x = self.emit("reduce", [x], member.output.dtype, member.name, True)
        self.place[member.output] = x

    def input(self, x: Slot, space: Sequence[int]) -> int:
        """Return the instruction that yields an input of a member."""
        made = self.place.get(x.base)
        if made is not None:
            return made
        source = x.base.source
        # But for -0.0: loops must not be equal whose constants are 0.0 and -0.0.
        if (
            isinstance(source, np.ndarray)
            and x.base.size == 1
            and not _is_minus_0(source)
        ):
            key: Any = (source.dtype, source.tobytes())
            if key not in self.place:
                self.place[key] = self.emit(
                    "constant", (), source.dtype, source.reshape(())[()], True
                )
            return self.place[key]
        strides = self.strides(x, space)
        key = (x.base, x.offset(), strides)
        if key not in self.place:
            number = self.operand(x, strides)
            self.place[key] = self.emit(
                "load", (), x.dtype, number, strides[-1:] in ((0,), ())
            )
        return self.place[key]

    def strides(self, x: Slot, space: Sequence[int]) -> tuple[int, ...]:
        """Return how a member of this `space` walks over `x`, in the group's box."""
        size = math.prod(space)
        if size == self.group.size:
            return _access(x, space, self.box)
        outer = _box({c for c in self.group.cuts if c < size}, size)
        within = len(self.box) - len(outer)
        return (*_access(x, space, outer), *(0,) * within)

    def store(self, member: Map | Total) -> None:
        """Emit the writing of a member's output."""
        y, kind, x = (
            member.output,
            self.group.made[member.output],
            self.place[member.output],
        )
        if kind == "total":
            number = self.operand(y, _access(y, member.space.shape, self.box))
            self.emit("accumulate", [x], y.dtype, (member.name, number))
            return
        if y.is_view:
            strides = _access(y, y.shape, self.box)
        else:
            strides = (
                _strides(self.box)
                if kind == "element"
                else _row_strides(self.box, self.inner)
            )
        number = self.operand(y, strides)
        self.emit("store", [x], y.dtype, number, kind == "row")

    def places(self, operands: Sequence[Operand]) -> tuple[tuple[int, int] | None, ...]:
        """Return how far parts of one array, walked through alike, are apart."""
        first: dict[Any, int] = {}
        found: list[tuple[int, int] | None] = []
        for i, (slot, operand) in enumerate(zip(self.slots, operands, strict=True)):
            other = first.setdefault((slot.base, operand), i)
            apart = slot.offset() - self.slots[other].offset()
            found.append((other, apart) if other != i else None)
        return tuple(found) if any(found) else ()

    def collapsed(self) -> tuple[Any, Any]:
        """Return sizes and operands with all dimensions made one that can be.

        Rows have to become one dimension; None if they cannot.
        """
        sizes, columns = (
            list(self.box),
            [list(c) for c in zip(*(o.strides for o in self.operands), strict=True)]
            if self.operands
            else [],
        )
        if not sizes:
            sizes, columns = [1], [[0] * len(self.operands)]
        fixed = None if self.group.rows in (None, 1) else self.group.rows
        left = self.group.size
        i = len(sizes) - 1
        while i > 0:
            left //= sizes[i]
            mergeable = all(
                a == b * sizes[i]
                for a, b in zip(columns[i - 1], columns[i], strict=True)
            )
            if mergeable and left != fixed:
                sizes[i - 1 : i + 1] = [sizes[i - 1] * sizes[i]]
                columns[i - 1 : i + 1] = [columns[i]]
            i -= 1
        if self.group.rows is not None:
            if self.group.rows == 1:
                if len(sizes) > 1:
                    return None, None
                sizes, columns = [1, *sizes], [[0] * len(self.operands), *columns]
            elif math.prod(sizes[:-1]) != self.group.rows:
                return None, None
        strides = [tuple(s) for s in zip(*columns, strict=True)]
        return tuple(sizes), [
            Operand(o.dtype, s) for o, s in zip(self.operands, strides, strict=True)
        ]


# -- boxes -----------------------------------------------------------------------------


@lru_cache(maxsize=1 << 10)
def _cuts(shape: tuple[int, ...], size: int) -> frozenset[int]:
    """Return the places where axes part the elements: (2, 3, 8) does at 2 and 6."""
    return frozenset(accumulate(shape, operator.mul)) - {1, size}


def _is_chain(cuts: set[int], size: int) -> bool:
    """Whether there is a box that is parted at all the `cuts`."""
    return all(b % a == 0 for a, b in pairwise([*sorted(cuts), size]))


def _box(cuts: set[int], size: int) -> tuple[int, ...]:
    """Return the sizes of the box that is parted at the `cuts`."""
    if size == 1:
        return ()
    places = [1, *sorted(cuts - {1, size}), size]
    return tuple(b // a for a, b in pairwise(places))


@lru_cache(maxsize=1 << 10)
def _strides(box: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in elements, of an array of these sizes in C order."""
    inner = accumulate(reversed(box[1:]), operator.mul, initial=1)
    return tuple(inner)[: len(box)][::-1]


def _row_strides(box: Sequence[int], inner: int) -> tuple[int, ...]:
    """Return the strides of one value for each row of `inner` elements."""
    return tuple(s // inner if s >= inner else 0 for s in _strides(box))


def _is_minus_0(number: np.ndarray[Any, Any]) -> bool:
    if number.dtype.kind != "f" or number.any():
        return False
    return bool(np.signbit(number).all())


def _access(x: Slot, space: Sequence[int], box: Sequence[int]) -> tuple[int, ...]:
    """Return the strides with which `x`, broadcast to `space`, is read in a box."""
    if x.is_whole(space):
        return _strides(box)
    item = x.dtype.itemsize
    return _in_box(x.layout.shape, x.layout.strides, space, box, item)


@lru_cache(maxsize=1 << 10)
def _in_box(
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    space: tuple[int, ...],
    box: tuple[int, ...],
    item: int,
) -> tuple[int, ...]:
    layout = np.lib.stride_tricks.as_strided(np.empty(0, f"V{item}"), sizes, strides)
    inside = np.broadcast_to(layout, space).reshape(box, copy=False)
    return tuple(stride // item for stride in inside.strides)


def _uneven(x: Slot, space: Sequence[int]) -> int:
    """Return the last place at which `x`, broadcast, does not go on as it went."""
    if x.is_whole(space):
        return 1
    return _last_break(x.layout.shape, x.layout.strides, space)


@lru_cache(maxsize=1 << 10)
def _last_break(
    sizes: tuple[int, ...], strides: tuple[int, ...], space: tuple[int, ...]
) -> int:
    strides = strides_within(sizes, strides, space)
    sizes = tuple(n for n in space if n != 1)
    places = list(accumulate(sizes, operator.mul))
    return max(
        (
            place
            for i, place in enumerate(places[:-1])
            if strides[i] != strides[i + 1] * sizes[i + 1]
        ),
        default=1,
    )


def _rows(total: Total) -> int | None:
    """Return how many rows a total is taken over; None if not over whole rows."""
    shape = total.inputs[0].shape
    kept = [i for i, n in enumerate(shape) if n != 1 and i not in total.axes]
    gone = [i for i, n in enumerate(shape) if n != 1 and i in total.axes]
    if kept and gone and max(kept) > min(gone):
        return None
    return math.prod(shape[i] for i in kept)

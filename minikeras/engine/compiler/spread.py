"""`Spread`: a scan whose rows never meet, done by several threads, each for its rows.

The steps of a recurrent layer come one after the other, and each is too short to be
shared. But row `i` of a batch needs nothing of row `j`: so a thread can go through all
steps with one half of the batch while another does with the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

from minikeras.engine.compiler.program import (
    Call,
    Instruction,
    Map,
    Part,
    Program,
    Slot,
    Total,
)
from minikeras.engine.compiler.repeat import Repeat
from minikeras.engine.graph import Node
from minikeras.engine.loops import processors
from minikeras.engine.ops.linalg import MatMul

__all__ = ["Spread", "is_same", "shares_of"]

# Products with fewer rows lose more than a thread gains; shorter steps are over before
# another thread has begun; and in longer ones BLAS makes as good use of all threads.
LEAST_ROWS, WORTH_IT, TOO_MUCH = 16, 2_000_000, 200_000_000


class Spread(Call):
    """A scan in parts, each of which does some rows of the batch.

    Args:
        node: the scan's.
        inputs: of the whole scan.
        outputs: of the whole scan.
        parts: one for each thread.
    """

    __slots__ = ("parts",)

    def __init__(
        self,
        node: Node,
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        parts: Sequence[Repeat],
    ) -> None:
        super().__init__(node, inputs, outputs)
        self.parts = parts

    @property
    def flops(self) -> int:
        """How many floating-point operations it takes."""
        return sum(
            part.steps * sum(unit.flops for unit in part.schedule.body)
            for part in self.parts
        )


def shares_of(program: Program, fed: int) -> list[slice]:
    """Return the rows of the batch for each thread; none if one does better alone.

    Args:
        program: a step, not fused yet.
        fed: how many of its feeds, the first ones, have a row for each of the batch.
    """
    feeds = program.feeds[:fed]
    batch = feeds[0].shape[0] if feeds and feeds[0].shape else 0
    work = sum(unit.flops for unit in program if isinstance(unit, Call))
    count = min(processors(), batch // LEAST_ROWS)
    pays = count > 1 and WORTH_IT <= work < TOO_MUCH
    if not pays or not _works_by_rows(program, feeds, batch):
        return []
    ends = [batch * i // count for i in range(count + 1)]
    return [slice(*pair) for pair in pairwise(ends)]


def _works_by_rows(program: Program, fed: Collection[Slot], batch: int) -> bool:
    """Whether row `i` of what is fetched depends on row `i` of what is fed alone."""
    moving = {*fed}
    if any(x.shape[:1] != (batch,) for x in fed):
        return False

    def by_rows(x: Slot) -> bool:
        return x.base in moving and _has_rows(x, batch)

    for unit in program:
        if any(x.base in moving for x in unit.inputs):
            rule = _RULES.get(type(unit), _never)
            moving.update(y.base for y in unit.outputs)
            if not all(map(by_rows, unit.outputs)) or not rule(unit, by_rows):
                return False
    return all(isinstance(y, Slot) and by_rows(y) for y in program.fetches)


def _has_rows(x: Slot, batch: int) -> bool:
    """Whether the first axis of `x` goes through the rows of its base."""
    if x.shape[:1] != (batch,) or x.base.shape[:1] != (batch,):
        return False
    (step, *steps), row = x.layout.strides, x.base.layout.strides[0]
    reach = sum((n - 1) * s for n, s in zip(x.shape[1:], steps, strict=True))
    within = x.offset() * x.dtype.itemsize + reach < max(row, 1)
    return step == row and within and min(steps, default=0) >= 0 <= x.offset()


def _map_by_rows(unit: Map, by_rows: Callable[[Slot], bool]) -> bool:
    rank = len(unit.output.shape)
    return all(
        (by_rows(x) and len(x.shape) == rank) or _is_same_for_all_rows(x, rank)
        for x in unit.inputs
    )


def _is_same_for_all_rows(x: Slot, rank: int) -> bool:
    given = x.is_given and x.base.shape == ()
    return given or len(x.shape) < rank or x.shape[0] == 1


def _total_by_rows(unit: Total, by_rows: Callable[[Slot], bool]) -> bool:
    return by_rows(unit.inputs[0]) and 0 not in unit.axes


def _product_by_rows(unit: Call, by_rows: Callable[[Slot], bool]) -> bool:
    if not isinstance(unit.op, MatMul) or unit.op.transpose_a:
        return False
    left, right = unit.inputs
    return by_rows(left) and len(left.shape) == 2 and not by_rows(right)


def _never(unit: Instruction, by_rows: Callable[[Slot], bool]) -> bool:
    return False


_RULES: dict[type, Callable[[Any, Callable[[Slot], bool]], bool]] = {
    Map: _map_by_rows,
    Part: _map_by_rows,
    Total: _total_by_rows,
    Call: _product_by_rows,
}


def is_same(whole: Program, part: Program) -> bool:
    """Whether a program does with some rows what another does with all of them.

    It does if nothing in it has come of the number of rows.
    """
    pairs: dict[Slot, Slot] = {}
    units = whole.instructions, part.instructions
    if len(units[0]) != len(units[1]):
        return False
    for one, other in zip(*units, strict=True):
        if _kind(one) != _kind(other):
            return False
        slots = (*one.inputs, *one.outputs), (*other.inputs, *other.outputs)
        if len(slots[0]) != len(slots[1]):
            return False
        for x, y in zip(*slots, strict=True):
            if pairs.setdefault(x.base, y.base) is not y.base or not _alike(x, y):
                return False
    return True


def _kind(unit: Any) -> Any:
    """Return what an instruction does, whatever its operands are."""
    names = "name", "op", "axes"
    return type(unit), *(getattr(unit, name, None) for name in names)


def _alike(x: Slot, y: Slot) -> bool:
    """Whether two slots differ at most in the number of their rows."""
    same = x.dtype == y.dtype and x.shape[1:] == y.shape[1:]
    lies = x.layout.strides == y.layout.strides and x.offset() == y.offset()
    constants = x.base.source, y.base.source
    if any(hasattr(c, "tobytes") for c in constants):
        one, other = constants
        equal = all(hasattr(c, "tobytes") for c in constants)
        return same and equal and one.tobytes() == other.tobytes()
    return same and lies

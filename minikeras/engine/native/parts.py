"""How a loop is cut into parts for threads, and how the parts' totals come together.

The cut depends on nothing but the loop, so that results have the same bits for any
number of threads. A total over the outermost dimension gets a place per part, and a
loop of its own adds those up, in order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from minikeras.engine.loops import Instruction, Loop, Operand
from minikeras.engine.native.schedule import cost

__all__ = ["Partial", "nanoseconds", "partials", "rows_in_part"]

# Estimates, in nanoseconds: of an instruction like an addition of float32, and of a
# byte read or written.
PER_COST, PER_BYTE = 0.012, 0.011
# Loops that take so long are shared, in parts of about so long each.
SHARED, PART = 100e3, 16e3
# More parts serve nobody; with totals, they cost.
MOST_PARTS, MOST_TOTALS = 64, 16


class Partial(NamedTuple):
    """Totals of parts, to be brought together in an operand.

    Attributes:
        operand: its number.
        span: elements of memory from a part's first to its last, both included.
        first: where among them the element is that the operand's strides start from.
        merge: a loop over the parts; its operands are the parts' totals and the total.
    """

    operand: int
    span: int
    first: int
    merge: Loop


def nanoseconds(loop: Loop) -> float:
    """Return about how long a loop takes."""
    elements = math.prod(loop.sizes)
    work = sum(
        cost(i) * max(i.dtype.itemsize, 4) / 4
        for i in loop.instructions
        if not i.per_row
    )
    moved = sum(o.dtype.itemsize for o in loop.operands if o.strides[-1])
    return elements * max(work * PER_COST, moved * PER_BYTE)


def rows_in_part(loop: Loop) -> int:
    """Return how much of the outermost dimension a part has."""
    rows = loop.sizes[0]
    whole_row = len(loop.sizes) == 1 and any(
        i.name == "reduce" for i in loop.instructions
    )
    estimate = nanoseconds(loop)
    if estimate < SHARED or whole_row:
        return rows
    parts = min(MOST_PARTS, int(estimate / PART), rows)
    for partial in _totals(loop):
        # Merging should cost little beside the loop itself.
        most = math.prod(loop.sizes) // (8 * partial.span)
        parts = max(1, min(parts, MOST_TOTALS, most))
    share = -(-rows // parts)
    return share if len(loop.sizes) > 1 else -(-share // 64) * 64


def partials(loop: Loop) -> list[Partial]:
    """Return the totals that a loop's parts must bring together, if it has parts."""
    return _totals(loop) if rows_in_part(loop) < loop.sizes[0] else []


def _totals(loop: Loop) -> list[Partial]:
    return [
        _partial(loop, *instruction.attribute)
        for instruction in loop.instructions
        if instruction.name == "accumulate"
        and loop.operands[instruction.attribute[1]].strides[0] == 0
    ]


def _partial(loop: Loop, ufunc: str, number: int) -> Partial:
    dtype, strides = loop.operands[number]
    kept = [(n, s) for n, s in zip(loop.sizes, strides, strict=True) if s]
    span = 1 + sum((n - 1) * abs(s) for n, s in kept)
    first = sum((n - 1) * -s for n, s in kept if s < 0)
    inner = tuple(s for _, s in kept)
    # How many parts there will be is not known here. The code for a number that does
    # not make whole vectors is the code for any.
    merge = Loop(
        sizes=(MOST_TOTALS - 1, *(n for n, _ in kept)),
        operands=(Operand(dtype, (span, *inner)), Operand(dtype, (0, *inner))),
        instructions=(
            Instruction("load", (), dtype, 0),
            Instruction("accumulate", (0,), dtype, (ufunc, 1)),
        ),
    )
    return Partial(number, span, first, merge)

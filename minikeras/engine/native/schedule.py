"""In which order, how wide and how often a loop's instructions are done.

A row is worked off in *passes* over its elements: a value that depends on a total of
the row needs another pass after the one that makes the total. What an earlier pass
computed is computed again where it is wanted later, or kept in a buffer if that is
dearer. A row no longer than a vector needs no passes: all its values stay in
registers.

What does not change along the row, or not even from row to row, is computed outside.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Sequence
from typing import NamedTuple

from minikeras.engine.loops import Instruction, Loop
from minikeras.engine.native.halves import widened
from minikeras.engine.native.jit import Host
from minikeras.engine.native.ufuncs import UFUNCS

__all__ = ["Pass", "Schedule", "cost", "schedule"]

# Bytes of the widest dtype's vector; LLVM makes as many registers of it as it takes.
VECTOR_BYTES = 64
# The same where little is done but totals, as each addition waits for the one before:
# several registers are several totals. Elsewhere it only takes longer to compile.
TOTALING_BYTES, LITTLE = 256, 4
# A row with totals that fits in a vector of this many bytes is done at once: its values
# need not be kept or computed again.
FLAT_BYTES = 256
# Bytes of a row's buffers, on a thread's stack.
BUFFER_BYTES = 1 << 16
# Values that took less are computed again rather than kept.
WORTH_KEEPING = 8


# From so many elements on, whole vectors get code of their own beside that for parts
# of vectors, which does for all otherwise: it runs faster, and takes longer to compile.
MANY = 1 << 15


class Pass(NamedTuple):
    """One pass over the elements of a row; numbers are those of instructions.

    Attributes:
        before: per row, once the totals of earlier passes are known.
        elements: per element.
        kept: values read from the buffer that an earlier pass wrote.
        keep: values written to a buffer.
    """

    before: tuple[int, ...]
    elements: tuple[int, ...]
    kept: tuple[int, ...]
    keep: tuple[int, ...]


class Schedule(NamedTuple):
    """How a loop is done.

    Attributes:
        lanes: numbers in a vector.
        flat: whether a row is one vector.
        split: whether whole vectors have code of their own.
        levels: what is computed before the loop over each dimension.
        passes: over a row's elements; of a flat row none.
        spread: per-row values that are wanted in all lanes.
    """

    lanes: int
    flat: bool
    split: bool
    levels: tuple[tuple[int, ...], ...]
    passes: tuple[Pass, ...]
    spread: frozenset[int]


def canonical(loop: Loop) -> Loop:
    """Return a loop that has the same code: another outermost size, as a rule.

    Code knows all sizes but that, and of that whether it makes the elements many, and
    of a loop's only dimension also whether it is made of whole vectors.
    """
    loop = widened(loop)
    first, *rest = loop.sizes
    inner = math.prod(rest)
    many = first * inner >= MANY
    if rest:
        return loop._replace(sizes=(-(-MANY // inner) if many else 1, *rest))
    lanes, _ = _width(loop)
    parted = first % lanes != 0
    return loop._replace(sizes=((2 * MANY if many else lanes) - parted,))


def _power(n: int) -> int:
    """Return the least power of two that is not below n."""
    return 1 << max(n - 1, 0).bit_length()


def cost(instruction: Instruction) -> int:
    """Return roughly how many additions take as long as an instruction."""
    ufunc = UFUNCS.get(instruction.name)
    return ufunc.cost if ufunc else 1


def schedule(loop: Loop, host: Host) -> Schedule:
    """Return how to do a loop.

    Args:
        loop: what `canonical` returned.
        host: the processor.
    """
    lanes, flat = _width(loop)
    split = math.prod(loop.sizes) >= MANY or not host.masks
    stages = _stages(loop)
    levels = _levels(loop, flat, stages)
    outside = {i for level in levels for i in level}
    passes = () if flat else _passes(loop, stages, outside)
    spread = frozenset(
        source
        for i, instruction in enumerate(loop.instructions)
        if not once_per_row(loop, i)
        for source in instruction.inputs
        if loop.instructions[source].per_row
    )
    return Schedule(lanes, flat, split, levels, passes, spread)


def once_per_row(loop: Loop, i: int) -> bool:
    """Return whether an instruction is done once per row, not per element."""
    instruction = loop.instructions[i]
    if instruction.name not in ("store", "accumulate"):
        return instruction.per_row and instruction.name != "reduce"
    source = loop.instructions[instruction.inputs[0]]
    return source.per_row and loop.operands[written(instruction)].strides[-1] == 0


def written(instruction: Instruction) -> int:
    """Return the operand that a store or accumulate writes."""
    to = instruction.attribute
    return to if instruction.name == "store" else to[1]


def _width(loop: Loop) -> tuple[int, bool]:
    """Return the lanes of a vector, and whether a row is just one."""
    per_element = [i for i in loop.instructions if not i.per_row]
    widest = max((i.dtype.itemsize for i in per_element), default=8)
    length = _power(loop.sizes[-1])
    totaling = any(i.name in ("reduce", "accumulate") for i in loop.instructions)
    most = (FLAT_BYTES if totaling else VECTOR_BYTES) // widest
    if len(loop.sizes) > 1 and length <= min(64, most):
        return length, True
    little = totaling and sum(map(cost, per_element)) <= LITTLE
    size = TOTALING_BYTES if little else VECTOR_BYTES
    return min(length, 64, size // widest), False


def _stages(loop: Loop) -> list[int]:
    """Return for each instruction how many passes must be over before it is done."""
    stages: list[int] = []
    for instruction in loop.instructions:
        stage = max((stages[i] for i in instruction.inputs), default=0)
        stages.append(stage + (instruction.name == "reduce"))
    return stages


def _levels(loop: Loop, flat: bool, stages: list[int]) -> tuple[tuple[int, ...], ...]:
    """Return what is computed before the loop over each dimension."""
    last = len(loop.sizes) - 1
    chosen: list[list[int]] = [[] for _ in loop.sizes]
    found: dict[int, int] = {}
    for number, instruction in enumerate(loop.instructions):
        level = max((found.get(i, last) for i in instruction.inputs), default=0)
        if instruction.name == "load":
            strides = loop.operands[instruction.attribute].strides[:-1]
            level = max((d + 1 for d, s in enumerate(strides) if s), default=0)
        early = flat or (instruction.per_row and stages[number] == 0)
        if early and instruction.name not in ("store", "accumulate"):
            found[number] = level
            chosen[level].append(number)
    return tuple(map(tuple, chosen))


def _passes(loop: Loop, stages: list[int], outside: Container[int]) -> tuple[Pass, ...]:
    """Return the passes over a row that is longer than a vector."""
    count = 1 + max(stages)
    before: list[list[int]] = [[] for _ in range(count)]
    roots: list[list[int]] = [[] for _ in range(count)]
    for i, instruction in enumerate(loop.instructions):
        if instruction.name in ("reduce", "store", "accumulate"):
            if not once_per_row(loop, i):
                stage = stages[i] - (instruction.name == "reduce")
                # A row is written when all of it has been read.
                roots[-1 if instruction.name == "store" else stage].append(i)
        elif instruction.per_row and i not in outside:
            before[stages[i]].append(i)
    buffers = _Buffers(loop)
    split = [buffers.split(number, roots[number]) for number in range(count)]
    return tuple(
        Pass(
            before=tuple(before[number]),
            elements=tuple(elements),
            kept=tuple(kept),
            keep=tuple(sorted(buffers.keep[number])),
        )
        for number, (elements, kept) in enumerate(split)
    )


class _Buffers:
    """Decides, pass after pass, which earlier values to keep and which to recompute."""

    def __init__(self, loop: Loop) -> None:
        self.keep: dict[int, set[int]] = defaultdict(set)
        self._instructions = loop.instructions
        self._made: dict[int, int] = {}  # the pass that computes a value first
        self._length = loop.sizes[-1]
        # Of a loop of one dimension the length is known only when it runs.
        self._room = BUFFER_BYTES if len(loop.sizes) > 1 else 0
        self._weights: list[int] = []
        for instruction in loop.instructions:
            inner = sum(self._weights[i] for i in instruction.inputs)
            row = instruction.per_row
            self._weights.append(0 if row else cost(instruction) + inner)

    def split(self, number: int, roots: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return what a pass computes, in order, and what it reads from buffers."""
        needed: set[int] = set()
        kept: set[int] = set()
        frontier = list(roots)
        while frontier:
            i = frontier.pop()
            if i in needed or i in kept:
                continue
            if self._keeps(i):
                kept.add(i)
                continue
            needed.add(i)
            inputs = self._instructions[i].inputs
            frontier += [x for x in inputs if not self._instructions[x].per_row]
        for i in needed:
            self._made.setdefault(i, number)
        stores = [i for i in needed if self._instructions[i].name == "store"]
        return sorted(needed.difference(stores)) + sorted(stores), sorted(kept)

    def _keeps(self, i: int) -> bool:
        """Return whether an earlier pass leaves value `i` in a buffer."""
        if i not in self._made or self._weights[i] < WORTH_KEEPING:
            return False
        keep = self.keep[self._made[i]]
        size = self._length * self._instructions[i].dtype.itemsize
        if i not in keep and size > self._room:
            return False
        if i not in keep:
            self._room -= size
            keep.add(i)
        return True

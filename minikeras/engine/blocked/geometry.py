"""The box of a loop: fewer dimensions that say the same, and its division in blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from minikeras.engine.loops import Loop, Operand

__all__ = [
    "Block",
    "Blocks",
    "collapsed",
    "halves",
    "pieces",
    "rows_matter",
    "undivided",
]


class Block(NamedTuple):
    """One part of the box.

    Attributes:
        number: of the block.
        shape: of the part.
        parts: a slice in each dimension; none if the part is the box.
    """

    number: int
    shape: tuple[int, ...]
    parts: tuple[slice, ...] = ()


class Blocks(NamedTuple):
    """The division of a box: dimension `axis` is cut, those before it stepped through.

    Attributes:
        sizes: of the box.
        axis: what is cut; -1 if nothing is, and all is one block.
        cuts: where the pieces of that dimension begin and end.
    """

    sizes: tuple[int, ...]
    axis: int
    cuts: tuple[tuple[int, int], ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape of the largest block."""
        if self.axis < 0:
            return self.sizes
        longest = max(stop - start for start, stop in self.cuts)
        return (*[1] * self.axis, longest, *self.sizes[self.axis + 1 :])

    def walk(self) -> Iterator[Block]:
        """Yield the blocks, in C order."""
        if self.axis < 0:
            yield Block(0, self.sizes)
            return
        inner = self.sizes[self.axis + 1 :]
        outer = product(*map(range, self.sizes[: self.axis]))
        for number, (steps, cut) in enumerate(product(outer, self.cuts)):
            parts = [slice(at, at + 1) for at in steps]
            parts += [slice(*cut), *(slice(0, size) for size in inner)]
            shape = (*[1] * self.axis, cut[1] - cut[0], *inner)
            yield Block(number, shape, tuple(parts))


def rows_matter(loop: Loop) -> bool:
    """Return whether the results depend on what the loop calls a row."""
    return any(
        step.name == "reduce"
        or (step.name == "accumulate" and loop.instructions[step.inputs[0]].per_row)
        for step in loop.instructions
    )


def collapsed(loop: Loop) -> Loop:
    """Return the same loop in as few dimensions as its operands' strides allow."""
    dims = [
        (size, tuple(operand.strides[d] for operand in loop.operands))
        for d, size in enumerate(loop.sizes)
    ]
    row = [dims.pop()] if rows_matter(loop) else []
    dims = [(size, strides) for size, strides in dims if size != 1]
    if not row and all(step.name != "accumulate" for step in loop.instructions):
        # Any order is right: that of memory is fastest.
        dims.sort(key=lambda dim: -sum(map(abs, dim[1])))
    merged: list[tuple[int, tuple[int, ...]]] = []
    for size, strides in dims:
        if merged and merged[-1][1] == tuple(stride * size for stride in strides):
            merged[-1] = (merged[-1][0] * size, strides)
        else:
            merged.append((size, strides))
    merged += row
    if not merged:
        merged = [(1, (0,) * len(loop.operands))]
    operands = [
        Operand(operand.dtype, tuple(strides[k] for _, strides in merged))
        for k, operand in enumerate(loop.operands)
    ]
    return Loop(tuple(size for size, _ in merged), tuple(operands), loop.instructions)


def undivided(sizes: tuple[int, ...]) -> Blocks:
    """Return the box as one block."""
    return Blocks(sizes, -1, ((0, 1),))


def pieces(
    sizes: tuple[int, ...], elements: int, multiple: int, keep_rows: bool
) -> Blocks:
    """Return blocks of at most about so many elements, but of one row at least.

    The dimension that is cut is cut in a multiple of so many pieces if it can be.
    """
    axes = len(sizes) - keep_rows
    inner = [math.prod(sizes[axis + 1 :]) for axis in range(axes)]
    axis = next((d for d, n in enumerate(inner) if n <= elements), axes - 1)
    if axis < 0 or 0 in sizes:
        return undivided(sizes)
    size = sizes[axis]
    count = -(-size // max(elements // inner[axis], 1))
    count = -(-count // multiple) * multiple
    length = -(-size // count)
    if inner[axis] == 1:
        length = -(-length // 64) * 64  # whole cache lines
    cuts = [(at, min(at + length, size)) for at in range(0, size, length)]
    return Blocks(sizes, axis, tuple(cuts))


def halves(size: int, elements: int) -> Blocks:
    """Return one dimension cut as NumPy's pairwise sum cuts it, 2**n pieces.

    The sums of the pieces, added in pairs, then pairs of pairs, have the very bits of
    the sum of the whole.
    """
    cuts = [(0, size)]
    while cuts[0][1] > elements and cuts[0][1] > 256:
        cuts = [part for cut in cuts for part in _half(*cut)]
    return Blocks((size,), 0, tuple(cuts))


def _half(start: int, stop: int) -> tuple[tuple[int, int], tuple[int, int]]:
    middle = (stop - start) // 2
    middle += start - middle % 8
    return (start, middle), (middle, stop)

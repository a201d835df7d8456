"""Binding a loop to its arrays: how to divide it, and the calls that then do it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minikeras.engine.blocked.geometry import (
    Blocks,
    collapsed,
    halves,
    pieces,
    rows_matter,
    undivided,
)
from minikeras.engine.blocked.places import Array, Scratchpad
from minikeras.engine.blocked.running import bound
from minikeras.engine.blocked.schedule import Schedule
from minikeras.engine.loops import Loop, processors

__all__ = ["bind"]

# Bytes that a block reads, writes and keeps. More than most second-level caches hold:
# a larger block is slower by less than it saves in calls, of 0.2 µs each, and in waits
# for the first elements of each.
CACHE = 2**21
# Elements times calls from which on threads pay.
WORTH_THREADS = 2**21


def bind(
    loop: Loop, arrays: Sequence[Array], scratchpad: Scratchpad | None = None
) -> list[Callable[[], Any]]:
    """Return calls without arguments that, made in order, run `loop` on `arrays`.

    Args:
        loop: what to do.
        arrays: those of its operands, of which only the first element's place counts.
        scratchpad: shared with other loops, none of which runs at the same time.
    """
    loop = collapsed(loop)
    views = [_view(loop, k, array) for k, array in enumerate(arrays)]
    whole = Schedule(loop, views, undivided(loop.sizes))
    worth = math.prod(loop.sizes) * len(whole.each) >= WORTH_THREADS
    threads = processors() if worth else 1
    schedule = _divided(loop, views, whole, threads)
    if schedule.serial and threads > 1:
        threads, schedule = 1, _divided(loop, views, whole, 1)
    return bound(schedule, scratchpad or Scratchpad(), threads)


def _divided(
    loop: Loop, views: Sequence[Array], whole: Schedule, threads: int
) -> Schedule:
    """Return a schedule in blocks; `whole` if there is no need to divide, or no way."""
    blocks = _division(loop, _bytes(views) + whole.slots.size, threads)
    if blocks.axis < 0 or _repeats(loop, views, blocks):
        return whole
    return Schedule(loop, views, blocks)


def _view(loop: Loop, k: int, array: Array) -> Array:
    strides = loop.operands[k].strides
    shape = [n if s else 1 for n, s in zip(loop.sizes, strides, strict=True)]
    return as_strided(array, shape, [s * array.itemsize for s in strides])


def _bytes(views: Sequence[Array]) -> int:
    """Return the size of the operands; one written over another is not counted."""
    return sum({view.ctypes.data: view.nbytes for view in views}.values())


def _division(loop: Loop, size: int, threads: int) -> Blocks:
    """Return blocks that each take a cache of what takes `size` bytes in all.

    They can be shared evenly among so many threads.
    """
    if size <= CACHE and threads == 1:
        return undivided(loop.sizes)
    elements = math.prod(loop.sizes) * min(CACHE, size // threads) // size
    last = len(loop.sizes) - 1
    totals = [
        loop.operands[step.attribute[1]].strides
        for step in loop.instructions
        if step.name == "accumulate"
    ]
    if totals and not (last or rows_matter(loop)):
        return halves(loop.sizes[0], elements)
    rows = rows_matter(loop) or not all(strides[last] for strides in totals)
    return pieces(loop.sizes, elements, threads, rows)


def _repeats(loop: Loop, views: Sequence[Array], blocks: Blocks) -> bool:
    """Return whether several blocks would write the same output over an input.

    The second of them would read what the first has written.
    """
    for step in loop.instructions:
        if step.name == "store":
            output = views[step.attribute]
            cut = [size != 1 for size in output.shape[: blocks.axis + 1]]
            if any(cut) and not all(cut) and _overlaps(loop, views, output):
                return True
    return False


def _overlaps(loop: Loop, views: Sequence[Array], output: Array) -> bool:
    """Return whether an input may lie where an output does."""
    return any(
        np.may_share_memory(views[step.attribute], output)
        for step in loop.instructions
        if step.name == "load"
    )

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
from minikeras.engine.blocked.places import Array
from minikeras.engine.blocked.running import bound, processors
from minikeras.engine.blocked.schedule import Schedule
from minikeras.engine.loops import Loop

__all__ = ["bind"]

# Bytes that a block reads, writes and keeps.
CACHE = 2**19
# Elements times calls from which on threads pay.
WORTH_THREADS = 2**21


def bind(loop: Loop, arrays: Sequence[Array]) -> list[Callable[[], Any]]:
    """Return calls without arguments that, made in order, run `loop` on `arrays`.

    Args:
        loop: what to do.
        arrays: those of its operands, of which only the first element's place counts.
    """
    loop = collapsed(loop)
    views = [_view(loop, k, array) for k, array in enumerate(arrays)]
    schedule = Schedule(loop, views, undivided(loop.sizes))
    blocks = _division(loop, _bytes(views) + sum(schedule.slots.sizes))
    if _repeats(loop, views, blocks):
        blocks = undivided(loop.sizes)
    elif blocks.axis >= 0:
        schedule = Schedule(loop, views, blocks)
    worth = math.prod(loop.sizes) * len(schedule.each) >= WORTH_THREADS
    threads = processors() if worth and not schedule.serial else 1
    return bound(schedule, blocks, threads)


def _view(loop: Loop, k: int, array: Array) -> Array:
    strides = loop.operands[k].strides
    shape = [n if s else 1 for n, s in zip(loop.sizes, strides, strict=True)]
    return as_strided(array, shape, [s * array.itemsize for s in strides])


def _bytes(views: Sequence[Array]) -> int:
    """Return the size of the operands; one written over another is not counted."""
    return sum({view.ctypes.data: view.nbytes for view in views}.values())


def _division(loop: Loop, size: int) -> Blocks:
    """Return blocks that each take a cache of what takes `size` bytes in all."""
    if size <= CACHE:
        return undivided(loop.sizes)
    elements = math.prod(loop.sizes) * CACHE // size
    last = len(loop.sizes) - 1
    totals = [
        loop.operands[step.attribute[1]].strides
        for step in loop.instructions
        if step.name == "accumulate"
    ]
    if totals and not last:
        return halves(loop.sizes[0], elements)
    rows = rows_matter(loop) or not all(strides[last] for strides in totals)
    return pieces(loop.sizes, elements, rows)


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

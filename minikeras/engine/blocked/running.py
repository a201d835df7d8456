"""A schedule's calls bound to views, in one list or in one for each thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minikeras.engine.blocked.calls import Call
from minikeras.engine.blocked.geometry import Block
from minikeras.engine.blocked.places import Memory, Scratchpad
from minikeras.engine.blocked.schedule import Schedule
from minikeras.engine.blocked.threads import together

__all__ = ["bound"]

Thunk = Callable[[], Any]


def bound(schedule: Schedule, scratchpad: Scratchpad, threads: int) -> list[Thunk]:
    """Return calls without arguments that, in order, do what the schedule says."""
    shares = _shares(list(schedule.blocks.walk()), threads)
    memories = [scratchpad.memory(i, schedule.slots.size) for i in range(len(shares))]
    pairs = zip(shares, memories, strict=True)
    each = [_bound(schedule.each, share, memory) for share, memory in pairs]
    everything = [Block(0, schedule.blocks.sizes)]
    return [
        *_bound(schedule.before, everything, memories[0]),
        *(each[0] if len(each) == 1 else [partial(together, each)]),
        *_bound(schedule.after, everything, memories[0]),
    ]


def _bound(
    calls: Sequence[Call], blocks: Sequence[Block], memory: Memory
) -> list[Thunk]:
    return [
        partial(function, *[place(block, memory) for place in places], *options)
        for block in blocks
        for function, places, options in calls
    ]


def _shares(blocks: Sequence[Block], threads: int) -> list[Sequence[Block]]:
    size = -(-len(blocks) // threads)
    return [blocks[at : at + size] for at in range(0, len(blocks), size)]

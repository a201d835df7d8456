"""Running a schedule: calls bound to views, in one list or one for each thread."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from operator import call
from typing import Any

from minikeras.engine.blocked.calls import Call
from minikeras.engine.blocked.geometry import Block, Blocks
from minikeras.engine.blocked.places import Memory
from minikeras.engine.blocked.schedule import Schedule

__all__ = ["bound", "processors"]

Thunk = Callable[[], Any]


def bound(schedule: Schedule, blocks: Blocks, threads: int = 1) -> list[Thunk]:
    """Return calls without arguments that, in order, do what the schedule says."""
    everything = Block(0, tuple([slice(0, size) for size in blocks.sizes]))
    before = _bound(schedule.before, [everything], Memory(()))
    after = _bound(schedule.after, [everything], Memory(()))
    parts = _shares(list(blocks.walk()), threads)
    each = [_bound(schedule.each, part, Memory(schedule.slots.sizes)) for part in parts]
    return [
        *before,
        *(each[0] if len(each) == 1 else [partial(_together, each)]),
        *after,
    ]


def _bound(
    calls: Sequence[Call], blocks: Iterable[Block], memory: Memory
) -> list[Thunk]:
    return [
        partial(function, *[place(block, memory) for place in places], *options)
        for block in blocks
        for function, places, options in calls
    ]


def _shares(blocks: Sequence[Block], threads: int) -> list[Sequence[Block]]:
    size = -(-len(blocks) // threads)
    return [blocks[at : at + size] for at in range(0, len(blocks), size)]


# -- threads ---------------------------------------------------------------------------


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _together(shares: Sequence[Sequence[Thunk]]) -> None:
    """Make the calls of each share in a thread of its own."""
    submit = _pool().submit
    others = [submit(copy_context().run, _run, share) for share in shares[1:]]
    _run(shares[0])
    for other in others:
        other.result()


def _run(calls: Sequence[Thunk]) -> None:
    deque(map(call, calls), maxlen=0)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(processors() - 1, "blocked")


if hasattr(os, "register_at_fork"):  # threads do not survive in a forked process
    os.register_at_fork(after_in_child=_pool.cache_clear)

"""Threads that share a loop's calls: NumPy runs them at once, but for 0.2 µs of each.

Each has a fixed share, so that the results do not depend on which of them is faster.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import cache
from operator import call
from queue import SimpleQueue
from threading import Thread
from typing import Any

__all__ = ["together"]

Calls = Sequence[Callable[[], Any]]


def together(shares: Sequence[Calls]) -> None:
    """Make the calls of each share in a thread of its own; return when all are made."""
    jobs, ends = _workers(len(shares) - 1), SimpleQueue[BaseException | None]()
    for share in shares[1:]:  # under the caller's error handling, which is context
        jobs.put((copy_context().run, share, ends))
    try:
        _make(shares[0])
    finally:
        failures = [ends.get() for _ in shares[1:]]
    for failure in failures:
        if failure:
            raise failure


@cache
def _workers(count: int) -> SimpleQueue[Any]:
    """Start so many threads; return what they take their jobs from."""
    jobs: SimpleQueue[Any] = SimpleQueue()
    for _ in range(count):
        Thread(target=_work, args=(jobs,), daemon=True).start()
    return jobs


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_workers.cache_clear)


def _work(jobs: SimpleQueue[Any]) -> None:
    while True:
        run, share, ends = jobs.get()
        try:
            run(_make, share)
            ends.put(None)
        except BaseException as failure:
            ends.put(failure)


def _make(calls: Calls) -> None:
    deque(map(call, calls), maxlen=0)

"""OpenBLAS's own threads, held back where they do more harm than good.

After a product they go on running for a while, waiting for the next one, on processors
that the threads of loops are to have. For a small product that is a bad bargain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from minikeras.engine.kernels import openblas

__all__ = ["in_one_thread", "one_thread"]


class _Threads(NamedTuple):
    """OpenBLAS's functions for the number of its threads."""

    get: Callable[[], int]
    set: Callable[[int], Any]


class _OneThread:
    """A context in which OpenBLAS uses the calling thread alone, in any number of them.

    With another BLAS it does nothing.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._open = 0
        self._before = 1

    def __enter__(self) -> None:
        threads = _threads()
        if threads is None:
            return
        with self._lock:
            if not self._open:
                self._before = threads.get()
                threads.set(1)
            self._open += 1

    def __exit__(self, *_: object) -> None:
        threads = _threads()
        if threads is None:
            return
        with self._lock:
            self._open -= 1
            if not self._open:
                threads.set(self._before)


one_thread = _OneThread()


def in_one_thread(call: Callable[[], Any]) -> Callable[[], Any]:
    """Return a call that OpenBLAS does not share among its threads."""
    threads = _threads()
    if threads is None or threads.get() == 1:
        return call

    def alone() -> None:
        with one_thread:
            call()

    return alone


@cache
def _threads() -> _Threads | None:
    """Return OpenBLAS's functions, None if NumPy has another BLAS."""
    get, change = (openblas.function(f"{verb}_num_threads") for verb in ("get", "set"))
    return _Threads(get, change) if get and change else None

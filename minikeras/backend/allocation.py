"""How much memory variables may take: a limit for what a file asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from minikeras.engine.ops.state import Handle

__all__ = ["allocation_limit"]

_left: ContextVar[list[Any] | None] = ContextVar("allocation_limit", default=None)


@contextmanager
def allocation_limit(size: int) -> Iterator[None]:
    """Let variables made inside take at most `size` bytes, all of them together.

    Raises:
        MemoryError: before one is made that would take more.
    """
    token = _left.set([size, size])
    try:
        yield
    finally:
        _left.reset(token)


def charge(handle: Handle) -> None:
    """Take a variable's bytes off the limit, if there is one."""
    limit = _left.get()
    if limit is None:
        return
    limit[0] -= math.prod(n or 0 for n in handle.shape or ()) * handle.dtype.size
    if limit[0] < 0:
        raise MemoryError(
            f"variable '{handle.name}' of shape {handle.shape} would take more than is "
            f"left of {limit[1]:,} bytes"
        )

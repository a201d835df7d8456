"""Whether objects are being made from a file, which may come from anywhere.

Inside such a scope nothing outside the file is read, and a slot of a config takes only
what its own room lists, or what a user has registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["SafeModeScope", "in_safe_mode", "staying_here", "stays_here"]

_safe: ContextVar[bool | None] = ContextVar("safe_mode", default=None)
_here: ContextVar[bool] = ContextVar("stays_here", default=False)


@contextmanager
def SafeModeScope(safe_mode: bool | None = True) -> Iterator[None]:  # noqa: N802
    """Inside, configs are trusted as far as `safe_mode` says; None says nothing."""
    token = _safe.set(safe_mode)
    try:
        yield
    finally:
        _safe.reset(token)


def in_safe_mode() -> bool | None:
    """Return what the scope around says, None where there is none."""
    return _safe.get()


@contextmanager
def staying_here() -> Iterator[None]:
    """Inside, configs are for this program alone: functions stand for themselves."""
    token = _here.set(True)
    try:
        yield
    finally:
        _here.reset(token)


def stays_here() -> bool:
    """Return whether configs are for this program alone."""
    return _here.get()

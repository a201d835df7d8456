"""Ops by name: how ``a @ b`` and saved graphs find them without importing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["OPS", "find", "register"]

OPS: dict[str, Callable[..., Any]] = {}


def register(name: str, op: Callable[..., Any]) -> None:
    """Enter `op` under `name`; a name is taken once."""
    if name in OPS:
        raise ValueError(f"an op named {name!r} exists already: {OPS[name]}")
    OPS[name] = op


def find(name: str) -> Callable[..., Any]:
    """Return the op class registered under `name`."""
    return OPS[name]

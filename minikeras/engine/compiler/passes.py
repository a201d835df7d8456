"""Which passes the compiler makes: all, unless some are switched off.

    with without("fuse"):
        model.fit(x, y)          # plans made in here keep their loops apart

``MINIKERAS_WITHOUT=fuse,native`` in the environment does the same for a whole process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["PASSES", "is_on", "without"]

PASSES = {
    "compile": "make plans into calls on fixed memory; off: run them node by node",
    "wait": "compile what `Session.run` is asked for when it is asked again",
    "share": "compute equal values once",
    "algebra": "leave out multiplications by one and the like",
    "defer": "do what is used once where it is used",
    "fuse": "make loops of elementwise instructions and reductions",
    "spread": "let threads share the batch of a loop whose rows never meet",
    "native": "make machine code of the loops, if llvmlite is installed",
    "in_place": "write variables where they lie",
    "join": "update many variables by one loop, on memory where they lie in a row",
    "reuse": "let values lie where others have been",
}


def _checked(names: frozenset[str]) -> frozenset[str]:
    for name in names - PASSES.keys():
        raise ValueError(f"there is no pass {name!r}; there are {', '.join(PASSES)}")
    return names


def _from_environment() -> frozenset[str]:
    names = os.environ.get("MINIKERAS_WITHOUT", "").split(",")
    return _checked(frozenset(name.strip() for name in names if name.strip()))


_everywhere = _from_environment()
_off: ContextVar[frozenset[str]] = ContextVar("off", default=_everywhere)


def is_on(name: str) -> bool:
    """Whether plans that are made now go through this pass."""
    return name not in _off.get()


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Leave passes out of the plans that are made inside.

    Raises:
        ValueError: if there is no pass of such a name.
    """
    token = _off.set(_off.get() | _checked(frozenset(names)))
    try:
        yield
    finally:
        _off.reset(token)

"""Rows of a table: taken by their numbers, and added back where they were taken."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine.spec import Array

__all__ = ["adding", "taking"]

Bound = Callable[[], Any]


def taking(y: Array, x: Array, indices: Array, axis: int, otherwise: Bound) -> Bound:
    """Return the call that writes ``x.take(indices, axis)`` to `y`.

    Args:
        y: what is written.
        x: what is taken from.
        indices: from -n up to, not with, n, the size of the axis.
        axis: along which they count.
        otherwise: is called if an index is out of range.
    """
    places, n = np.empty(indices.shape, np.intp), x.shape[axis]
    # Without a sign, what is below 0 even now is larger than any place.
    unsigned = places.view(np.uintp).reshape(-1)

    def call() -> None:
        np.add(indices, n, places)
        if np.maximum.reduce(unsigned, initial=0) >= 2 * n:
            otherwise()
        # Where NumPy itself looks for indices out of range, it copies what it writes.
        x.take(places, axis, y, "wrap")

    return call


def adding(xp: ModuleType, y: Array, rows: Array, g: Array) -> Bound:
    """Return the call that clears `y`, and then adds g[i] to y[rows[i]] for each i.

    It goes by single numbers at flat places, for which NumPy has a fast path; numbers
    side by side are added in pairs, as the two parts of a complex one, in half the
    time. The order of the additions is fixed on NumPy. CuPy adds atomically, so there
    the last bits of a sum over a repeated row may differ from run to run.

    Shapes:
        y: (n, width)
        rows: (m)
        g: (m, width), or in more axes the same in this order
    """
    kind = {"f4": "c8", "f8": "c16"}.get(y.dtype.str[1:]) if xp is np else None
    paired = kind is not None and y.shape[1] % 2 == 0
    width = y.shape[1] // (1 + paired)
    columns = xp.arange(width)
    starts = xp.empty((len(rows), 1), columns.dtype)
    places = xp.empty((len(rows), width), columns.dtype)

    def flat(array: Array) -> Array:
        line = xp.ascontiguousarray(array).reshape(-1)
        return line.view(kind) if paired else line

    def call() -> None:
        y.fill(0)
        xp.multiply(rows[:, None], width, starts)
        xp.add(starts, columns, places)
        xp.add.at(flat(y), places.reshape(-1), flat(g))

    return call

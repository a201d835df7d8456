"""One call of NumPy for an instruction, its result written to where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minikeras.engine.blocked.lowering import BITS, integer
from minikeras.engine.blocked.places import Array, Place, Scratch, seen, spread
from minikeras.engine.loops import Instruction

__all__ = ["Call", "call", "copy", "headed", "total", "ufunc"]


class Call(NamedTuple):
    """`function` of the views of `places`, then of `options`."""

    function: Callable[..., Any]
    places: tuple[Place, ...]
    options: tuple[Any, ...] = ()


def call(step: Instruction, inputs: Sequence[Place], out: Place) -> Call:
    """Return the call that does a lowered instruction within a block."""
    if step.name in ("cast", "load"):
        return copy(inputs[0], out)
    if step.name == "total":
        name, axes = step.attribute
        if name in ("maximum", "minimum") and step.per_row:
            return _extreme(name, axes, step.dtype, inputs[0], out)
        return total(name, axes, step.dtype, inputs[0], out)
    places = [seen(place, _plain) for place in (*inputs, out)]
    if step.name.startswith(BITS):
        dtype = integer(step.dtype)
        places = [seen(place, lambda array: array.view(dtype)) for place in places]
    return Call(ufunc(step.name.removeprefix(BITS)), tuple(places))


def _plain(array: Array) -> Array:
    """Return one number as an array without dimensions, which NumPy takes faster."""
    return array.reshape(()) if array.size == 1 else array


def copy(x: Place, out: Place) -> Call:
    """Return the call that writes `x` to `out`, in the dtype of that."""
    return Call(np.copyto, (out, x), ("unsafe",))


def total(
    name: str, axes: Sequence[int], dtype: np.dtype[Any], x: Place, out: Place
) -> Call:
    """Return the call that writes the total of `x` over `axes`, which stay as 1."""
    ufunc, axis = getattr(np, name), tuple(axes)

    def function(array: Array, out: Array) -> None:
        ufunc.reduce(array, axis, dtype, out, True)

    return Call(function, (spread(x, axis), out))


def _extreme(
    name: str, axes: Sequence[int], dtype: np.dtype[Any], x: Place, out: Place
) -> Call:
    """Return the same for the greatest or least of a row, in half of the time.

    It is the first of a row's segments, of which there is just one.
    """
    ufunc, (axis,), begins = getattr(np, name), axes, np.zeros(1, np.intp)

    def function(array: Array, out: Array) -> None:
        ufunc.reduceat(array, begins, axis, dtype, out)

    return Call(function, (spread(x, axes), out))


def headed(
    name: str, dtype: np.dtype[Any], x: Scratch, running: Place
) -> tuple[Call, Call]:
    """Return the calls that add the rows of `x` to a running total, one by one.

    It stands before the first row, so that NumPy goes on from it.
    """
    reduce = getattr(np, name).reduce
    first = seen(x.rows, lambda rows: rows[0])
    total = seen(running, lambda array: array[(0,) * x.head])

    def function(rows: Array, out: Array) -> None:
        reduce(rows, 0, dtype, out)

    return copy(total, first), Call(function, (x.rows, total))


def ufunc(name: str) -> Callable[..., Any]:
    """Return a ufunc that takes its output as last argument, which is fastest."""
    return _KEYWORD_ONLY.get(name) or getattr(np, name)


def _maximum(x: Array, y: Array, out: Array) -> None:
    np.maximum(x, y, out=out)


def _minimum(x: Array, y: Array, out: Array) -> None:
    np.minimum(x, y, out=out)


# NumPy will take a third positional argument of these for one more input.
_KEYWORD_ONLY = {"maximum": _maximum, "minimum": _minimum}

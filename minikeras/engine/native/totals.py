"""Totals: many numbers brought together by one ufunc, in a fixed order.

Each lane has a total of its own; at the end the second half of the lanes is added to
the first, until one is left. So the order depends on nothing but the loop. Long sums
of floats keep more digits than they return: those of float32 are made in float64,
those of float64 carry along what each addition rounded away.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minikeras.engine.native.function import Function, State
from minikeras.engine.native.ufuncs import UFUNCS
from minikeras.engine.native.values import DType, Value, where

__all__ = ["Total", "has_total"]

FLOAT64 = np.dtype(np.float64)

# What changes nothing; for maximum and minimum it depends on the dtype.
IDENTITIES: dict[str, float] = {
    "add": 0,
    "multiply": 1,
    "fmax": math.nan,
    "fmin": math.nan,
    "logical_and": True,
    "logical_or": False,
    "logical_xor": False,
    "bitwise_and": -1,
    "bitwise_or": 0,
    "bitwise_xor": 0,
    "logaddexp": -math.inf,
}


def has_total(ufunc: str, dtype: DType) -> bool:
    """Return whether numbers of this dtype have a total of this dtype by the ufunc."""
    if ufunc.startswith("logical") and dtype.kind != "b":
        return False
    if ufunc in ("fmax", "fmin") and dtype.kind != "f":
        return False
    known = ufunc in IDENTITIES or ufunc in ("maximum", "minimum")
    return known and UFUNCS[ufunc].takes(dtype)


def _identity(ufunc: str, dtype: DType) -> Any:
    if ufunc in IDENTITIES:
        return IDENTITIES[ufunc]
    least = ufunc == "maximum"
    if dtype.kind == "b":
        return not least
    if dtype.kind == "f":
        return -math.inf if least else math.inf
    return np.iinfo(dtype).min if least else np.iinfo(dtype).max


def _sum_and_error(x: Value, y: Value) -> tuple[Value, Value]:
    """Return x + y, and what its rounding took away (Knuth's two-sum)."""
    total = x + y
    back = total - x
    return total, (x - (total - back)) + (y - back)


class Total(NamedTuple):
    """How numbers of one dtype are brought together.

    Attributes:
        ufunc: its name.
        dtype: of the numbers and of the total.
        long: whether they are so many that a sum should keep more digits.
    """

    ufunc: str
    dtype: DType
    long: bool

    @property
    def _wide(self) -> bool:
        return self._longer and self.dtype.itemsize == 4

    @property
    def _longer(self) -> bool:
        return self.long and self.ufunc == "add" and self.dtype.kind == "f"

    def start(self, code: Function, lanes: int) -> State:
        """Return the total of nothing, one per lane."""
        number = _identity(self.ufunc, self.dtype)
        if self._wide:
            return (code.constant(number, FLOAT64, lanes),)
        zero = code.constant(number, self.dtype, lanes)
        return (zero, zero) if self._longer else (zero,)

    def of(self, value: Value, mask: Value | None) -> State:
        """Return the totals of one value per lane, none outside the mask."""
        if mask:
            value = where(mask, value, _identity(self.ufunc, self.dtype))
        if self._wide:
            return (value.cast(FLOAT64),)
        return (value, value.like(0.0)) if self._longer else (value,)

    def add(self, state: State, value: Value, mask: Value | None = None) -> State:
        """Return the totals with one more value in the lanes of the mask."""
        return self._merge(state, self.of(value, mask))

    def _merge(self, x: State, y: State) -> State:
        if len(x) == 2:
            total, error = _sum_and_error(x[0], y[0])
            return total, x[1] + y[1] + error
        return (UFUNCS[self.ufunc].formula(x[0], y[0]),)

    def fold(self, state: State) -> State:
        """Return the total of all lanes."""
        lanes = state[0].lanes
        while lanes > 1:
            lanes //= 2
            halves = (
                tuple(value.part(begin, lanes) for value in state)
                for begin in (0, lanes)
            )
            state = self._merge(*halves)
        return tuple(value.part(0, 0) if value.lanes else value for value in state)

    def result(self, state: State) -> Value:
        """Return totals in the dtype that was asked for."""
        if self._wide:
            return state[0].cast(self.dtype)
        if self._longer:
            total, error = state
            # An infinite total has no error, but the difference of two infinities.
            return where(error.is_nan(), total, total + error)
        return state[0]

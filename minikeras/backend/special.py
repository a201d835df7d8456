"""Special functions, divisors and neighbors of numbers; maxima that skip NaN."""

from __future__ import annotations

from typing import Any

from minikeras.backend.introspection import cast, dtype, long_as_float
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    erfc,
    erfinv,
    gcd,
    lcm,
    nextafter,
    signbit,
    sinc,
    view,
)

__all__ = [
    "cbrt",
    "erfc",
    "erfinv",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "i0",
    "lcm",
    "nextafter",
    "signbit",
    "sinc",
    "view",
]


def cbrt(x: Any) -> Tensor:
    """Return the cube root of `x`, which is negative where `x` is."""
    return engine.cbrt(long_as_float(x))


def i0(x: Any) -> Tensor:
    """Return the modified Bessel function of the first kind, of order 0."""
    return engine.i0(long_as_float(x))


def fmax(x1: Any, x2: Any) -> Tensor:
    """Return the larger of `x1` and `x2`; where one is NaN, the other."""
    return engine.maximum(*_without_nan(x1, x2))


def fmin(x1: Any, x2: Any) -> Tensor:
    """Return the smaller of `x1` and `x2`; where one is NaN, the other."""
    return engine.minimum(*_without_nan(x1, x2))


def _without_nan(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return both, each with the other where it is not a number."""
    return engine.where(engine.isnan(x), y, x), engine.where(engine.isnan(y), x, y)


def fmod(x1: Any, x2: Any) -> Tensor:
    """Return the remainder of x1 / x2, with the sign of `x1`."""
    if dtype(x1) == dtype(x2) == "bool":
        x1 = cast(x1, "int32")
    return engine.fmod(x1, x2)

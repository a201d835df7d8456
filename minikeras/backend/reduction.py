"""Many elements become one: sums, means, extremes; and their running forms."""

from __future__ import annotations

from typing import Any

from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    all,
    any,
    count_nonzero,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]

# `any` is the reduction here, so the type is written out.
Value = Any


def argmax(x: Value, axis: int | None = -1) -> Tensor:
    """Return where the largest element along `axis` is: the first, if several are."""
    return engine.argmax(x, axis)


def argmin(x: Value, axis: int | None = -1) -> Tensor:
    """Return where the smallest element along `axis` is: the first, if several are."""
    return engine.argmin(x, axis)


def cumsum(x: Value, axis: int | None = 0) -> Tensor:
    """Return the sum of the elements so far along `axis`.

    Example:
        >>> cumsum(np.array([1.0, 2.0, 3.0]))
        array([1., 3., 6.])
    """
    return engine.cumsum(x, axis)


def cumprod(x: Value, axis: int | None = 0) -> Tensor:
    """Return the product of the elements so far along `axis`."""
    return engine.cumprod(x, axis)

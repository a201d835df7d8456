"""Reductions, and their running forms, under Keras 3's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axes = int | Sequence[int] | None

sum = eager(K.sum)
mean = eager(K.mean)
var = eager(K.var)
std = eager(K.std)
logsumexp = eager(K.logsumexp)
amax = eager(K.max)
amin = eager(K.min)
# The two names are reductions here, which `Any` keeps out of type annotations.
all = eager(K.all)
any = eager(K.any)


@eager
def prod(x: Any, axis: Axes = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Return the product of `x` over `axis`, computed in `dtype` if it is given."""
    return K.prod(x if dtype is None else K.cast(x, dtype), axis, keepdims)


@eager
def max(x: Any, axis: Axes = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest element of `x` over `axis`, at least `initial`."""
    return _at_least(K.max, K.maximum, x, axis, keepdims, initial)


@eager
def min(x: Any, axis: Axes = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest element of `x` over `axis`, at most `initial`."""
    return _at_least(K.min, K.minimum, x, axis, keepdims, initial)


def _at_least(
    extreme: Any, of_two: Any, x: Any, axis: Axes, keepdims: bool, initial: Any
) -> Any:
    """Return the extreme of `x` and `initial`, which stands for it if it is empty."""
    if initial is None:
        return extreme(x, axis, keepdims)
    if 0 in (K.int_shape(x) or ()):
        return K.full_like(K.sum(x, axis, keepdims), initial)
    return of_two(extreme(x, axis, keepdims), K.cast(initial, K.dtype(x)))


@eager
def ptp(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the largest element of `x` over `axis` minus the smallest."""
    return K.subtract(K.max(x, axis, keepdims), K.min(x, axis, keepdims))


@eager
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the largest element is, in `x` made flat if `axis` is None."""
    return engine.argmax(x, axis, keepdims)


@eager
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the smallest element is, in `x` made flat if `axis` is None."""
    return engine.argmin(x, axis, keepdims)


@eager
def count_nonzero(x: Any, axis: Axes = None) -> Any:
    """Return how many elements of `x` over `axis` are not 0."""
    return K.count_nonzero(x, axis)


@eager
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the sum of the elements so far, of `x` made flat if `axis` is None."""
    return K.cumsum(x if dtype is None else K.cast(x, dtype), axis)


@eager
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the product of the elements so far, of `x` made flat if `axis` is None."""
    return K.cumprod(x if dtype is None else K.cast(x, dtype), axis)


@eager
def average(x: Any, axis: Axes = None, weights: Any = None) -> Any:
    """Return the mean of `x` over `axis`, each element counted by its weight.

    `weights` has the shape of `x`, or is a vector along the one `axis`.
    """
    if weights is None:
        return K.mean(x, axis)
    if isinstance(axis, int) and K.rank(weights) < K.rank(x):
        behind = K.rank(x) - 1 - axis % K.rank(x)
        weights = K.expand_dims(weights, range(-behind, 0))
    weights = K.multiply(weights, K.ones_like(x))
    return K.divide(K.sum(K.multiply(x, weights), axis), K.sum(weights, axis))

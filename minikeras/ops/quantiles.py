"""Quantiles, and reductions that leave NaN out, under Keras 3's names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager
from minikeras.ops.reduction import cumprod, cumsum

__all__ = [
    "median",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "percentile",
    "quantile",
]

Axes = int | Sequence[int] | None


def _filled(x: Any, value: float) -> Any:
    """Return `x` with `value` in place of NaN."""
    x = K.convert_to_tensor(x)
    return K.where(K.isnan(x), value, x)


@eager
def nansum(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the sum of the elements over `axis` that are not NaN."""
    return K.sum(_filled(x, 0), axis, keepdims)


@eager
def nanprod(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the product of the elements over `axis` that are not NaN."""
    return K.prod(_filled(x, 1), axis, keepdims)


@eager
def nanmax(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the largest of the elements over `axis` that are not NaN."""
    return _extreme(K.max, -math.inf, x, axis, keepdims)


@eager
def nanmin(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the smallest of the elements over `axis` that are not NaN."""
    return _extreme(K.min, math.inf, x, axis, keepdims)


def _extreme(find: Any, least: float, x: Any, axis: Axes, keepdims: bool) -> Any:
    """Return the extreme of what is not NaN, and NaN where there is nothing else."""
    if not K.is_float_dtype(K.dtype(x)):
        return find(x, axis, keepdims)
    y = find(_filled(x, least), axis, keepdims)
    return K.where(K.all(K.isnan(x), axis, keepdims), math.nan, y)


@eager
def nanmean(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the mean of the elements over `axis` that are not NaN."""
    count = K.sum(K.logical_not(K.isnan(x)), axis, keepdims)
    return K.divide(K.sum(_filled(x, 0), axis, keepdims), count)


@eager
def nanvar(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the variance of the elements over `axis` that are not NaN."""
    apart = K.subtract(x, nanmean(x, axis, keepdims=True))
    return nanmean(K.square(apart), axis, keepdims)


@eager
def nanstd(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the standard deviation of the elements over `axis` that are not NaN."""
    return K.sqrt(nanvar(x, axis, keepdims))


@eager
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the largest element is that is not NaN; -1 where all are."""
    return _place(engine.argmax, -math.inf, x, axis, keepdims)


@eager
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the smallest element is that is not NaN; -1 where all are."""
    return _place(engine.argmin, math.inf, x, axis, keepdims)


def _place(find: Any, least: float, x: Any, axis: Axes, keepdims: bool) -> Any:
    place = find(_filled(x, least), axis, keepdims)
    return K.where(K.all(K.isnan(x), axis, keepdims), -1, place)


@eager
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the sum of the elements so far that are not NaN; see `cumsum`."""
    return cumsum(_filled(x, 0), axis, dtype)


@eager
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the product of the elements so far that are not NaN; see `cumprod`."""
    return cumprod(_filled(x, 1), axis, dtype)


# -- quantiles -------------------------------------------------------------------------


@eager
def quantile(
    x: Any, q: Any, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the number below which a share `q` of the elements lies.

    It is NaN where an element is.

    Args:
        x: of floating point, or made so.
        q: shares in [0, 1], a number or a vector; with a vector the result has it as
            its first axis.
        axis: over which; all axes if None.
        method: which number between two elements: "linear", "lower", "higher",
            "midpoint" or "nearest".
        keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: if there is no such method.
    """
    rows, axes = _ordered(x, axis)
    last = K.cast(K.shape(rows)[-1] - 1, K.dtype(rows))
    place = K.multiply(_shares(q, rows), last)
    y = _between(lambda i: K.take(rows, i, -1), place, method)
    y = K.where(K.isnan(rows[..., -1:]), math.nan, y)
    return _arranged(y, q, axes, keepdims)


@eager
def nanquantile(
    x: Any, q: Any, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the `quantile` of the elements that are not NaN."""
    rows, axes = _ordered(x, axis)
    count = K.sum(K.logical_not(K.isnan(rows)), -1, keepdims=True)
    last = K.cast(K.maximum(count - 1, 0), K.dtype(rows))
    place = K.multiply(_shares(q, rows), last)
    y = _between(lambda i: K.take_along_axis(rows, i, -1), place, method)
    return _arranged(y, q, axes, keepdims)


def _shares(q: Any, rows: Any) -> Any:
    """Return shares as a vector, in the dtype of the numbers."""
    return K.cast(K.reshape(q, (-1,)), K.dtype(rows))


def _ordered(x: Any, axis: Axes) -> tuple[Any, list[int]]:
    """Return `x` with all `axis` as one, the last, in rising order; and the axes."""
    x = K.divide(x, 1)
    shape = tuple(range(K.rank(x)))
    axes = shape if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = [i % len(shape) for i in axes]
    rest = [i for i in shape if i not in axes]
    last = [*(K.shape(x)[i] for i in rest), -1]
    return K.sort(K.reshape(K.transpose(x, [*rest, *axes]), last), -1), axes


def _between(at: Callable[[Any], Any], place: Any, method: str) -> Any:
    """Return what lies at a `place` between two elements, of which `at` has those."""
    low, high = K.floor(place), K.ceil(place)
    weight = _weight(method, K.subtract(place, low))
    below, above = (at(K.cast(i, "int32")) for i in (low, high))
    there = K.logical_or(K.equal(low, high), K.equal(weight, 0))
    between = K.add(below, K.multiply(K.subtract(above, below), weight))
    return K.where(there, below, between)  # which may be infinite


def _arranged(y: Any, q: Any, axes: list[int], keepdims: bool) -> Any:
    """Return quantiles, one for each `q` along the last axis, as they are returned."""
    many = K.rank(q)
    y = K.moveaxis(y, -1, 0) if many else K.squeeze(y, -1)
    return K.expand_dims(y, [i + many for i in sorted(axes)]) if keepdims else y


def _weight(method: str, fraction: Any) -> Any:
    """Return the weight of the upper of two neighbors, `fraction` from the lower."""
    weights = {
        "linear": lambda: fraction,
        "lower": lambda: 0.0,
        "higher": lambda: 1.0,
        "midpoint": lambda: 0.5,
        "nearest": lambda: K.round(fraction),
    }
    if method not in weights:
        raise ValueError(
            f"quantile: method is one of {', '.join(weights)}; got {method!r}"
        )
    return weights[method]()


@eager
def percentile(
    x: Any, q: Any, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the number below which `q` percent of the elements lie; see `quantile`."""
    return quantile(x, K.divide(q, 100), axis, method, keepdims)


@eager
def nanpercentile(
    x: Any, q: Any, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the `percentile` of the elements that are not NaN."""
    return nanquantile(x, K.divide(q, 100), axis, method, keepdims)


@eager
def median(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the number below which half of the elements lie."""
    return quantile(x, 0.5, axis, keepdims=keepdims)


@eager
def nanmedian(x: Any, axis: Axes = None, keepdims: bool = False) -> Any:
    """Return the `median` of the elements that are not NaN."""
    return nanquantile(x, 0.5, axis, keepdims=keepdims)

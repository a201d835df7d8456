"""Reductions of rows by number: all rows with one number make one row of the result.

Rows whose number is none of those asked for are left out, as in JAX: they are reduced
to one row more, which is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.arithmetic import divide_no_nan
from minikeras.engine.ops.comparison import equal, where
from minikeras.engine.ops.cumulative import delay, linear_recurrence
from minikeras.engine.ops.filling import ones_like, zeros_like
from minikeras.engine.ops.indexing import scatter_nd, take
from minikeras.engine.ops.joining import concatenate
from minikeras.engine.ops.reshaping import as_sizes, expand_dims, operand, shape
from minikeras.engine.ops.selection import check_integers
from minikeras.engine.ops.slicing import getitem
from minikeras.engine.ops.sorting import argsort
from minikeras.engine.ops.state import cast
from minikeras.engine.shapes import merge
from minikeras.engine.spec import Array, Spec

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def _segments(reduce: Callable[..., Tensor], x: Any, ids: Any, count: Any) -> Tensor:
    """Return the rows of `x` reduced by number."""
    ids, count = operand(ids), operand(count)
    inside = (ids >= 0) & (ids < count)
    return getitem(reduce(x, where(inside, ids, count), count + 1), slice(None, -1))


def _row_sums(x: Any, ids: Any, count: Any) -> Tensor:
    """Return the sums of the rows of `x` by number; all numbers are in range."""
    sizes = concatenate([as_sizes((count,)), shape(x)[1:]], 0)
    return scatter_nd(expand_dims(ids, -1), x, sizes)


def segment_sum(x: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    """Return the sums of the rows of `x` that have the same number.

    Args:
        x: rows along the first axis.
        segment_ids: a number for each row, in any order. Rows with a number below 0, or
            not below `num_segments`, are left out.
        num_segments: how many numbers there are.

    Shapes:
        x: (rows, *row)
        segment_ids: (rows)
        returns: (num_segments, *row)
    """
    return _segments(_row_sums, x, segment_ids, num_segments)


class SegmentReduction(Op):
    """y[i] = what a ufunc makes of all x[j] with ids[j] = i; its identity of none."""

    ufunc: ClassVar[np.ufunc]

    def infer(self, x: Spec, ids: Spec, count: Spec) -> Spec:
        check_integers(self.name, ids)
        if not x.known:
            raise ShapeError(f"{self.name}: a scalar has no rows")
        merge(ids.known, x.known[:1])
        return Spec((*(count.value or (None,)), *x.known[1:]), x.dtype)

    def kernel(self, xp: ModuleType, x: Array, ids: Array, count: Array) -> Array:
        order = xp.argsort(ids, kind="stable")
        numbers = ids[order]
        y = xp.full((int(count), *x.shape[1:]), self.identity(x.dtype), x.dtype)
        if len(numbers):
            first = xp.flatnonzero(numbers[1:] != numbers[:-1]) + 1
            first = xp.concatenate([xp.zeros(1, first.dtype), first])
            y[numbers[first]] = getattr(xp, self.ufunc.__name__).reduceat(
                x[order], first, 0
            )
        return y

    def identity(self, dtype: np.dtype[Any]) -> Any:
        """Return what a row without any x is made of."""
        return self.ufunc.identity


class SegmentExtreme(SegmentReduction):
    """The largest or smallest; those that tie share the gradient."""

    sign: ClassVar[int]  # of infinity, from which it starts

    def identity(self, dtype: np.dtype[Any]) -> Any:
        if dtype.kind == "b":
            return self.sign > 0
        if dtype.kind not in "iu":
            return self.sign * np.inf
        return np.iinfo(dtype).max if self.sign > 0 else np.iinfo(dtype).min

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, ids: Tensor, count: Tensor
    ) -> tuple[Tensor, None, None]:
        hits = cast(equal(x, take(y, ids, 0)), g.dtype)
        share = divide_no_nan(g, _row_sums(hits, ids, count))
        return take(share, ids, 0) * hits, None, None


class SegmentMax(SegmentExtreme, name="segment_max"):
    """y[i] = the largest of all x[j] with ids[j] = i; -inf if there are none."""

    ufunc = np.maximum
    sign = -1


def segment_max(x: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    """Return the largest of the rows with the same number; see `segment_sum`."""
    return _segments(SegmentMax(), x, segment_ids, num_segments)


class SegmentMin(SegmentExtreme, name="segment_min"):
    """y[i] = the smallest of all x[j] with ids[j] = i; inf if there are none."""

    ufunc = np.minimum
    sign = 1


def segment_min(x: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    """Return the smallest of the rows with the same number; see `segment_sum`."""
    return _segments(SegmentMin(), x, segment_ids, num_segments)


class SegmentProd(SegmentReduction, name="segment_prod"):
    """y[i] = the product of all x[j] with ids[j] = i."""

    ufunc = np.multiply

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, ids: Tensor, count: Tensor
    ) -> tuple[Tensor, None, None]:
        # With zeros among the factors, division is no way to the other factors.
        order = argsort(ids)
        rows, numbers = take(x, order, 0), take(ids, order)
        others = _factors(rows, numbers, False) * _factors(rows, numbers, True)
        return take(take(g, numbers, 0) * others, argsort(order), 0), None, None


def _factors(x: Tensor, ids: Tensor, reverse: bool) -> Tensor:
    """Return the products of the rows before (or behind) each, of the same number."""
    numbers = ids + 1  # as what enters below is 0
    same = equal(delay(numbers, 0, reverse), numbers)
    same = expand_dims(same, tuple(range(1, len(x.spec.known))))
    keep = where(same, delay(x, 0, reverse), zeros_like(x))
    return linear_recurrence(keep, where(same, zeros_like(x), ones_like(x)), 0, reverse)


def segment_prod(x: Any, segment_ids: Any, num_segments: Any) -> Tensor:
    """Return the products of the rows with the same number; see `segment_sum`."""
    return _segments(SegmentProd(), x, segment_ids, num_segments)

"""Gather and scatter: rows and elements by number, and back to where they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import dtypes, shapes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels.rows import adding, taking
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.reshaping import (
    Sizes,
    as_sizes,
    operand,
    reshape,
    sizes_of,
)
from minikeras.engine.ops.selection import Selection, check_integers, overlaid
from minikeras.engine.ops.slicing import getitem
from minikeras.engine.spec import Array, Spec

__all__ = [
    "argwhere",
    "boolean_mask",
    "gather_nd",
    "one_hot",
    "scatter_nd",
    "take",
    "take_along_axis",
]


class Gather(Selection, name="take"):
    """y[..., i, ...] = x[..., indices[i], ...], along `axis`."""

    axis: int
    binds = True

    def infer(self, x: Spec, indices: Spec) -> Spec:
        check_integers("take", indices)
        i = shapes.axis_of(self.axis, len(x.known))
        found = (*x.known[:i], *indices.known, *x.known[i + 1 :])
        return Spec(found, x.dtype, self.values(x, indices))

    def kernel(self, xp: ModuleType, x: Array, indices: Array) -> Array:
        return xp.take(x, indices, self.axis)

    def traced(self, xp: ModuleType, x: Array, indices: Array) -> Array:
        """Return a view of x, if it is known that the indices are an even sequence."""
        return x[_even(indices, self.axis, x.shape)]

    def bind(self, y: Array, x: Array, indices: Array) -> Callable[[], object]:
        """Return the call that writes what is taken in these arrays."""
        return taking(y, x, indices, self.axis, partial(self.kernel, np, x, indices))

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *indices: Array
    ) -> Array:
        with suppress(TypeError):
            place = _even(indices[0], self.axis, shape)
            return overlaid(xp, g, shape, place, 0)
        return super().scatter(xp, g, shape, *indices)

    def bind_scatter(self, y: Array, g: Array, *indices: Array) -> Callable[[], object]:
        if self.axis != 0 or not y.size:
            return super().bind_scatter(y, g, *indices)
        numbers, rows = np.arange(len(y)), np.empty(indices[0].shape, np.intp)
        take = taking(rows, numbers, indices[0], 0, partial(numbers.take, indices[0]))
        add = adding(np, y.reshape(len(y), -1), rows.reshape(-1), g)
        return lambda: (take(), add())

    def depth(self, rank: int, *indices: Array) -> int:
        return shapes.axis_of(self.axis, rank) + 1


def _even(indices: Array, axis: int, shape: Sequence[int]) -> tuple[slice, ...]:
    """Return the index of slices that takes what `indices` do along `axis`.

    Raises:
        TypeError: if they are not known, or not a growing sequence of even steps.
    """
    n = shape[axis]
    if not isinstance(indices, np.ndarray) or indices.ndim != 1 or not indices.size:
        raise TypeError("indices to be looked up one by one")
    first, last = int(indices[0]), int(indices[-1])
    step = int(indices[1]) - first if indices.size > 1 else 1
    if step < 1 or first < 0 or last >= n:
        raise TypeError("indices to be looked up one by one")
    if not np.array_equal(indices, np.arange(first, last + 1, step)):
        raise TypeError("indices to be looked up one by one")
    whole = (slice(None),) * shapes.axis_of(axis, len(shape))
    return (*whole, slice(first, last + 1, step))


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements of `x` at `indices` along `axis`, in the place of that axis.

    Args:
        x: what to take from.
        indices: integers of any shape; negative ones count from the end.
        axis: that is indexed; None for `x` made flat.

    Raises:
        ExecutionError: on NumPy, if an index is out of range during a run.

    Shapes:
        x: (*before, n, *after)
        indices: (*picks)
        returns: (*before, *picks, *after)
    """
    return (
        Gather(0)(reshape(x, -1), indices) if axis is None else Gather(axis)(x, indices)
    )


class TakeAlongAxis(Selection, name="take_along_axis"):
    """y[..., i, ...] = x[..., indices[..., i, ...], ...], along `axis`."""

    axis: int

    def infer(self, x: Spec, indices: Spec) -> Spec:
        check_integers("take_along_axis", indices)
        given, wanted = list(x.known), indices.known
        if len(given) != len(wanted):
            raise ShapeError(
                f"take_along_axis: x of shape {shapes.show(x.shape)} and indices of "
                f"shape {shapes.show(wanted)} differ in rank"
            )
        given[shapes.axis_of(self.axis, len(given))] = 1
        others = shapes.broadcast(tuple(given), wanted)
        return Spec(others, x.dtype)

    def kernel(self, xp: ModuleType, x: Array, indices: Array) -> Array:
        return xp.take_along_axis(x, indices, self.axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Return, for each position in the other axes, its own pick along `axis`.

    Args:
        x: what to take from.
        indices: integers; as many axes as `x`, the others of x's sizes or 1.
        axis: that is indexed; None for `x` made flat.
    """
    if axis is None:
        return TakeAlongAxis(0)(reshape(x, -1), indices)
    return TakeAlongAxis(axis)(x, indices)


class GatherNd(Selection, name="gather_nd"):
    """y[i] = x[indices[i]], where the last axis of `indices` is a position in x."""

    def infer(self, x: Spec, indices: Spec) -> Spec:
        check_integers("gather_nd", indices)
        *batch, length = indices.known or (0,)
        if length is None:
            return Spec(None, x.dtype)
        if not 0 < length <= len(x.known):
            raise ShapeError(
                f"gather_nd: positions of {length} numbers in an array of shape "
                f"{shapes.show(x.shape)}"
            )
        return Spec((*batch, *x.known[length:]), x.dtype)

    def kernel(self, xp: ModuleType, x: Array, indices: Array) -> Array:
        return x[tuple(xp.moveaxis(indices, -1, 0))]

    def depth(self, rank: int, *indices: Array) -> int:
        return indices[0].shape[-1]


def gather_nd(x: Any, indices: Any) -> Tensor:
    """Return the elements, or rows, of `x` at the positions in `indices`.

    Shapes:
        x: (d_1, ..., d_k, *row)
        indices: (*batch, k)
        returns: (*batch, *row)
    """
    return GatherNd()(x, indices)


class ScatterNd(Op, name="scatter_nd"):
    """y is 0, plus updates[i] at each indices[i]."""

    any_rank = True

    def infer(self, indices: Spec, updates: Spec, shape: Spec) -> Spec:
        check_integers("scatter_nd", indices)
        found = Spec(sizes_of(shape), updates.dtype)
        if None not in (found.shape, indices.shape):
            shapes.merge(GatherNd().infer(found, indices).shape, updates.shape)
        return found

    def kernel(
        self, xp: ModuleType, indices: Array, updates: Array, shape: Array
    ) -> Array:
        return GatherNd().scatter(xp, updates, shape.tolist(), indices)

    def vjp(
        self, g: Tensor, y: Tensor, indices: Tensor, updates: Tensor, shape: Tensor
    ) -> tuple[None, Tensor, None]:
        return None, gather_nd(g, indices), None


def scatter_nd(indices: Any, updates: Any, shape: Sizes) -> Tensor:
    """Return zeros of `shape` with `updates` added at the positions in `indices`.

    Shapes:
        indices: (*batch, k)
        updates: (*batch, *row)
        returns: (d_1, ..., d_k, *row), which is `shape`
    """
    return ScatterNd()(indices, updates, as_sizes(shape))


def boolean_mask(x: Any, mask: Any, axis: int = 0) -> Tensor:
    """Return the rows of `x` for which `mask` is true, those along `axis`.

    Args:
        x: what to take from.
        mask: truth values; it covers as many axes of `x`, from `axis` on, as it has.
        axis: the first axis that is masked.
    """
    return getitem(x, (*(slice(None),) * axis, operand(mask)))


class ArgWhere(Op, name="argwhere"):
    """y[i] is the position of the i-th element of x that is not 0."""

    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec((None, len(x.known)), dtypes.as_dtype("int32"))

    def infer_any_rank(self, x: Spec) -> Spec:
        return Spec((None, None), dtypes.as_dtype("int32"))

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.argwhere(x).astype("int32")


def argwhere(x: Any) -> Tensor:
    """Return the positions of the elements of `x` that are not 0, in order.

    Shapes:
        x: (d_1, ..., d_k)
        returns: (found, k)
    """
    return ArgWhere()(x)


class OneHot(Op, name="one_hot"):
    """y[..., j] = on_value if j = indices[...], else off_value."""

    depth: int
    on_value: float
    off_value: float
    axis: int
    dtype: DType
    vjp = no_gradient

    def infer(self, indices: Spec) -> Spec:
        check_integers("one_hot", indices)
        i = shapes.axis_of(self.axis, len(indices.known) + 1)
        sizes = indices.known
        return Spec((*sizes[:i], self.depth, *sizes[i:]), self.dtype)

    def infer_any_rank(self, indices: Spec) -> Spec:
        return Spec(None, self.dtype)

    def kernel(self, xp: ModuleType, indices: Array) -> Array:
        i = shapes.axis_of(self.axis, indices.ndim + 1)
        classes = xp.arange(self.depth).reshape(-1, *(1,) * (indices.ndim - i))
        hot = xp.expand_dims(indices, i) == classes
        dtype = self.dtype.as_numpy_dtype
        if (self.on_value, self.off_value) == (1, 0):
            return hot.astype(dtype)
        on, off = dtype.type(self.on_value), dtype.type(self.off_value)
        return xp.where(hot, on, off)


def one_hot(
    indices: Any,
    depth: int,
    on_value: float = 1,
    off_value: float = 0,
    axis: int = -1,
    dtype: Any = None,
) -> Tensor:
    """Return `on_value` at each index, along a new axis, and `off_value` elsewhere.

    Args:
        indices: integers; one below 0, or not below `depth`, is nowhere on.
        depth: size of the new axis.
        on_value: where the new axis' number is the index.
        off_value: everywhere else.
        axis: position of the new axis in the result.
        dtype: of the result; the default float if None.
    """
    wanted = dtypes.floatx() if dtype is None else dtypes.as_dtype(dtype)
    return OneHot(int(depth), on_value, off_value, axis, wanted)(
        indices, name="one_hot"
    )

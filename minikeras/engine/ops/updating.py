"""Blocks and rows of an array, read and replaced; the array itself is left alone."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.indexing import GatherNd, gather_nd
from minikeras.engine.ops.reshaping import Sizes, as_sizes, elements, operand, shape
from minikeras.engine.ops.selection import Selection, overlaid
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = ["scatter_update", "slice", "slice_update"]


def _block(start: Sequence[int], sizes: Sequence[int]) -> tuple[builtins.slice, ...]:
    return tuple(builtins.slice(b, b + n) for b, n in zip(start, sizes, strict=True))


class Slice(Selection, name="slice"):
    """y[i, j, ...] = x[start_0 + i, start_1 + j, ...]."""

    any_rank = True

    def infer(self, x: Spec, start: Spec, size: Spec) -> Spec:
        wanted = elements(size)
        if wanted is None or x.shape is None:
            sizes = wanted and tuple(None if n == -1 else n for n in wanted)
            return Spec(sizes, x.dtype)
        first = elements(start) or (None,) * len(wanted)
        if not len(first) == len(wanted) == len(x.shape):
            raise ShapeError(
                f"slice: {len(first)} starts and {len(wanted)} sizes for shape "
                f"{shapes.show(x.shape)}"
            )
        sizes = tuple(map(_extent, x.shape, first, wanted))
        return Spec(sizes, x.dtype, self.values(x, start, size))

    def kernel(self, xp: ModuleType, x: Array, start: Array, size: Array) -> Array:
        first = start.tolist()
        sizes = [
            n - b if wanted == -1 else wanted
            for n, b, wanted in zip(x.shape, first, size.tolist(), strict=True)
        ]
        y = x[_block(first, sizes)]
        if y.shape != tuple(sizes):
            raise IndexError(f"no block of shape {sizes} starts at {first}")
        return y

    def scatter(
        self,
        xp: ModuleType,
        g: Array,
        shape: Sequence[int],
        *indices: Array,
    ) -> Array:
        return overlaid(xp, g, shape, _block(indices[0].tolist(), g.shape), 0)


def _extent(n: int | None, first: int | None, size: int | None) -> int | None:
    """Return the size of a block along one axis, of size `n`; -1 is all the rest."""
    if n is None or first is None or size is None:
        return None if size == -1 else size
    if first < 0 or size < -1 or first + size > n:
        raise ShapeError(
            f"slice: {size} elements from {first} on, in an axis of size {n}"
        )
    return n - first if size == -1 else size


def slice(x: Any, start: Sizes, size: Sizes) -> Tensor:
    """Return the block of `x` that begins at `start`.

    Args:
        x: what to cut from.
        start: the position of its first element, one integer an axis.
        size: how many elements to take along each axis; -1 for all that follow.

    Raises:
        ShapeError: if it is known that `x` has no such block.
    """
    return Slice()(x, as_sizes(start), as_sizes(size))


class SliceUpdate(Op, name="slice_update"):
    """y is x, but for the block at `start`, which is `updates`."""

    def infer(self, x: Spec, start: Spec, updates: Spec) -> Spec:
        first = elements(start) or (None,) * len(x.known)
        if not len(x.known) == len(first) == len(updates.known):
            raise ShapeError(
                f"slice_update: a block of shape {shapes.show(updates.shape)} at "
                f"{shapes.show(first)} does not fit into {shapes.show(x.shape)}"
            )
        for sizes in zip(x.known, first, updates.known, strict=True):
            _extent(*sizes)
        return x

    def kernel(self, xp: ModuleType, x: Array, start: Array, updates: Array) -> Array:
        place = _block(start.tolist(), updates.shape)
        return overlaid(xp, updates, x.shape, place, x)

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, start: Tensor, updates: Tensor
    ) -> tuple[Tensor, None, Tensor]:
        rest = slice_update(g, start, zeros_like(updates))
        return rest, None, slice(g, start, shape(updates))


def slice_update(x: Any, start: Sizes, updates: Any) -> Tensor:
    """Return `x` with the block that begins at `start` replaced by `updates`.

    Raises:
        ShapeError: if it is known that the block does not fit.
    """
    x = operand(x)
    return SliceUpdate()(x, as_sizes(start), cast(updates, x.dtype))


class ScatterUpdate(Op, name="scatter_update"):
    """y is x, but y[indices[i]] = updates[i]."""

    def infer(self, x: Spec, indices: Spec, updates: Spec) -> Spec:
        shapes.merge(GatherNd().infer(x, indices).shape, updates.shape)
        return x

    def kernel(self, xp: ModuleType, x: Array, indices: Array, updates: Array) -> Array:
        y = x.copy()
        y[tuple(xp.moveaxis(indices, -1, 0))] = updates
        return y

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, indices: Tensor, updates: Tensor
    ) -> tuple[Tensor, None, Tensor]:
        rest = scatter_update(g, indices, zeros_like(updates))
        return rest, None, gather_nd(g, indices)


def scatter_update(x: Any, indices: Any, updates: Any) -> Tensor:
    """Return `x` with the rows at `indices` replaced by `updates`.

    Args:
        x: the array to begin with.
        indices: positions, along the last axis, in the leading axes of `x`. No two
            should be equal: which one's update stays is undefined, and its gradient.
        updates: a row of `x` for each position.

    Shapes:
        x: (d_1, ..., d_k, *row)
        indices: (*batch, k)
        updates: (*batch, *row)
        returns: (d_1, ..., d_k, *row)
    """
    x = operand(x)
    return ScatterUpdate()(x, indices, cast(updates, x.dtype))

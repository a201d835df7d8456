"""Order: sort, argsort, the k largest, places in a sorted vector.

A gradient goes back through the permutation. Ties keep their order (all sorts are
stable), so the element that came first gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import dtypes, shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.indexing import TakeAlongAxis
from minikeras.engine.ops.labels import found
from minikeras.engine.ops.reshaping import reshape
from minikeras.engine.ops.selection import ScatterSelected, check_integers
from minikeras.engine.spec import Array, Spec

__all__ = ["argsort", "in_top_k", "searchsorted", "sort", "top_k"]

INDEX = dtypes.as_dtype("int32")


def _scatter(g: Tensor, x: Tensor, order: Tensor, axis: int) -> Tensor:
    """Return `g` at the places of `x` that `order` took along `axis`."""
    return ScatterSelected(TakeAlongAxis(axis))(g, x, order)


class Sort(Op, name="sort"):
    """y is x in ascending order along `axis`; NaN comes last."""

    axis: int
    any_rank = True
    binds = True

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            shapes.axis_of(self.axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.sort(x, self.axis)

    def bind(self, y: Array, x: Array) -> Callable[[], object]:
        """Return the call that sorts these arrays' elements in place."""
        return lambda: (np.copyto(y, x), y.sort(self.axis))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (_scatter(g, x, argsort(x, self.axis), self.axis),)


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """Return `x` in ascending order along `axis`, made flat if None."""
    return Sort(-1)(reshape(x, -1)) if axis is None else Sort(axis)(x)


class ArgSort(Op, name="argsort"):
    """y = the places of x's elements in ascending order; equal ones keep theirs."""

    axis: int
    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            shapes.axis_of(self.axis, len(x.shape))
        return Spec(x.shape, INDEX)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.argsort(x, self.axis, kind="stable").astype("int32")


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """Return the indices (int32) that sort `x` along `axis`, made flat if None."""
    return ArgSort(-1)(reshape(x, -1)) if axis is None else ArgSort(axis)(x)


class TopK(Op, name="top_k"):
    """The k largest elements along the last axis, in falling order, and their places.

    Of equal elements the first counts as larger.
    """

    k: int
    any_rank = True

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        if x.shape is None:
            return Spec(None, x.dtype), Spec(None, INDEX)
        n = x.shape[-1] if x.shape else 0
        if n is not None and n < self.k:
            raise ShapeError(f"top_k: {self.k} of {n} elements")
        found = (*x.shape[:-1], self.k)
        return Spec(found, x.dtype), Spec(found, INDEX)

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        # ~ turns the order of integers around as - does, and never overflows.
        falling = ~x if x.dtype.kind in "biu" else -x
        places = xp.argsort(falling, -1, kind="stable")[..., : self.k].astype("int32")
        return xp.take_along_axis(x, places, -1), places

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor | None]:
        return (None if gs[0] is None else _scatter(gs[0], x, ys[1], -1),)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """Return the k largest elements along the last axis, and their indices (int32).

    Args:
        x: at least `k` elements along its last axis.
        k: how many.
        sorted: accepted for Keras's sake; the result is always in descending order.

    Raises:
        ShapeError: if there are fewer than `k`.
    """
    return TopK(k)(x, name="TopKV2")


class InTopK(Op, name="in_top_k"):
    """y[i] = whether fewer than k of predictions[i] exceed that of class targets[i].

    False where the prediction itself is not finite, or there is no such class.
    Source: tf.math.in_top_k, whose rule of ties this is.
    """

    k: int
    vjp = no_gradient

    def infer(self, targets: Spec, predictions: Spec) -> Spec:
        check_integers("in_top_k", targets)
        if len(targets.known) != 1 or len(predictions.known) != 2:
            raise ShapeError(
                "in_top_k: (batch) and (batch, classes) are wanted; got "
                f"{shapes.show(targets.shape)} and {shapes.show(predictions.shape)}"
            )
        batch = shapes.merge(targets.shape, predictions.known[:1])
        return Spec(batch, dtypes.as_dtype("bool"))

    def infer_any_rank(self, targets: Spec, predictions: Spec) -> Spec:
        return Spec((None,), dtypes.as_dtype("bool"))

    def kernel(self, xp: ModuleType, targets: Array, predictions: Array) -> Array:
        exists = (targets >= 0) & (targets < predictions.shape[1])
        chosen = xp.where(exists, targets, 0)[:, None]
        own = xp.take_along_axis(predictions, chosen, 1)[:, 0]
        return exists & self.leads(xp, own, predictions)

    def traced(self, xp: ModuleType, targets: Array, predictions: Array) -> Array:
        """Find the target among the classes that are all looked at anyway."""
        exists = (targets >= 0) & (targets < predictions.shape[1])
        return exists & self.leads(xp, found(xp, targets, predictions), predictions)

    def leads(self, xp: ModuleType, own: Array, predictions: Array) -> Array:
        """Return whether a class of this prediction is one of the k best."""
        better = xp.sum(predictions > own[:, None], 1)
        return xp.isfinite(own) & (better < self.k)


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Return whether each target is among the `k` classes predicted most.

    All classes that tie for the last place count as among them.

    Shapes:
        targets: (batch)
        predictions: (batch, classes)
        returns: (batch)
    """
    return InTopK(k)(targets, predictions)


class SearchSorted(Op, name="searchsorted"):
    """y = where each value must be inserted to keep the vector x sorted."""

    side: str
    any_rank = True
    promotes = True
    vjp = no_gradient

    def infer(self, x: Spec, values: Spec) -> Spec:
        if x.rank not in (1, None):
            raise ShapeError(f"searchsorted: a vector is wanted; got shape {x.shape}")
        return Spec(values.shape, INDEX)

    def kernel(self, xp: ModuleType, x: Array, values: Array) -> Array:
        return xp.searchsorted(x, values, self.side).astype("int32")


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """Return where each of `values` must be inserted to keep the vector sorted (int32).

    Args:
        sorted_sequence: a vector in ascending order.
        values: what would be inserted.
        side: ``"left"`` to stand before elements that are equal, ``"right"`` behind.
    """
    return SearchSorted(side)(sorted_sequence, values)

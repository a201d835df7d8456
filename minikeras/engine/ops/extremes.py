"""The larger and the smaller: of two, of all along an axis, and where they are."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.arithmetic import ExactBinary
from minikeras.engine.ops.comparison import equal, where
from minikeras.engine.ops.reduction import (
    Axes,
    Reduction,
    broadcast_like,
    frozen_axes,
    sum,
    sum_like,
)
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = ["argmax", "argmin", "clip", "max", "maximum", "min", "minimum"]


# -- of two ----------------------------------------------------------------------------


def _divided(g: Tensor, first: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Send `g` to x where `first` holds, to y elsewhere."""
    return sum_like(where(first, g, 0), x), sum_like(where(first, 0, g), y)


class Maximum(ExactBinary, name="maximum"):
    """z = the larger of x and y; a tie sends its gradient to x, as in TensorFlow."""

    def exact(self, x: int, y: int) -> int:
        return x if x >= y else y

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return _divided(g, x >= y, x, y)


def maximum(x1: Any, x2: Any) -> Tensor:
    """Return the larger of `x1` and `x2`, elementwise; NaN if either is."""
    return Maximum()(x1, x2)


class Minimum(ExactBinary, name="minimum"):
    """z = the smaller of x and y; a tie sends its gradient to x, as in TensorFlow."""

    def exact(self, x: int, y: int) -> int:
        return x if x <= y else y

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return _divided(g, x <= y, x, y)


def minimum(x1: Any, x2: Any) -> Tensor:
    """Return the smaller of `x1` and `x2`, elementwise; NaN if either is."""
    return Minimum()(x1, x2)


class ClipByValue(Op, name="clip"):
    """y = x, but low where x is below and high where x is above.

    At the bounds the gradient still goes to x, as in TensorFlow.
    """

    promotes = True
    any_rank = True

    def infer(self, x: Spec, low: Spec, high: Spec) -> Spec:
        return Spec(shapes.broadcast(x.shape, low.shape, high.shape), x.dtype)

    def kernel(self, xp: ModuleType, x: Array, low: Array, high: Array) -> Array:
        return xp.minimum(xp.maximum(x, low), high)

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, low: Tensor, high: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        above, below = x > high, x < low
        within = where(above | below, 0, g)
        to_low = where(below, g, 0)
        to_high = where(above, g, 0)
        return sum_like(within, x), sum_like(to_low, low), sum_like(to_high, high)


def clip(x: Any, x_min: Any = None, x_max: Any = None) -> Tensor:
    """Return `x` with what is below `x_min` or above `x_max` moved there.

    Args:
        x: what to limit.
        x_min: lower bound, a number or tensor; None for no bound.
        x_max: upper bound, a number or tensor; None for no bound.
    """
    if x_min is None:
        return minimum(x, x_max)
    return maximum(x, x_min) if x_max is None else ClipByValue()(x, x_min, x_max)


# -- of all along some axes ------------------------------------------------------------


class Extreme(Reduction):
    """The largest or smallest; those that tie share the gradient, as in TensorFlow."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return getattr(xp, self.name)(x, self.axis, keepdims=self.keepdims)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        hits = cast(equal(x, broadcast_like(y, x, self.axis, self.keepdims)), g.dtype)
        share = g / sum(hits, self.axis, self.keepdims)
        return (broadcast_like(share, x, self.axis, self.keepdims) * hits,)


class Max(Extreme, name="max"):
    """y = the largest x along the axes."""


def max(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the largest of `x` over `axis` (all axes if None); NaN if one is."""
    return Max(frozen_axes(axis), keepdims)(x)


class Min(Extreme, name="min"):
    """y = the smallest x along the axes."""


def min(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the smallest of `x` over `axis` (all axes if None); NaN if one is."""
    return Min(frozen_axes(axis), keepdims)(x)


# -- where they are --------------------------------------------------------------------


# In a fused loop a place is found faster than by a search of its own among so few.
_FEW = 64


class ArgExtreme(Reduction):
    """The first index of an extreme along one axis, or into the flattened x."""

    dtype: DType = as_dtype("int32")
    extreme: ClassVar[str]
    binds = True
    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return self.dtype

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        axis = self.axis and self.axis[0]
        found = getattr(xp, self.name)(x, axis, keepdims=self.keepdims)
        return found.astype(self.dtype.as_numpy_dtype)

    def traced(self, xp: ModuleType, x: Array) -> Array:
        """Return the least index of those where x is the extreme, or NaN."""
        (i,) = shapes.axes_of(self.axis, x.ndim)
        n = x.shape[i]
        if n > _FEW:
            raise TypeError(f"{n} places are searched by a call")
        best = getattr(xp, self.extreme)(x, i, keepdims=True)
        whole = x.dtype.kind in "biu"
        found = x == best if whole else (x == best) | xp.isnan(x)
        places = xp.arange(n, dtype=self.dtype.as_numpy_dtype)
        places = places.reshape(-1, *(1,) * (x.ndim - i - 1))
        first = xp.where(found, places, places.dtype.type(n))
        return xp.min(first, i, keepdims=self.keepdims)

    def bind(self, y: Array, x: Array) -> Callable[[], None]:
        """Return the call that writes the index in these arrays."""
        axis, search = self.axis and self.axis[0], getattr(x, self.name)
        places = np.empty(y.shape, np.intp)

        def call() -> None:
            search(axis, places, keepdims=self.keepdims)
            np.copyto(y, places)

        return call


class ArgMax(ArgExtreme, name="argmax"):
    """y = the first index of the largest x along the axis."""

    extreme = "max"


def argmax(
    x: Any, axis: int | None = None, keepdims: bool = False, dtype: Any = "int32"
) -> Tensor:
    """Return the index of the largest of `x` along `axis`, the first if several tie.

    Args:
        x: where to look.
        axis: along which; None for an index into `x` flattened.
        keepdims: whether the axis stays, with size 1.
        dtype: of the index; TensorFlow 1 has int64.
    """
    return ArgMax(frozen_axes(axis), keepdims, as_dtype(dtype))(x)


class ArgMin(ArgExtreme, name="argmin"):
    """y = the first index of the smallest x along the axis."""

    extreme = "min"


def argmin(
    x: Any, axis: int | None = None, keepdims: bool = False, dtype: Any = "int32"
) -> Tensor:
    """Return the index of the smallest of `x` along `axis`, the first if several tie.

    Args:
        x: where to look.
        axis: along which; None for an index into `x` flattened.
        keepdims: whether the axis stays, with size 1.
        dtype: of the index; TensorFlow 1 has int64.
    """
    return ArgMin(frozen_axes(axis), keepdims, as_dtype(dtype))(x)

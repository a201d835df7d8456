"""Sums and other reductions over axes, and their adjoint, broadcasting.

A reduction's axes are fixed when it is made; they may count from the end, and None
means all axes, so that a tensor of unknown rank can be reduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.elementwise import exp, sqrt
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Shape, Spec

__all__ = [
    "broadcast_like",
    "count_nonzero",
    "logsumexp",
    "mean",
    "std",
    "sum",
    "sum_like",
    "var",
]

Axes = int | Sequence[int] | None


def frozen_axes(axis: Axes) -> tuple[int, ...] | None:
    """Return `axis` as a field of an op: None, or a tuple."""
    if axis is None or isinstance(axis, int):
        return axis if axis is None else (axis,)
    return tuple(int(a) for a in axis)


class Reduction(Op):
    """A function of all elements along some axes."""

    axis: tuple[int, ...] | None = None
    keepdims: bool = False
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return Spec(self.reduced(x.shape), self.result(x.dtype))

    def result(self, dtype: DType) -> DType:
        """Return the dtype of the result."""
        return dtype

    def reduced(self, shape: Shape | None) -> Shape | None:
        """Return `shape` without the axes, or with size 1 there."""
        if shape is None:
            return () if self.axis is None and not self.keepdims else None
        axes = shapes.axes_of(self.axis, len(shape))
        if self.keepdims:
            return tuple(1 if i in axes else n for i, n in enumerate(shape))
        return tuple(n for i, n in enumerate(shape) if i not in axes)


class Sum(Reduction, name="sum"):
    """y = sum of x over the axes; booleans and short integers add up as int32."""

    def result(self, dtype: DType) -> DType:
        if dtype in ("bool", "int8", "int16"):
            return as_dtype("int32")
        return as_dtype("uint32") if dtype in ("uint8", "uint16") else dtype

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        dtype = self.result(as_dtype(x.dtype)).as_numpy_dtype
        return xp.sum(x, self.axis, dtype, keepdims=self.keepdims)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (broadcast_like(g, x, self.axis, self.keepdims),)


def sum(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the sum of `x` over `axis` (all axes if None)."""
    return Sum(frozen_axes(axis), keepdims)(x)


class Mean(Reduction, name="mean"):
    """y = sum of x over the axes / number of terms; integers become floats first."""

    promotes = True
    floats = True

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.mean(x, self.axis, keepdims=self.keepdims)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (broadcast_like(mean_share(g, x), x, self.axis, self.keepdims),)


def mean(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the mean of `x` over `axis` (all axes if None)."""
    return Mean(frozen_axes(axis), keepdims)(x)


class MeanShare(Op, name="mean_share"):
    """z = g (size of g) / (size of x): what each x gets of its mean's gradient g."""

    any_rank = True

    def infer(self, g: Spec, x: Spec) -> Spec:
        return g

    def kernel(self, xp: ModuleType, g: Array, x: Array) -> Array:
        return g * g.dtype.type(g.size / max(x.size, 1))

    def vjp(self, h: Tensor, z: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, None]:
        return mean_share(h, x), None


def mean_share(g: Tensor, x: Tensor) -> Tensor:
    """Return `g` divided by how many elements of `x` there are for each of its own."""
    return MeanShare()(g, x)


class Var(Reduction, name="var"):
    """y = mean of (x - mean of x)²; integers become floats first."""

    promotes = True
    floats = True

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.var(x, self.axis, keepdims=self.keepdims)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        share = broadcast_like(mean_share(2 * g, x), x, self.axis, self.keepdims)
        return (share * (x - mean(x, self.axis, keepdims=True)),)


def var(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the variance of `x` over `axis` (all axes if None), without correction."""
    return Var(frozen_axes(axis), keepdims)(x)


def std(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation of `x` over `axis` (all axes if None)."""
    return sqrt(var(x, axis, keepdims))


class LogSumExp(Reduction, name="logsumexp"):
    """y = ln of the sum of e^x; the largest x is taken out first, so none overflows."""

    promotes = True
    floats = True

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        if x.size == 0:
            return xp.log(xp.sum(x, self.axis, keepdims=self.keepdims))
        top = xp.max(x, self.axis, keepdims=True)
        top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
        y = xp.log(xp.sum(xp.exp(x - top), self.axis, keepdims=True)) + top
        return y if self.keepdims else xp.squeeze(y, shapes.axes_of(self.axis, x.ndim))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        share = exp(x - broadcast_like(y, x, self.axis, self.keepdims))
        return (broadcast_like(g, x, self.axis, self.keepdims) * share,)


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return ln of the sum of e^x over `axis` (all axes if None), without overflow."""
    return LogSumExp(frozen_axes(axis), keepdims)(x)


def count_nonzero(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return how many elements of `x` are not 0 along `axis` (all axes if None)."""
    return sum(cast(x, "bool"), axis, keepdims)


class SumLike(Op, name="sum_like"):
    """Sum x over the axes along which `like` was broadcast to x's shape."""

    any_rank = True

    def infer(self, x: Spec, like: Spec) -> Spec:
        return Spec(like.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array, like: Array) -> Array:
        if x.shape == like.shape:
            return x
        lead = x.ndim - like.ndim
        stretched = (n == 1 != x.shape[lead + i] for i, n in enumerate(like.shape))
        axes = (*range(lead), *(lead + i for i, s in enumerate(stretched) if s))
        return xp.sum(x, axes).reshape(like.shape)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, like: Tensor) -> tuple[Tensor, None]:
        return broadcast_like(g, x), None


def sum_like(x: Tensor, like: Tensor) -> Tensor:
    """Undo a broadcast: return `x` summed to the shape of `like`."""
    if isinstance(x, Tensor) and isinstance(like, Tensor):
        shape = x.spec.shape
        if shape is not None and shape == like.spec.shape and None not in shape:
            return x
    return SumLike()(x, like)


class BroadcastLike(Op, name="broadcast_like"):
    """Repeat x along the axes in which `like` is larger.

    Where x came from a reduction without `keepdims`, `axis` says which axes it lost.
    """

    axis: tuple[int, ...] | None = ()
    keepdims: bool = True
    any_rank = True

    def infer(self, x: Spec, like: Spec) -> Spec:
        return Spec(like.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array, like: Array) -> Array:
        if not self.keepdims:
            axes = shapes.axes_of(self.axis, like.ndim)
            x = x.reshape([1 if i in axes else n for i, n in enumerate(like.shape)])
        return xp.broadcast_to(x, like.shape)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, like: Tensor) -> tuple[Tensor, None]:
        return (sum_like(g, x) if self.keepdims else sum(g, self.axis)), None


def broadcast_like(
    x: Tensor, like: Tensor, axis: Axes = (), keepdims: bool = True
) -> Tensor:
    """Undo a reduction's loss of shape: return `x` repeated to the shape of `like`."""
    return BroadcastLike(frozen_axes(axis), keepdims)(x, like)

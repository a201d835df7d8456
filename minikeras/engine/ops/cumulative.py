"""Running sums and products, and what their gradients are made of.

With zeros among the factors a product's gradient cannot be had by division. It is made
of the products of the factors before and after each place; that of a running product,
of a linear recurrence, whose gradient is a linear recurrence again.

Several axes are run through as one, in the order in which they lie in memory.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.reduction import (
    Axes,
    Reduction,
    Sum,
    broadcast_like,
    frozen_axes,
)
from minikeras.engine.ops.reshaping import reshape
from minikeras.engine.spec import Array, Spec

__all__ = ["cumprod", "cumsum", "linear_recurrence", "prod"]


class Running(Op):
    """A function of all that came before along the axes, from the end if `reverse`."""

    axis: tuple[int, ...] | None
    reverse: bool = False
    any_rank = True

    # The function along the last axis, forwards: along(xp, *arrays).
    along: ClassVar[Callable[..., Array]]

    def infer(self, *xs: Spec) -> Spec:
        shape = functools.reduce(shapes.merge, [x.shape for x in xs])
        if shape is not None:
            shapes.axes_of(self.axis, len(shape))
        return Spec(shape, self.result(xs[0].dtype))

    def result(self, dtype: DType) -> DType:
        """Return the dtype of the result: truth values are counted."""
        return as_dtype("int32") if dtype.is_bool else dtype

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        axes = shapes.axes_of(self.axis, xs[0].ndim)
        order = (*(i for i in range(xs[0].ndim) if i not in axes), *axes)
        turned = [xs[0].shape[i] for i in order]
        rest = len(order) - len(axes)
        sizes = (*turned[:rest], math.prod(turned[rest:]))
        lines = [x.transpose(order).reshape(sizes) for x in xs]
        step = -1 if self.reverse else 1
        y = self.along(xp, *(line[..., ::step] for line in lines))[..., ::step]
        back = sorted(range(len(order)), key=order.__getitem__)
        return y.reshape(turned).transpose(back)


def _delayed(xp: ModuleType, x: Array, first: float) -> Array:
    """Return `x` moved by one place along the last axis."""
    return xp.concatenate([xp.full_like(x[..., :1], first), x[..., :-1]], -1)


class Accumulation(Running):
    """What a ufunc makes of all elements so far; without the last one if exclusive."""

    exclusive: bool = False
    ufunc: ClassVar[np.ufunc]
    binds = True

    def along(self, xp: ModuleType, x: Array) -> Array:
        dtype = self.result(as_dtype(x.dtype)).as_numpy_dtype
        y = getattr(xp, self.name)(x, -1, dtype)
        return _delayed(xp, y, self.ufunc.identity) if self.exclusive else y

    def bind(self, y: Array, x: Array) -> Callable[[], object]:
        """Return the call that writes the results in these arrays."""
        axes = shapes.axes_of(self.axis, x.ndim)
        if len(axes) != 1:
            return lambda: np.copyto(y, self.kernel(np, x))
        x, y = (np.moveaxis(a, axes, -1) for a in (x, y))
        if self.reverse:
            x, y = x[..., ::-1], y[..., ::-1]
        if not self.exclusive:
            return partial(self.ufunc.accumulate, x, -1, y.dtype, y)
        first, later, before = y[..., :1], y[..., 1:], x[..., :-1]
        run = partial(self.ufunc.accumulate, before, -1, y.dtype, later)
        return lambda: (first.fill(self.ufunc.identity), run())


# -- sums ------------------------------------------------------------------------------


class Cumsum(Accumulation, name="cumsum"):
    """y[i] = x[0] + ... + x[i]; without x[i] if exclusive."""

    ufunc = np.add

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (Cumsum(self.axis, not self.reverse, self.exclusive)(g),)


def cumsum(
    x: Any, axis: int | None = None, exclusive: bool = False, reverse: bool = False
) -> Tensor:
    """Return the running sum of `x` along `axis`.

    Args:
        x: the terms.
        axis: along which; None runs through `x` flattened.
        exclusive: whether each sum ends before its own term.
        reverse: whether to run from the end.
    """
    y = Cumsum(frozen_axes(axis), reverse, exclusive)(x)
    return reshape(y, -1) if axis is None else y


# -- products --------------------------------------------------------------------------


class Cumprod(Accumulation, name="cumprod"):
    """y[i] = x[0] ... x[i]; without x[i] if exclusive."""

    ufunc = np.multiply

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        # dy[i]/dx[j] is what came before j times what came between j and i. Summed
        # over i with g[i], the latter is a recurrence that runs back from the end.
        back = not self.reverse
        before = Cumprod(self.axis, self.reverse, exclusive=True)(x)
        if self.exclusive:
            after = delay(linear_recurrence(x, g, self.axis, back), self.axis, back)
        else:
            after = linear_recurrence(delay(x, self.axis, back), g, self.axis, back)
        return (before * after,)


def cumprod(
    x: Any, axis: int | None = None, exclusive: bool = False, reverse: bool = False
) -> Tensor:
    """Return the running product of `x` along `axis`.

    Args:
        x: the factors.
        axis: along which; None runs through `x` flattened.
        exclusive: whether each product ends before its own factor.
        reverse: whether to run from the end.
    """
    y = Cumprod(frozen_axes(axis), reverse, exclusive)(x)
    return reshape(y, -1) if axis is None else y


class Prod(Reduction, name="prod"):
    """y = product of x over the axes; dy/dx = product of the other factors."""

    def result(self, dtype: DType) -> DType:
        return Sum().result(dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        dtype = self.result(as_dtype(x.dtype)).as_numpy_dtype
        return xp.prod(x, self.axis, dtype, keepdims=self.keepdims)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        before = Cumprod(self.axis, exclusive=True)(x)
        after = Cumprod(self.axis, exclusive=True, reverse=True)(x)
        return (broadcast_like(g, x, self.axis, self.keepdims) * before * after,)


def prod(x: Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the product of `x` over `axis` (all axes if None)."""
    return Prod(frozen_axes(axis), keepdims)(x)


# -- recurrences -----------------------------------------------------------------------


class LinearRecurrence(Running, name="linear_recurrence"):
    """y[i] = a[i] y[i-1] + b[i], from y[-1] = 0."""

    promotes = True
    floats = True

    def along(self, xp: ModuleType, a: Array, b: Array) -> Array:
        y = xp.empty_like(b)
        last = xp.zeros_like(b[..., 0]) if b.shape[-1] else None
        for i in range(b.shape[-1]):
            y[..., i] = last = a[..., i] * last + b[..., i]
        return y

    def vjp(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        back = not self.reverse
        to_b = linear_recurrence(delay(a, self.axis, back), g, self.axis, back)
        return to_b * delay(y, self.axis, self.reverse), to_b


def linear_recurrence(a: Any, b: Any, axis: Axes = -1, reverse: bool = False) -> Tensor:
    """Return y with ``y[i] = a[i] * y[i - 1] + b[i]`` along `axis`, from 0.

    With a constant `a` this is an exponentially weighted sum.

    Shapes:
        a: any
        b: that of a
        returns: the same

    Args:
        a: what is kept of the number before.
        b: what is added.
        axis: along which; several axes are run through as one, None means all.
        reverse: whether to run from the end.
    """
    return LinearRecurrence(frozen_axes(axis), reverse)(a, b)


class Delay(Running, name="delay"):
    """y[i] = x[i-1], y[0] = 0."""

    def result(self, dtype: DType) -> DType:
        return dtype

    def along(self, xp: ModuleType, x: Array) -> Array:
        return _delayed(xp, x, 0)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (delay(g, self.axis, not self.reverse),)


def delay(x: Tensor, axis: Axes, reverse: bool = False) -> Tensor:
    """Return `x` moved by one place along `axis`; what enters is 0."""
    return Delay(frozen_axes(axis), reverse)(x)

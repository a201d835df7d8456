"""Pooling: the maximum or the mean of windows, of one to three spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import pooling
from minikeras.engine.kernels.windows import Grid
from minikeras.engine.ops.reshaping import shape, sizes_of
from minikeras.engine.ops.windows import (
    Sizes,
    Windowed,
    padding_rule,
    positive,
    with_channels_last,
)
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["average_pool", "max_pool"]


class Pooling(Windowed):
    """What pooling and its gradients share; `size` is that of the windows."""

    size: tuple[int, ...] = (1,)

    def pooled(self, x: Shape) -> Shape:
        """Return the shape of the result."""
        if not 3 <= len(x) <= 5:
            raise ShapeError(
                f"{self.name}: x needs one to three spatial axes between examples and "
                f"channels; its shape is {shapes.show(x)}"
            )
        sizes = x[1:-1]
        return (x[0], *self.counts(self.taps(len(sizes)), sizes), x[-1])

    def taps(self, axes: int) -> Sequence[int]:
        """Return the windows' size along each spatial axis."""
        return self.each("window sizes", self.size, axes)

    def over(self, x: Sequence[int]) -> Grid:
        """Return the windows over an array of this shape."""
        return self.grid(self.taps(len(x) - 2), x[1:-1])


# -- the maximum -----------------------------------------------------------------------


class MaxPool(Pooling, name="max_pool"):
    """y[n, o, c] = max over taps t of x[n, stride o + t - before, c].

    The gradient goes to the first of equal elements, as in TensorFlow.
    """

    def infer(self, x: Spec) -> Spec:
        return Spec(self.pooled(x.known), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return pooling.maximum(xp, x, self.over(x.shape))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (self.turned(MaxPoolGrad)(x, y, g),)


class MaxPoolGrad(Pooling, name="max_pool_grad"):
    """dx = g, added where the maxima y of x are, and 0 elsewhere."""

    any_rank = True

    def infer(self, x: Spec, y: Spec, g: Spec) -> Spec:
        return Spec(x.shape, g.dtype)

    def kernel(self, xp: ModuleType, x: Array, y: Array, g: Array) -> Array:
        return pooling.maximum_backprop(xp, x, y, g, self.over(x.shape))

    def vjp(
        self, h: Tensor, dx: Tensor, x: Tensor, y: Tensor, g: Tensor
    ) -> tuple[None, None, Tensor]:
        return None, None, self.turned(MaxPoolGradGrad)(x, y, h)


class MaxPoolGradGrad(Pooling, name="max_pool_grad_grad"):
    """z = h, taken from where the maxima y of x are: the adjoint of `MaxPoolGrad`."""

    any_rank = True

    def infer(self, x: Spec, y: Spec, h: Spec) -> Spec:
        return Spec(y.shape, h.dtype)

    def kernel(self, xp: ModuleType, x: Array, y: Array, h: Array) -> Array:
        return pooling.picked(xp, x, y, h, self.over(x.shape))

    def vjp(
        self, k: Tensor, z: Tensor, x: Tensor, y: Tensor, h: Tensor
    ) -> tuple[None, None, Tensor]:
        return None, None, self.turned(MaxPoolGrad)(x, y, k)


def max_pool(
    x: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> Tensor:
    """Return the largest element of each window, channel by channel.

    Args:
        x: the input.
        pool_size: the windows' size, along all axes or each.
        strides: elements from one window's start to the next one's; by default the
            windows' size, so that they do not overlap.
        padding: "valid": windows stay inside x; "same": one window for every stride;
            what lies outside does not count.
        data_format: "channels_last", or "channels_first" for x and the result.

    Shapes:
        x: (examples, spatial ..., channels), one to three spatial axes
        returns: (examples, windows ..., channels)

    Raises:
        ShapeError: if x has another rank, or is too small for a window.

    Example:
        >>> max_pool(placeholder("float32", (None, 28, 28, 3)), 2).shape
        (None, 14, 14, 3)
    """
    op = MaxPool(**_fields(pool_size, strides, padding))
    return with_channels_last(op, x, data_format)


# -- the mean --------------------------------------------------------------------------


class AvgPool(Pooling, name="average_pool"):
    """y[n, o, c] = mean over taps t of x[n, stride o + t - before, c].

    Taps outside of x count neither as terms nor in their number, as in TensorFlow.
    """

    promotes = True
    floats = True

    def infer(self, x: Spec) -> Spec:
        return Spec(self.pooled(x.known), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return pooling.average(xp, x, self.over(x.shape))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (self.turned(AvgPoolGrad)(shape(x), g),)


class AvgPoolGrad(Pooling, name="average_pool_grad"):
    """dx = g, shared out equally among each window's terms.

    The first input is the shape of x, which g leaves open.
    """

    any_rank = True

    def infer(self, sizes: Spec, g: Spec) -> Spec:
        return Spec(sizes_of(sizes), g.dtype)

    def kernel(self, xp: ModuleType, sizes: Array, g: Array) -> Array:
        return pooling.average_backprop(xp, g, self.over(sizes.tolist()))

    def vjp(
        self, h: Tensor, dx: Tensor, sizes: Tensor, g: Tensor
    ) -> tuple[None, Tensor]:
        return None, self.turned(AvgPool)(h)


def average_pool(
    x: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> Tensor:
    """Return the mean of each window, channel by channel.

    The arguments are those of `max_pool`.

    Raises:
        ShapeError: if x has another rank, or is too small for a window.

    Example:
        >>> average_pool(np.arange(6.0).reshape(1, 6, 1), 2, padding="same").ravel()
        array([0.5, 2.5, 4.5])
    """
    op = AvgPool(**_fields(pool_size, strides, padding))
    return with_channels_last(op, x, data_format)


def _fields(size: Sizes, strides: Sizes | None, padding: str) -> dict[str, Any]:
    """Return a function's arguments as the fields of an op."""
    taps = positive("pool_size", size)
    steps = taps if strides is None else positive("strides", strides)
    rule = padding_rule(padding)
    if rule not in ("valid", "same"):
        raise ShapeError(f"pooling: padding is valid or same; got {padding!r}")
    return {"size": taps, "strides": steps, "padding": rule}

"""Normalization: means and variances, and values that they bring to a common scale.

What brings examples to a common scale by their own statistics is one op, for the sake
of its gradient; all else is composed. Half precision is too coarse for a sum of
squares: there statistics are computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import dtypes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.arithmetic import add
from minikeras.engine.ops.elementwise import rsqrt, square
from minikeras.engine.ops.extremes import clip, maximum
from minikeras.engine.ops.reduction import Mean, frozen_axes, mean_share, sum, var
from minikeras.engine.ops.reduction import mean as mean_over
from minikeras.engine.ops.reshaping import expand_dims, operand
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = [
    "batch_normalization",
    "l2_normalize",
    "layer_normalization",
    "moments",
    "rms_normalization",
]

Axes = int | Sequence[int]


def moments(x: Any, axes: Axes, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance of `x` over `axes`, the latter uncorrected."""
    x, dtype = _widened(x)
    found = mean_over(x, axes, keepdims), var(x, axes, keepdims)
    if dtype == "float16":  # whose range a variance easily leaves
        found = tuple(clip(y, -65504.0, 65504.0) for y in found)
    mean, variance = found
    return cast(mean, dtype), cast(variance, dtype)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int = -1,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Return scale (x - mean) / √(variance + epsilon) + offset, for each channel.

    Args:
        x: the input.
        mean: of each channel.
        variance: of each channel.
        axis: the axis of the channels.
        offset: one for each channel; 0 if None.
        scale: one for each channel; 1 if None.
        epsilon: added to the variance, so that channels which hardly vary do not blow
            up; above 0.

    Shapes:
        x: (..., channels, ...)
        mean, variance, offset, scale: (channels,)
        returns: that of x

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 2.
    """
    x, dtype = _widened(x)
    mean, variance, offset, scale = (
        _along(v, x, axis) for v in (mean, variance, offset, scale)
    )
    y = (x - mean) * _times(rsqrt(variance + epsilon), scale)
    return cast(y if offset is None else y + offset, dtype)


class Standardize(Op, name="standardize"):
    """y = (x - mean of x) r, with r = 1 / √(variance of x + epsilon); and this r.

    With `centered` false the mean is taken for 0. Gradient by x, given that by y:
    (g - mean of g - y · mean of g y) r.
    """

    axis: tuple[int, ...] | None
    epsilon: float
    centered: bool = True
    any_rank = True

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        return x, Spec(Mean(self.axis, keepdims=True).reduced(x.shape), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        apart = x - xp.mean(x, self.axis, keepdims=True) if self.centered else x
        variance = xp.mean(apart * apart, self.axis, keepdims=True)
        r = 1 / xp.sqrt(variance + self.epsilon)
        return apart * r, r

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor | None]:
        (g, by_r), (y, r) = gs, ys
        parts = []
        if g is not None:
            rest = g - mean_over(g, self.axis, keepdims=True) if self.centered else g
            parts.append((rest - y * mean_over(g * y, self.axis, keepdims=True)) * r)
        if by_r is not None:
            parts.append(-mean_share(by_r, x) * r * r * y)
        return (parts[0] if len(parts) == 1 else add(*parts),)


def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Axes = -1,
    epsilon: float = 1e-7,
    rms_scaling: bool = False,
) -> Tensor:
    """Return gamma (x - mean) / √(variance + epsilon) + beta, for each example.

    Args:
        x: the input.
        gamma: scale of each element; 1 if None.
        beta: offset of each element; 0 if None.
        axis: over which mean and variance of an example are taken.
        epsilon: added to the variance; above 0.
        rms_scaling: whether x keeps its mean, and is divided all the same.

    Shapes:
        x: (..., sizes of `axis`, ...)
        gamma, beta: the sizes of `axis`
        returns: that of x

    Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450.
    """
    x, dtype = _widened(x)
    gamma, beta = _along(gamma, x, axis), _along(beta, x, axis)
    y, r = Standardize(frozen_axes(axis), epsilon)(x)
    y = _times(x * r if rms_scaling else y, gamma)
    return cast(y if beta is None else y + beta, dtype)


def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float = 1e-7
) -> Tensor:
    """Return scale x / √(mean of x² + epsilon), for each example.

    Args:
        x: the input.
        scale: of each element; 1 if None.
        axis: over which the mean of an example is taken.
        epsilon: added to the mean; above 0.

    Source: Zhang, Sennrich 2019, arXiv:1910.07467.
    """
    x, dtype = _widened(x)
    y, _ = Standardize(frozen_axes(axis), epsilon, centered=False)(x)
    return cast(_times(y, _along(scale, x, axis)), dtype)


def l2_normalize(x: Any, axis: Axes | None = -1, epsilon: float = 1e-12) -> Tensor:
    """Return x / √(sum of x²), of length 1 over `axis` (over all axes if None).

    Args:
        x: the input.
        axis: over which the sum is taken.
        epsilon: lower bound of the sum, so that 0 stays 0; above 0.
    """
    x, dtype = _widened(x)
    inverse = rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon))
    return cast(x * inverse, dtype)


def _widened(x: Any) -> tuple[Any, dtypes.DType]:
    """Return `x` in float32 or wider, and the dtype that results of it have."""
    x = operand(x)
    dtype = dtypes.to_float(dtypes.as_dtype(x.dtype))
    return cast(x, dtypes.result_type(dtype, "float32")), dtype


def _times(x: Any, scale: Any) -> Any:
    return x if scale is None else x * scale


def _along(v: Any, x: Any, axis: Axes) -> Any:
    """Return `v`, whose axes are the `axis` of `x`, such that it broadcasts with x."""
    if v is None:
        return None
    axes = [axis] if isinstance(axis, int) else list(axis)
    if max(axes) >= 0:
        if x.ndim is None:
            raise ShapeError(
                f"the rank of {x} must be known, or axis {axis} count from the end"
            )
        axes = [i if i < 0 else i - x.ndim for i in axes]
    new = [i for i in range(min(axes), 0) if i not in axes]
    return expand_dims(v, new) if new else operand(v)

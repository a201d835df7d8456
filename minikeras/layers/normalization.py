"""Normalization: of samples, of groups of channels, of vectors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec, known_shape
from minikeras.layers.signatures import rules, takes

__all__ = [
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "Scaled",
    "UnitNormalization",
    "sizes_along",
]

Axes = int | Sequence[int]
Shape = Sequence[int | None]


class Scaled(Layer):
    """Base of layers that scale by gamma and shift by beta in the end.

    Args:
        axis: the axis, or axes, along which gamma and beta differ.
        epsilon: added to the variance, so that nothing is divided by 0.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: how beta starts.
        gamma_initializer: how gamma starts.
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta after each update.
        gamma_constraint: a projection of gamma after each update.
    """

    gamma: K.Variable | None = None
    beta: K.Variable | None = None

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(
            axis,
            "Expected an int or a list/tuple of ints for the argument 'axis', but "
            "received: {!r}",
        )
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.weight_rule("beta", beta_initializer, beta_regularizer, beta_constraint)
        self.weight_rule(
            "gamma", gamma_initializer, gamma_regularizer, gamma_constraint
        )
        self.supports_masking = True

    def add_gamma_and_beta(self, shape: Sequence[int]) -> None:
        """Make those of the two that are wanted."""
        if self.scale:
            self.gamma = self.add_ruled_weight("gamma", shape, autocast=False)
        if self.center:
            self.beta = self.add_ruled_weight("beta", shape, autocast=False)


def sizes_along(layer: Layer, input_shape: Shape, axis: Axes) -> tuple[int, ...]:
    """Return the sizes of the axes along which weights differ.

    Raises:
        ValueError: if an axis does not exist, or its size is not known.
    """
    axes = [axis] if isinstance(axis, int) else axis
    rank = len(input_shape)
    if any(not -rank <= i < rank for i in axes):
        raise ValueError(
            f"Axis {axis} is out of bounds for input shape {tuple(input_shape)} "
            f"of layer '{layer.name}'."
        )
    sizes = tuple(input_shape[i] for i in axes)
    if None in sizes:
        raise ValueError(
            f"Axis {axis} of input tensor should have a defined dimension but the "
            f"layer received an input with shape {tuple(input_shape)}. (layer "
            f"'{layer.name}')"
        )
    return sizes  # type: ignore[return-value]


def _axes(axis: Any, message: str) -> Any:
    """Return one axis, or a list of several.

    Raises:
        TypeError: if it is neither.
    """
    if not isinstance(axis, (int, list, tuple)):
        raise TypeError(message.format(axis))
    return axis if isinstance(axis, int) else list(axis)


class LayerNormalization(Scaled):
    """Each sample with mean 0 and variance 1 over some axes, then scaled and shifted.

    Args:
        axis: over which mean and variance are taken, one or several.
        epsilon: added to the variance, so that nothing is divided by 0.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: how beta starts.
        gamma_initializer: how gamma starts.
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta after each update.
        gamma_constraint: a projection of gamma after each update.
        rms_scaling: whether samples keep their mean, and there is a gamma, but no
            beta; deprecated, as `RMSNormalization` is what one wants.

    Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450.
    """

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.autocast = False  # what half precision cannot hold is brought to scale
        self.rms_scaling = rms_scaling
        if rms_scaling:
            warnings.warn(
                "`rms_scaling=True` is deprecated: it divides by the standard "
                "deviation, not by the root mean square. Please use "
                "`keras.layers.RMSNormalization` instead.",
                stacklevel=2,
            )

    def build(self, input_shape: Shape) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        shape = sizes_along(self, input_shape, self.axis)
        if self.rms_scaling:
            self.gamma = self.add_ruled_weight("gamma", shape, autocast=False)
        else:
            self.add_gamma_and_beta(shape)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        own = (self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling)
        return K.cast(K.layer_normalization(inputs, *own), self.compute_dtype)


@takes("groups axis epsilon center scale", rules("beta", "gamma", activity=False))
class GroupNormalization(Scaled):
    """Each group of channels of a sample with mean 0 and variance 1.

    Args:
        groups: how many; a divisor of the number of channels, or -1 for as many as
            there are channels ("instance normalization").
        axis: of the channels.
        epsilon: see `LayerNormalization`, and so are the arguments not named here.
        center: whether to add beta.
        scale: whether to multiply by gamma.

    Raises:
        ValueError: if `groups` does not divide the number of channels.

    Source: Wu, He 2018, arXiv:1803.08494.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(axis, epsilon, center, scale, **kwargs)
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive "
                "integer (or `-1` for instance normalization). Received: "
                f"groups={groups}"
            )
        self.autocast = False  # what half precision cannot hold is brought to scale
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        (channels,) = sizes_along(self, input_shape, self.axis)
        self.groups = channels if self.groups == -1 else self.groups
        if channels < self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) cannot be more than the number of "
                f"channels ({channels})."
            )
        if channels % self.groups:  # Keras's words; it is the channels that must be
            raise ValueError(
                f"Number of groups ({self.groups}) must be a multiple of the number of "
                f"channels ({channels})."
            )
        self.add_gamma_and_beta((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: K.Tensor) -> K.Tensor:
        shape = known_shape(inputs)
        rank, axis = len(shape), self.axis % len(shape)
        sizes = [K.shape(inputs)[i] for i in range(rank)]
        each = shape[axis] // self.groups
        grouped = K.reshape(
            inputs, [*sizes[:axis], self.groups, each, *sizes[axis + 1 :]]
        )
        within = [i for i in range(1, rank + 1) if i != axis]
        normal = K.layer_normalization(grouped, axis=within, epsilon=self.epsilon)
        y = self.scaled(K.reshape(normal, sizes), rank - axis - 1)
        return K.cast(y, self.compute_dtype)

    def scaled(self, x: K.Tensor, after: int) -> K.Tensor:
        """Return gamma x + beta, for channels with so many axes after theirs."""
        x = x * K.reshape(self.gamma, [-1] + [1] * after) if self.scale else x
        return x + K.reshape(self.beta, [-1] + [1] * after) if self.center else x


class RMSNormalization(Layer):
    """Each sample divided by its root mean square over some axes, then scaled.

    Args:
        axis: over which the mean is taken, one or several.
        epsilon: added to the mean of the squares.

    Source: Zhang, Sennrich 2019, arXiv:1910.07467.
    """

    def __init__(self, axis: Axes = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: Any = axis
        self.epsilon = epsilon

    def build(self, input_shape: Shape) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        shape = sizes_along(self, input_shape, self.axis)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, x: K.Tensor) -> K.Tensor:
        return K.rms_normalization(x, self.scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """Each sample divided by its length over some axes, so that it has length 1.

    Args:
        axis: over which the length is taken, one or several.
    """

    def __init__(self, axis: Axes = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(
            axis,
            "Invalid value for `axis` argument: expected an int or a list/tuple of "
            "ints. Received: axis={}",
        )
        self.supports_masking = True

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.l2_normalize(inputs, self.axis)

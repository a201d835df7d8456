"""Normalization: of batches, of samples, of groups of channels, of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec, known_shape

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]

Axes = int | Sequence[int]
Shape = Sequence[int | None]


class _Normalization(Layer):
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
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
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


def _sizes(layer: Layer, input_shape: Shape, axis: Axes) -> tuple[int, ...]:
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
            f"Axis {axis} of the input of layer '{layer.name}' should have a defined "
            f"dimension. Received: input_shape={tuple(input_shape)}"
        )
    return sizes  # type: ignore[return-value]


class BatchNormalization(_Normalization):
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    In training mean and variance are the batch's, and move the averages that serve
    elsewhere: ``average = momentum average + (1 - momentum) value``. A layer that is
    not trainable uses the averages always, and leaves them alone.

    Args:
        axis: of the channels.
        momentum: of the moving averages, in [0, 1).
        epsilon: see `LayerNormalization`, and so are the arguments not named here.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: how beta starts.
        gamma_initializer: how gamma starts.
        moving_mean_initializer: how the average of the mean starts.
        moving_variance_initializer: how that of the variance starts.

    Shapes:
        inputs: (batch, ..., channels)
        mask: the same without the last axis; what it leaves out does not count
        returns: that of inputs

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs
        )
        self.momentum = float(momentum)
        self.weight_rule("moving_mean", moving_mean_initializer)
        self.weight_rule("moving_variance", moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        shape = _sizes(self, input_shape, self.axis)
        self.add_gamma_and_beta(shape)
        kept: dict[str, Any] = {"trainable": False, "autocast": False}
        self.moving_mean = self.add_ruled_weight("moving_mean", shape, **kept)
        self.moving_variance = self.add_ruled_weight("moving_variance", shape, **kept)
        axes = {self.axis: shape[0]}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(
        self, inputs: K.Tensor, training: Any = None, mask: Any = None
    ) -> K.Tensor:
        x = K.cast(inputs, K.result_type(inputs.dtype, "float32"))  # as sums get large
        train = training if self.trainable else False
        averages = (self.moving_mean, self.moving_variance)
        mean, var = K.in_train_phase(lambda: self.moments(x, mask), averages, train)
        if train:
            self.update(mean, var)
        y = K.batch_normalization(
            x, mean, var, self.beta, self.gamma, self.axis, self.epsilon
        )
        return K.cast(y, self.compute_dtype)

    def moments(self, inputs: K.Tensor, mask: Any) -> tuple[K.Tensor, K.Tensor]:
        """Return mean and variance of each channel, of what the mask lets through."""
        rank = len(known_shape(inputs))
        axes = [i for i in range(rank) if i != self.axis % rank]
        if mask is None:
            return K.moments(inputs, axes)
        weight = K.cast(K.expand_dims(mask, -1), inputs.dtype) * K.ones_like(inputs)
        total = K.sum(weight, axes, keepdims=True) + K.epsilon()
        mean = K.sum(weight * inputs, axes, keepdims=True) / total
        apart = weight * K.square(inputs - mean)
        variance = K.sum(apart, axes, keepdims=True) / total
        return K.squeeze(mean, axes), K.squeeze(variance, axes)

    def update(self, mean: K.Tensor, variance: K.Tensor) -> None:
        """Move the averages towards the batch's mean and variance."""
        old = self.momentum
        self.moving_mean.assign(self.moving_mean * old + mean * (1.0 - old))
        self.moving_variance.assign(self.moving_variance * old + variance * (1.0 - old))


class LayerNormalization(_Normalization):
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

    Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450.
    """

    def build(self, input_shape: Shape) -> None:
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.add_gamma_and_beta(_sizes(self, input_shape, self.axis))

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.layer_normalization(
            inputs, self.gamma, self.beta, self.axis, self.epsilon
        )


class GroupNormalization(_Normalization):
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
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        (channels,) = _sizes(self, input_shape, self.axis)
        self.groups = channels if self.groups == -1 else self.groups
        if channels % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must be a divisor of the number of "
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
        shape = _sizes(self, input_shape, self.axis)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.rms_normalization(inputs, self.scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """Each sample divided by its length over some axes, so that it has length 1.

    Args:
        axis: over which the length is taken, one or several.
    """

    def __init__(self, axis: Axes = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.l2_normalize(inputs, self.axis)

"""Activations as layers of their own, some with weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import activations
from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _Elementwise(Layer):
    """Base of layers whose outputs have the shape and the mask of their inputs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True


class Activation(_Elementwise):
    """Any activation function as a layer.

    Args:
        activation: a name or a function.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return self.activation(inputs)


class ReLU(_Elementwise):
    """x above a threshold, ``negative_slope * (x - threshold)`` below it.

    Args:
        max_value: upper bound of the output, none by default.
        negative_slope: 0 or more.
        threshold: 0 or more.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(
                "max_value of a ReLU layer cannot be a negative value. Received: "
                f"max_value={max_value}"
            )
        self.max_value = max_value
        self.negative_slope = _not_negative(negative_slope, "negative_slope")
        self.threshold = _not_negative(threshold, "threshold")

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return activations.relu(
            inputs, self.negative_slope, self.max_value, self.threshold
        )


class LeakyReLU(_Elementwise):
    """x where it is positive, ``negative_slope * x`` elsewhere.

    Args:
        negative_slope: 0 or more. Keras 2's name of it, ``alpha``, is accepted.

    Source: Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network
    acoustic models".
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(
            negative_slope, "negative_slope", _OF_LEAKY_RELU
        )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.leaky_relu(inputs, self.negative_slope)


_OF_RELU = "{0} of a ReLU layer cannot be None or a negative value. Received: {0}={1}"
_OF_LEAKY_RELU = (
    "The {0} value of a Leaky ReLU layer cannot be None or negative value. Expected a "
    "float. Received: {0}={1}"
)


def _not_negative(value: float | None, name: str, form: str = _OF_RELU) -> float:
    if value is None or value < 0:
        raise ValueError(form.format(name, value))
    return value


class PReLU(_Elementwise):
    """x where it is positive, ``alpha * x`` elsewhere, with a slope that is learned.

    Args:
        alpha_initializer: how the slopes start.
        alpha_regularizer: a penalty on them.
        alpha_constraint: a projection of them after each update.
        shared_axes: axes along which there is one slope; for images ``[1, 2]`` gives
            one for each channel. By default each element has its own.

    Source: He, Zhang, Ren, Sun 2015, arXiv:1502.01852.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.weight_rule(
            "alpha", alpha_initializer, alpha_regularizer, alpha_constraint
        )
        one = isinstance(shared_axes, int)
        self.shared_axes = [shared_axes] if one else shared_axes and list(shared_axes)

    def build(self, input_shape: Sequence[Any]) -> None:
        own = {
            axis: size
            for axis, size in enumerate(input_shape)
            if axis and axis not in (self.shared_axes or ())
        }
        shape = [own.get(axis, 1) for axis in range(1, len(input_shape))]
        self.alpha = self.add_ruled_weight("alpha", shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)


class ELU(_Elementwise):
    """x where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        alpha: minus the limit for small x.

    Source: Clevert, Unterthiner, Hochreiter 2015, arXiv:1511.07289.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.elu(inputs, self.alpha)


class Softmax(_Elementwise):
    """Probabilities, ``exp(x) / sum(exp(x))``.

    With a mask, elements where it does not hold get 0.

    Args:
        axis: along which they add up to 1; one or several.

    Shapes:
        inputs: (batch, ...)
        mask: broadcasts to inputs
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: K.Tensor, mask: Any = None) -> K.Tensor:
        if mask is None:
            return K.softmax(inputs, self.axis)
        low = -3e4 if inputs.dtype == "float16" else -1e9
        _check_mask(inputs, mask)
        mask = K.cast(mask, "bool")
        return K.where(mask, K.softmax(K.where(mask, inputs, low), self.axis), 0.0)


def _check_mask(x: K.Tensor, mask: Any) -> None:
    """See that a mask broadcasts to what is masked."""
    whole, given = tuple(x.shape or ()), tuple(mask.shape or ())
    if len(given) > len(whole):
        raise ValueError(
            "`mask` must not have more dimensions than `inputs`. Received: "
            f"mask.shape={given}, inputs.shape={whole}"
        )
    for n, m in zip(reversed(whole), reversed(given), strict=False):
        if m != 1 and None not in (n, m) and n != m:
            raise ValueError(
                "`mask` must be broadcastable to `inputs`. Received: "
                f"mask.shape={given}, inputs.shape={whole}"
            )

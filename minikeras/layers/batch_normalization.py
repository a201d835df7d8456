"""Normalization of batches: channel by channel, in training by the batch's statistics.

Elsewhere it goes by averages of these. Batch renormalization takes the averages into
training, too, as a correction through which no gradient flows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.input_spec import InputSpec, known_shape
from minikeras.layers.normalization import Scaled, sizes_along
from minikeras.layers.signatures import takes

__all__ = ["BatchNormalization"]

Shape = Sequence[int | None]


@takes(
    "axis momentum epsilon center scale beta_initializer gamma_initializer",
    "moving_mean_initializer moving_variance_initializer",
    "beta_regularizer gamma_regularizer beta_constraint gamma_constraint",
    "renorm renorm_clipping renorm_momentum synchronized",
)
class BatchNormalization(Scaled):
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
        beta_regularizer: a penalty on beta.
        gamma_regularizer: a penalty on gamma.
        beta_constraint: a projection of beta after each update.
        gamma_constraint: a projection of gamma after each update.
        renorm: whether training corrects what the batch's statistics do towards what
            slow averages of them would.
        renorm_clipping: bounds of that correction: of the scale, ``"rmin"`` and
            ``"rmax"``, and of the size of the shift, ``"dmax"``; none by default.
        renorm_momentum: of these averages, in [0, 1).
        synchronized: accepted if False; matters to distributed training alone.

    Shapes:
        inputs: (batch, ..., channels)
        mask: the same without the last axis; what it leaves out does not count
        returns: that of inputs

    Raises:
        ValueError: if a bound is unknown or out of order, or a mask has another rank.

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167; `renorm`: Ioffe 2017,
    arXiv:1702.03275, algorithm 1.
    """

    moving_mean_initializer: Any
    moving_variance_initializer: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        *,
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(axis, **kwargs)
        if synchronized:
            raise ValueError(
                "Argument synchronized=True is only supported with the TensorFlow "
                "backend."
            )
        self.synchronized = synchronized
        self.momentum = float(momentum)
        self.weight_rule("moving_mean", moving_mean_initializer)
        self.weight_rule("moving_variance", moving_variance_initializer)
        self.renorm = renorm
        self.renorm_clipping = _bounds(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum

    def build(self, input_shape: Shape) -> None:
        shape = sizes_along(self, input_shape, self.axis)
        self.add_gamma_and_beta(shape)
        self.moving_mean = self._add_average(
            "moving_mean", shape, self.moving_mean_initializer
        )
        self.moving_variance = self._add_average(
            "moving_variance", shape, self.moving_variance_initializer
        )
        if self.renorm:
            first = self._first_stddev
            self.moving_stddev = self._add_average("moving_stddev", shape, first)
            self.renorm_mean = self._add_average(
                "renorm_mean", shape, self.moving_mean_initializer
            )
            self.renorm_stddev = self._add_average("renorm_stddev", shape, first)
        axes = {self.axis: shape[0]}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def _add_average(
        self, name: str, shape: tuple[int, ...], initializer: Any
    ) -> K.Variable:
        return self.add_weight(
            shape, initializer, trainable=False, autocast=False, name=name
        )

    def _first_stddev(self, shape: Shape, dtype: Any = None) -> K.Tensor:
        return K.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(
        self, inputs: K.Tensor, training: Any = None, mask: Any = None
    ) -> K.Tensor:
        x = K.cast(inputs, K.result_type(inputs.dtype, "float32"))  # as sums get large
        train = training if self.trainable else False
        averages = [
            K.cast(v, x.dtype) for v in (self.moving_mean, self.moving_variance)
        ]
        mean, var = K.in_train_phase(lambda: self.moments(x, mask), averages, train)
        gamma, beta = self.gamma, self.beta
        if train and self.renorm:
            gamma, beta = self.corrected(mean, var)
        if train:
            self.update(mean, var)
        y = K.batch_normalization(x, mean, var, beta, gamma, self.axis, self.epsilon)
        return K.cast(y, self.compute_dtype)

    def moments(self, inputs: K.Tensor, mask: Any) -> tuple[K.Tensor, K.Tensor]:
        """Return mean and variance of each channel, of what the mask lets through.

        Raises:
            ValueError: if the mask has not one axis less than the inputs.
        """
        rank = len(known_shape(inputs))
        axes = [i for i in range(rank) if i != self.axis % rank]
        if mask is None:
            return K.moments(inputs, axes)
        if K.ndim(mask) != rank - 1:
            raise ValueError(
                "The mask provided should be one dimension less than the inputs. "
                f"Received: mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        weight = K.cast(K.expand_dims(mask, -1), inputs.dtype) * K.ones_like(inputs)
        total = K.sum(weight, axes, keepdims=True) + K.epsilon()
        mean = K.sum(weight * inputs, axes, keepdims=True) / total
        apart = weight * K.square(inputs - mean)
        variance = K.sum(apart, axes, keepdims=True) / total
        return K.squeeze(mean, axes), K.squeeze(variance, axes)

    def corrected(self, mean: K.Tensor, variance: K.Tensor) -> tuple[Any, Any]:
        """Return gamma and beta such that y = (r x + d) gamma + beta, x normalized."""
        low, high, far = ((self.renorm_clipping or {}).get(k) for k in _BOUNDS)
        least = math.sqrt(self.epsilon)  # the averages may have started at 0
        stddev = K.maximum(self.renorm_stddev, least)
        r = K.sqrt(variance + self.epsilon) / stddev
        d = (mean - self.renorm_mean) / stddev
        r = r if low is None else K.maximum(r, low)
        r = r if high is None else K.minimum(r, high)
        d = d if far is None else K.clip(d, -far, far)
        r, d = K.stop_gradient(r), K.stop_gradient(d)
        if self.gamma is not None:
            r, d = r * self.gamma, d * self.gamma
        return r, d if self.beta is None else d + self.beta

    def update(self, mean: K.Tensor, variance: K.Tensor) -> None:
        """Move the averages towards the batch's mean and variance."""
        _move(self.moving_mean, mean, self.momentum)
        if not self.renorm:
            _move(self.moving_variance, variance, self.momentum)
            return
        stddev = K.sqrt(variance + self.epsilon)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, stddev, self.renorm_momentum)
        moved = _move(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(K.relu(K.square(moved) - self.epsilon))


_BOUNDS = ("rmin", "rmax", "dmax")


def _bounds(given: Mapping[str, float] | None) -> dict[str, float]:
    """Return the bounds of a correction.

    Raises:
        ValueError: if one is unknown, or they are out of order.
    """
    found = dict(given or {})
    if found.keys() - {*_BOUNDS}:
        raise ValueError(
            "Received invalid keys for `renorm_clipping` argument: "
            f"{found}. Supported values: {list(_BOUNDS)}."
        )
    rmin, rmax, dmax = map(found.get, _BOUNDS)
    if rmin is not None and rmax is not None and rmax < rmin:
        raise ValueError(
            "rmax should be greater than rmin in the `renorm_clipping` argument. "
            f"Received: rmax={rmax}, rmin={rmin}."
        )
    if dmax is not None and dmax < 0:
        raise ValueError(
            "dmax should be non-negative in the `renorm_clipping` argument. "
            f"Received: dmax={dmax}."
        )
    return found


def _move(average: K.Variable, value: K.Tensor, momentum: float) -> K.Tensor:
    """Move an average towards a value; return where it is now."""
    moved = average * momentum + value * (1.0 - momentum)
    average.assign(moved)
    return moved

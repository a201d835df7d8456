"""Layers against overfitting: noise in training, penalties on activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras import regularizers
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec, known_shape

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class _Noise(Layer):
    """Base of layers that disturb their inputs in training, and only there."""

    _level = "rate"  # the attribute that says how much

    def __init__(self, level: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = K.SeedGenerator(seed) if level > 0 else None
        self.supports_masking = True

    def call(self, inputs: K.Tensor, training: Any = None) -> K.Tensor:
        if not getattr(self, self._level):
            return inputs
        return K.in_train_phase(lambda: self.disturb(inputs), inputs, training)

    def disturb(self, inputs: K.Tensor) -> K.Tensor:
        """Return the inputs with noise."""
        raise NotImplementedError


def _share(value: float, name: str = "rate") -> float:
    if not 0 <= value <= 1:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a float value "
            f"between 0 and 1. Received: {name}={value}"
        )
    return value


class Dropout(_Noise):
    """A share of the elements set to 0 in training, the others scaled up to make up.

    Args:
        rate: the share, in [0, 1].
        noise_shape: the shape of the choices, None for the size of the input there;
            along an axis of size 1 elements are dropped together.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.

    Source: Srivastava et al. 2014, jmlr.org/papers/v15/srivastava14a.html.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_share(rate), seed, **kwargs)
        self.rate = rate
        self.noise_shape = _noise_shape(noise_shape)

    def disturb(self, inputs: K.Tensor) -> K.Tensor:
        return K.dropout(inputs, self.rate, self.noise_shape, self.seed_generator)


def _noise_shape(value: Any) -> Any:
    """Return the shape of the choices, checked."""
    if value is None:
        return None
    received = f"Received: noise_shape={value}"
    if isinstance(value, str):
        raise _unfit("a tuple or list of integers", received)
    if not hasattr(value, "__iter__"):
        raise _unfit("an iterable of integers (e.g., a tuple or list)", received)
    for i, n in enumerate(value):
        if n is not None and not isinstance(n, int):
            raise _unfit(
                "all elements to be integers or None",
                f"Received element at index {i}: {n} (type: {type(n).__name__})",
            )
        if n is not None and n <= 0:
            raise _unfit(
                "all dimensions to be positive integers or None",
                f"Received negative or zero value at index {i}: {n}",
            )
    return tuple(value)


def _unfit(expected: str, received: str) -> ValueError:
    return ValueError(
        f"Invalid value received for argument `noise_shape`. Expected {expected}. "
        f"{received}"
    )


class SpatialDropout1D(Dropout):
    """Whole channels of sequences dropped in training.

    Args:
        rate: the share of channels, in [0, 1].
        seed: see `Dropout`.
        name: made unique.
        dtype: floatx by default.

    Shapes:
        inputs: (batch, steps, channels)

    Source: Tompson et al. 2014, arXiv:1411.4280.
    """

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=3)


class _SpatialDropout(Dropout):
    """Base of the same with a data format."""

    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.data_format = K.standardize_data_format(data_format)
        space = (1,) * self.rank
        last = self.data_format == "channels_last"
        shape = (None, *space, None) if last else (None, None, *space)
        super().__init__(rate, shape, seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class SpatialDropout2D(_SpatialDropout):
    """Whole channels of images dropped in training.

    Args:
        rate: the share of channels, in [0, 1].
        data_format: where the channels are.
        seed: see `Dropout`.
        name: made unique.
        dtype: floatx by default.
    """

    rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Whole channels of volumes dropped in training.

    Args:
        rate: the share of channels, in [0, 1].
        data_format: where the channels are.
        seed: see `Dropout`.
        name: made unique.
        dtype: floatx by default.
    """

    rank = 3


class GaussianNoise(_Noise):
    """Normally distributed noise added in training.

    Args:
        stddev: its standard deviation, in [0, 1].
        seed: see `Dropout`.
    """

    _level = "stddev"

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(_share(stddev, "stddev"), seed, **kwargs)
        self.stddev = stddev

    def disturb(self, inputs: K.Tensor) -> K.Tensor:
        return inputs + K.random_normal(
            K.shape(inputs), 0.0, self.stddev, inputs.dtype, self.seed_generator
        )


class GaussianDropout(_Noise):
    """Elements multiplied in training by noise of mean 1, as spread as dropout's.

    Args:
        rate: of the dropout with the same variance; in [0, 1).
        seed: see `Dropout`.

    Source: Srivastava et al. 2014, section 10.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(_share(rate), seed, **kwargs)
        self.rate = rate

    def disturb(self, inputs: K.Tensor) -> K.Tensor:
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return inputs * K.random_normal(
            K.shape(inputs), 1.0, stddev, inputs.dtype, self.seed_generator
        )


class AlphaDropout(_Noise):
    """Elements set in training to the limit of `selu`; mean and variance stay.

    Args:
        rate: the share of elements, in [0, 1].
        noise_shape: see `Dropout`.
        seed: see `Dropout`.

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_share(rate), seed, **kwargs)
        self.rate = rate
        self.noise_shape = _noise_shape(noise_shape)

    def disturb(self, inputs: K.Tensor) -> K.Tensor:
        keep = 1.0 - self.rate
        limit = -1.6732632423543772 * 1.0507009873554805  # selu at minus infinity
        whole = K.shape(inputs)
        wanted = self.noise_shape or known_shape(inputs)
        shape = [n or whole[i] for i, n in enumerate(wanted)]
        kept = K.random_bernoulli(shape, keep, inputs.dtype, self.seed_generator)
        scale = (keep * (1.0 + self.rate * limit**2)) ** -0.5
        return scale * (inputs * kept + limit * (1.0 - kept) - limit * self.rate)


class ActivityRegularization(Layer):
    """A penalty on the inputs, which pass unchanged: ``l1 sum |x| + l2 sum x^2``.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]  # made of l1 and l2
        return config

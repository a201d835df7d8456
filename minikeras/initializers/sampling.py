"""Initializers that draw at random.

Each knows a distribution and a seed; one rule draws from it. The same object gives the
same values at every call, as in Keras 3: two layers need two objects, or a
`SeedGenerator` as the seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.initializers.constant import Initializer

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "compute_fans",
]

# Standard deviation of a standard normal that is cut off at 2 and -2.
_CUT_OFF = 0.87962566103423978


class RandomInitializer(Initializer):
    """Base of initializers that draw at random.

    Args:
        seed: an integer, a `SeedGenerator`, or None for a seed drawn once.

    Raises:
        ValueError: if `seed` is none of these.
    """

    def __init__(self, seed: Any = None) -> None:
        if not isinstance(seed, (int, K.SeedGenerator, type(None))):
            raise ValueError(
                "`seed` argument should be an instance of "
                "`keras.random.SeedGenerator()` or an integer. "
                f"Received: seed={seed}"
            )
        self._given_seed = seed
        self.seed = K.make_default_seed() if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        seed = K.serialize_keras_object(self._given_seed)
        return {**super().get_config(), "seed": seed}


class RandomNormal(RandomInitializer):
    """Draws from a normal distribution.

    Args:
        mean: of the distribution.
        stddev: its standard deviation.
        seed: see `RandomInitializer`.
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return samples in this shape."""
        return K.random_normal(
            shape, self.mean, self.stddev, dtype=dtype, seed=self.seed
        )


class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution, again where two deviations off the mean.

    Args:
        mean: of the distribution.
        stddev: its standard deviation, before it is cut off.
        seed: see `RandomInitializer`.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return samples in this shape."""
        return K.truncated_normal(
            shape, self.mean, self.stddev, dtype=dtype, seed=self.seed
        )


class RandomUniform(RandomInitializer):
    """Draws evenly from an interval.

    Args:
        minval: its lower end, included.
        maxval: its upper end, excluded.
        seed: see `RandomInitializer`.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return samples in this shape."""
        return K.random_uniform(
            shape, self.minval, self.maxval, dtype=dtype, seed=self.seed
        )


class VarianceScaling(RandomInitializer):
    """Draws with a variance of ``scale / n``, so that signals keep their size.

    Args:
        scale: the variance of a unit's output, for inputs of variance 1.
        mode: what n counts: ``"fan_in"``, the inputs of a unit; ``"fan_out"``, the
            units that an input goes to; ``"fan_avg"``, their mean.
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
        seed: see `RandomInitializer`.
        input_axes: axes of the shape whose product is the fan-in; by default all but
            the last.
        output_axes: axes of the shape whose product is the fan-out; by default all but
            the last but one.

    Raises:
        ValueError: if `scale` is not positive, or a name is not known.

    Source: Glorot and Bengio 2010 (fan_avg); He et al. 2015, arXiv:1502.01852, who use
    a scale of 2.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(
                f"Argument `scale` must be positive float. Received: scale={scale}"
            )
        name = distribution.lower()
        name = "truncated_normal" if name == "normal" else name
        _check("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        _check(
            "distribution", name, ("uniform", "truncated_normal", "untruncated_normal")
        )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = name
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return samples in this shape."""
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        mean = (fan_in + fan_out) / 2.0
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": mean}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, n))
        kind = {"dtype": dtype, "seed": self.seed}
        if self.distribution == "truncated_normal":
            return K.truncated_normal(shape, 0.0, stddev / _CUT_OFF, **kind)
        if self.distribution == "untruncated_normal":
            return K.random_normal(shape, 0.0, stddev, **kind)
        limit = math.sqrt(3.0) * stddev
        return K.random_uniform(shape, -limit, limit, **kind)


def _check(argument: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(
            f"Invalid `{argument}` argument: {value}. Please use one of {allowed}"
        )


def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs a unit has, and to how many units an input goes.

    A kernel's last two axes are inputs and outputs; those before are the positions of
    its window, each of which counts.

    Example:
        >>> compute_fans((3, 3, 8, 16))
        (72, 144)
    """
    sizes = tuple(shape)
    if input_axes is not None and output_axes is not None:
        fans = (math.prod(sizes[i] for i in axes) for axes in (input_axes, output_axes))
        fan_in, fan_out = fans
        return fan_in, fan_out
    if len(sizes) < 2:
        size = math.prod(sizes)
        return size, size
    window = math.prod(sizes[:-2])
    return sizes[-2] * window, sizes[-1] * window


class _Preset(VarianceScaling):
    """A `VarianceScaling` with fixed scale, mode and distribution."""

    preset: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.preset, seed, input_axes, output_axes)


class GlorotUniform(_Preset):
    """Even, of variance ``2 / (fan_in + fan_out)``: layers that are about linear."""

    preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Normal, of variance ``2 / (fan_in + fan_out)``: layers that are about linear."""

    preset = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Even, of variance ``2 / fan_in``: layers before a `relu`."""

    preset = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Normal, of variance ``2 / fan_in``: layers before a `relu`."""

    preset = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Even, of variance ``1 / fan_in``."""

    preset = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Normal, of variance ``1 / fan_in``: layers before a `selu`."""

    preset = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A matrix with orthonormal rows or columns, whichever are fewer.

    A shape with more axes is filled as the matrix (all but the last axis, last axis).

    Args:
        gain: factor of the matrix.
        seed: see `RandomInitializer`.

    Source: Saxe et al. 2014, arXiv:1312.6120.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return that matrix, even among all such.

        Raises:
            ValueError: if the shape has fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        flat = (max(rows, columns), min(rows, columns))
        kind = dtype or K.floatx()
        wide = K.result_type(kind, "float32")  # no 16 bits in linear algebra
        q, r = K.qr(K.random_normal(flat, dtype=wide, seed=self.seed))
        # The signs of r's diagonal make the decomposition unique, and q even.
        q = q * K.sign(K.diag(r))
        q = K.transpose(q) if rows < columns else q
        return K.cast(self.gain * K.reshape(q, tuple(shape)), kind)

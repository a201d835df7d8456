"""Initial values of variables: functions of a shape and a dtype, made from settings.

Classes, as a program may pass ``tf.zeros_initializer`` itself as well as a call of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras.engine import ops
from minikeras.engine.context import lazily
from minikeras.engine.draws import random_normal, random_uniform, truncated_normal
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.values import Value

__all__ = [
    "constant_initializer",
    "glorot_normal_initializer",
    "glorot_uniform_initializer",
    "ones_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "truncated_normal_initializer",
    "variance_scaling_initializer",
    "zeros_initializer",
]


class Initializer(Value):
    """A function of a shape and a dtype."""

    dtype: ClassVar[Any]

    def __call__(
        self, shape: Sequence[int], dtype: Any = None, partition_info: Any = None
    ) -> Any:
        """Return a tensor of this shape; the dtype is the initializer's by default."""
        kind = as_dtype(self.dtype if dtype is None else dtype)
        with lazily():
            return self.draw(tuple(shape), kind)

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        """Return a tensor of this shape and dtype."""
        raise NotImplementedError


class Zeros(Initializer):
    """All 0."""

    dtype: Any = "float32"

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return ops.zeros(shape, dtype)


class Ones(Initializer):
    """All 1."""

    dtype: Any = "float32"

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return ops.ones(shape, dtype)


class Constant(Initializer):
    """A number everywhere, or as many numbers as there are elements, row by row."""

    value: Any = 0
    dtype: Any = "float32"
    verify_shape: bool = False

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return ops.constant(self.value, dtype, shape)


class RandomUniform(Initializer):
    """Uniform from `minval` to `maxval`."""

    minval: Any = 0
    maxval: Any = None
    seed: int | None = None
    dtype: Any = "float32"

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return random_uniform(shape, self.minval, self.maxval, dtype, self.seed)


class RandomNormal(Initializer):
    """Normal, with this mean and standard deviation."""

    mean: float = 0.0
    stddev: float = 1.0
    seed: int | None = None
    dtype: Any = "float32"

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return random_normal(shape, self.mean, self.stddev, dtype, self.seed)


class TruncatedNormal(Initializer):
    """Normal, with what is over two standard deviations off drawn again."""

    mean: float = 0.0
    stddev: float = 1.0
    seed: int | None = None
    dtype: Any = "float32"

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


# The standard deviation of the normal distribution cut at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(Initializer):
    """Zero mean, and the variance scale / n.

    Attributes:
        scale: above 0.
        mode: what n is: ``fan_in``, ``fan_out``, or their mean ``fan_avg``.
        distribution: ``truncated_normal``, ``normal`` (truncated as well, as in
            TensorFlow 1), ``untruncated_normal`` or ``uniform``.
        seed: of the draw.
        dtype: of the result.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    dtype: Any = "float32"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        normals = {"truncated_normal", "normal", "untruncated_normal"}
        if (
            self.scale <= 0
            or self.mode not in {"fan_in", "fan_out", "fan_avg"}
            or self.distribution not in {*normals, "uniform"}
        ):
            raise ValueError(f"not a valid initializer: {self}")

    def draw(self, shape: tuple[int, ...], dtype: DType) -> Any:
        fan_in, fan_out = _fans(shape)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random_uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return truncated_normal(shape, 0.0, stddev, dtype, self.seed)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs and how many outputs a unit has, by its weights' shape."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    *window, inputs, outputs = shape
    taps = math.prod(window)
    return inputs * taps, outputs * taps


class GlorotUniform(VarianceScaling):
    """Uniform, with variance 2 / (fan_in + fan_out).

    Source: Glorot, Bengio 2010, proceedings.mlr.press/v9/glorot10a, equation 16.
    """

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


class GlorotNormal(VarianceScaling):
    """Truncated normal, with variance 2 / (fan_in + fan_out)."""

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal

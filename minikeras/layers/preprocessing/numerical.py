"""Layers that prepare data: shift and scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import known_shape

__all__ = ["Normalization", "Rescaling"]


class Rescaling(Layer):
    """``inputs * scale + offset``: from one range of values to another.

    Args:
        scale: 1/255 for pixels from [0, 255] to [0, 1].
        offset: added after scaling.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: K.Tensor) -> K.Tensor:
        scale, offset = (
            K.cast(x, self.compute_dtype) for x in (self.scale, self.offset)
        )
        return K.cast(inputs, self.compute_dtype) * scale + offset


class Normalization(Layer):
    """Features with mean 0 and variance 1: ``(inputs - mean) / sqrt(variance)``.

    Mean and variance are given, or computed from data by `adapt`.

    Args:
        axis: along which features differ, one or several; None for one mean and one
            variance of everything.
        mean: of each feature.
        variance: of each feature; given with `mean`, or not at all.
        invert: whether to undo the normalization rather than do it.

    Raises:
        ValueError: if only one of `mean` and `variance` is given.

    Example:
        >>> layer = Normalization(axis=None)
        >>> layer.adapt(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
        >>> layer(np.array([1.0, 2.0, 3.0])).round(3)
        array([-1.414, -0.707,  0.   ], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        listed = () if axis is None else axis
        self.axis = (listed,) if isinstance(listed, int) else tuple(listed)
        self.input_mean, self.input_variance = map(_plain, (mean, variance))
        self.invert = invert
        self.supports_masking = True

    def build(self, input_shape: Sequence[Any]) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs "
                f"with ndim={rank}, while axis={self.axis}"
            )
        self.rank = rank
        self.kept = sorted(axis % rank for axis in self.axis)
        sizes = [input_shape[axis] for axis in self.kept]
        if None in sizes:
            raise ValueError(
                "All `axis` values to be kept must have a known shape. Received "
                f"axis={self.axis}, inputs.shape={tuple(input_shape)}"
            )
        if self.input_mean is None:
            self.adapted = [
                self.add_weight(sizes, "zeros", trainable=False, name="mean"),
                self.add_weight(sizes, "ones", trainable=False, name="variance"),
                self.add_weight((), "zeros", "int32", trainable=False, name="count"),
            ]

    def adapt(self, data: Any) -> None:
        """Compute mean and variance of each feature.

        Args:
            data: an array, or an iterable of batches.
        """
        batches = [data] if K.is_array(data) else list(data)
        if not self.built:
            self.build(known_shape(batches[0]))
        total, mean, variance = 0, 0.0, 0.0
        for batch in batches:
            batch = K.convert_to_tensor(batch, self.compute_dtype)
            over = [i for i in range(self.rank) if i not in self.kept]
            part, spread = K.moments(batch, over)
            count = K.count_params(batch)
            share = count / (total + count)
            # Two sets are as spread as each is, and as their means are apart.
            apart = share * (1 - share) * K.square(part - mean)
            variance = (1 - share) * variance + share * spread + apart
            mean = mean + share * (part - mean)
            total += count
        K.batch_set_value(zip(self.adapted, (mean, variance, 0), strict=True))

    def call(self, inputs: K.Tensor) -> K.Tensor:
        x = K.cast(inputs, self.compute_dtype)
        deviation = K.maximum(K.sqrt(self.variance), K.epsilon())
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation

    @property
    def mean(self) -> Any:
        """The mean of each feature, with axes as the inputs have them."""
        given = self.input_mean
        return self.spread(self.adapted[0].value if given is None else given)

    @property
    def variance(self) -> Any:
        """The variance of each feature, with axes as the inputs have them."""
        given = self.input_variance
        return self.spread(self.adapted[1].value if given is None else given)

    def spread(self, v: Any) -> Any:
        """Return what is given for each feature so that it broadcasts with inputs."""
        v = K.cast(v, self.compute_dtype)
        sizes = dict(zip(reversed(self.kept), reversed(v.shape), strict=False))
        return K.reshape(v, [sizes.get(axis, 1) for axis in range(self.rank)])

    def get_config(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **given}


def _plain(values: Any) -> Any:
    """Return an array as nested lists, as it is to go into a file."""
    return values.tolist() if hasattr(values, "tolist") else values

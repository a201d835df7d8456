"""Layers that prepare data: shift and scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.input_spec import known_shape
from minikeras.layers.preprocessing.data_layer import DataLayer, batches_of

__all__ = ["Normalization", "Rescaling"]


class Rescaling(DataLayer):
    """``inputs * scale + offset``: from one range of values to another.

    Args:
        scale: 1/255 for pixels from [0, 255] to [0, 1]; or one for each channel.
        offset: added after scaling; or one for each channel.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: K.Tensor) -> K.Tensor:
        scale, offset = map(self._of_channels, (self.scale, self.offset))
        return K.cast(inputs, self.compute_dtype) * scale + offset

    def _of_channels(self, x: Any) -> Any:
        """Return numbers, one for each channel, so that they broadcast with images."""
        x = K.cast(x, self.compute_dtype)
        if K.ndim(x) == 1 and K.image_data_format() == "channels_first":
            return K.reshape(x, (-1, 1, 1))
        return x

    def get_config(self) -> dict[str, Any]:
        names = ("scale", "offset")
        own = {name: K.serialize_keras_object(getattr(self, name)) for name in names}
        return {**super().get_config(), **own}


class Normalization(DataLayer):
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
        given = () if axis is None else axis
        self.axis = (given,) if isinstance(given, int) else tuple(given)
        self.input_mean, self.input_variance = map(_plain, (mean, variance))
        self.invert = invert
        self.supports_masking = True
        self._check_given()

    def _check_given(self) -> None:
        mean, variance = self.input_mean, self.input_variance
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        if mean is None:
            return
        shape, other = (tuple(K.convert_to_numpy(v).shape) for v in (mean, variance))
        if shape != other:
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the "
                f"same shape. Received: mean shape {shape} and variance shape {other}"
            )
        if len(shape) > len(self.axis):
            raise ValueError(
                "The rank of `mean` must be less than or equal to the number of axes "
                f"({len(self.axis)}). Received: mean shape {shape} for axis "
                f"{self.axis}"
            )

    def build(self, input_shape: Sequence[Any]) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs "
                f"with ndim={rank}, while axis={self.axis}"
            )
        self._kept = sorted(axis % rank for axis in self.axis)
        for axis in self._kept:
            if input_shape[axis] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. Received "
                    f"axis={self.axis}, inputs.shape={tuple(input_shape)}, with "
                    f"unknown axis at index {axis}"
                )
        self._built_for = tuple(input_shape)
        if self.input_mean is None:
            sizes = [input_shape[axis] for axis in self._kept]
            self.adapt_mean = self.add_weight(
                sizes, "zeros", trainable=False, name="mean"
            )
            self.adapt_variance = self.add_weight(
                sizes, "ones", trainable=False, name="variance"
            )
            self.count = self.add_weight(
                (), "zeros", "int32", trainable=False, name="count"
            )

    def adapt(self, data: Any) -> None:
        """Compute mean and variance of each feature.

        Args:
            data: an array, or what yields batches: arrays, or tuples that begin with
                one.

        Raises:
            ValueError: if there is no batch, or one does not fit the layer.
            TypeError: if `data` is neither an array nor yields any.
        """
        total, mean, variance = 0, 0.0, 0.0
        for batch in map(_features, batches_of(_batched(data))):
            self._check_batch(batch)
            x: Any = K.convert_to_tensor(batch, "float64")
            over = [i for i in range(len(x.shape)) if i not in self._kept]
            part, spread = K.moments(x, over)
            count = math.prod([x.shape[i] for i in over])
            share = count / (total + count)
            # Two sets are as spread as each is, and as their means are apart.
            apart = share * (1 - share) * K.square(part - mean)
            variance = (1 - share) * variance + share * spread + apart
            mean = mean + share * (part - mean)
            total += count
        if not total:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least "
                "one batch. Pass a non-empty iterable of arrays or tensors, e.g. "
                "layer.adapt([x]) or layer.adapt(list_of_batches)."
            )
        K.batch_set_value([(self.adapt_mean, mean), (self.adapt_variance, variance)])

    def _check_batch(self, batch: Any) -> None:
        """Build the layer for a first batch; look whether it fits a later one.

        Raises:
            ValueError: if its features are not as many.
        """
        shape = known_shape(batch)
        if not self.built:
            self.build(shape)
        before = self._built_for
        if len(shape) != len(before) or any(shape[i] != before[i] for i in self._kept):
            raise ValueError(
                f"The layer was built with input_shape={before}, but adapt() is being "
                "called with data with an incompatible shape, data.shape="
                f"{tuple(shape)}"
            )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        x = K.cast(inputs, self.compute_dtype)
        mean, variance = self.mean, self.variance
        deviation = K.maximum(K.sqrt(variance), K.epsilon())
        return mean + x * deviation if self.invert else (x - mean) / deviation

    @property
    def mean(self) -> Any:
        """The mean of each feature, with the axes of inputs; None before `build`."""
        return self._spread(self.input_mean, "adapt_mean")

    @property
    def variance(self) -> Any:
        """The variance of each feature, likewise."""
        return self._spread(self.input_variance, "adapt_variance")

    def _spread(self, given: Any, learned: str) -> Any:
        """Return what is known of each feature so that it broadcasts with inputs."""
        if not self.built:
            return None
        value: Any = K.cast(
            getattr(self, learned).value if given is None else given,
            self.compute_dtype,
        )
        whole = [n if i in self._kept else 1 for i, n in enumerate(self._built_for)]
        sizes = dict(zip(reversed(self._kept), reversed(value.shape), strict=False))
        axes = range(len(whole))
        return K.broadcast_to(
            K.reshape(value, [sizes.get(axis, 1) for axis in axes]), whole
        )

    def get_config(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **given}


def _plain(values: Any) -> Any:
    """Return an array as nested lists, as it is to go into a file."""
    return values.tolist() if hasattr(values, "tolist") else values


def _batched(data: Any) -> Any:
    """Return a dataset of single samples as one of batches.

    Raises:
        TypeError: if `data` yields nothing.
    """
    spec = getattr(data, "element_spec", None)
    if spec is not None:
        features = spec[0] if isinstance(spec, tuple) else spec
        return data.batch(128) if len(features.shape) == 1 else data
    if not any(hasattr(data, name) for name in ("__iter__", "__getitem__", "shape")):
        raise TypeError(
            f"Unsupported data type: {type(data)}. `adapt` supports arrays, "
            "tensors, `tf.data.Dataset`, `keras.utils.PyDataset`, and iterables of "
            "batches (e.g. list, generator)."
        )
    return data


def _features(batch: Any) -> Any:
    """Return the features of a batch, which may come with targets.

    Raises:
        TypeError: if they have no shape.
    """
    features = batch[0] if isinstance(batch, tuple) else batch
    if getattr(features, "shape", None) is None:
        raise TypeError(
            "adapt() expects an iterable that yields arrays or tensors with a `.shape` "
            "attribute (e.g. numpy arrays or backend tensors). Got an element of type "
            f"{type(features).__name__}. Ensure each yielded element is array-like "
            "with a `.shape` attribute."
        )
    return features

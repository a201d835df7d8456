"""Pooling: the maximum or the mean of windows, or of all of space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter
from typing import Any

from minikeras import backend as K
from minikeras.layers.arguments import one_of, sizes
from minikeras.layers.signatures import takes
from minikeras.layers.spatial import Spatial

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]

Sizes = int | Sequence[int]


# -- windows ---------------------------------------------------------------------------


class _Pooling(Spatial):
    """Base of pooling over windows.

    Args:
        pool_size: size of a window along each spatial axis; a single number for all.
        strides: elements from one window's start to the next one's; by default the
            windows' size, so that they do not overlap.
        padding: "valid": windows stay inside the input; "same": as many windows as
            there are strides in it.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, spatial ..., channels)
        returns: (batch, windows ..., channels)
    """

    pool: Callable[..., K.Tensor]

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        apart = pool_size if strides is None else strides
        self.pool_size = sizes(pool_size, self.rank, "pool_size")
        self.strides = sizes(apart, self.rank, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = K.standardize_data_format(data_format)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return self.pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


@takes("pool_size strides padding data_format name")
class _MaxPooling(_Pooling):
    pool = staticmethod(K.max_pool)


class MaxPooling1D(_MaxPooling):
    """The largest element of each window of a sequence, channel by channel.

    Args:
        pool_size: steps in a window.
        strides: steps from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: where the channels are.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, windows, channels)
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The largest pixel of each window of an image, channel by channel.

    Args:
        pool_size: height and width of a window.
        strides: pixels from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: where the channels are.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, rows of windows, columns of windows, channels)
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The largest element of each window of a volume; see `MaxPooling2D`."""

    rank = 3


@takes("pool_size strides padding data_format name", pool_size=Parameter.empty)
class _AveragePooling(_Pooling):
    pool = staticmethod(K.average_pool)


class AveragePooling1D(_AveragePooling):
    """The mean of each window of a sequence; see `MaxPooling1D`."""

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window of an image; see `MaxPooling2D`."""

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window of a volume; see `MaxPooling2D`."""

    rank = 3


# -- all of space ----------------------------------------------------------------------


class _GlobalPooling(Spatial):
    """Base of pooling over all of space.

    Args:
        data_format: where the channels are.
        keepdims: whether the spatial axes stay, with size 1.

    Shapes:
        inputs: (batch, spatial ..., channels)
        returns: (batch, channels)
    """

    pool: Callable[..., K.Tensor]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = K.standardize_data_format(data_format)
        self.keepdims = keepdims

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return self.pool(inputs, self.spatial_axes, keepdims=self.keepdims)


class _GlobalMaxPooling(_GlobalPooling):
    pool = staticmethod(K.max)


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The largest element of each channel of a sequence.

    Args:
        data_format: where the channels are.
        keepdims: whether the axis of the steps stays, with size 1.
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The largest pixel of each channel of an image; see `GlobalMaxPooling1D`."""

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """The largest element of each channel of a volume; see `GlobalMaxPooling1D`."""

    rank = 3


class _GlobalAveragePooling(_GlobalPooling):
    pool = staticmethod(K.mean)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """The mean of each channel of a sequence, over the steps where the mask holds.

    Args:
        data_format: where the channels are.
        keepdims: whether the axis of the steps stays, with size 1.

    Shapes:
        inputs: (batch, steps, channels)
        mask: (batch, steps)
        returns: (batch, channels)
    """

    rank = 1

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: K.Tensor, mask: Any = None) -> K.Tensor:
        if mask is None:
            return super().call(inputs)
        weight = K.expand_dims(K.cast(mask, inputs.dtype), self.channel_axis)
        total = K.sum(inputs * weight, self.spatial_axes, keepdims=self.keepdims)
        return total / K.sum(weight, self.spatial_axes, keepdims=self.keepdims)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> None:
        """Return None: the axis of the mask is gone."""


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """The mean of each channel of an image; see `GlobalAveragePooling1D`."""

    rank = 2


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """The mean of each channel of a volume; see `GlobalAveragePooling1D`."""

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D

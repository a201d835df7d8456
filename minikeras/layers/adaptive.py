"""Pooling to a given size, from inputs of any size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.spatial import Spatial

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]

Sizes = int | Sequence[int]


class _AdaptivePooling(Spatial):
    """Base of pooling over as many windows as are wanted.

    Args:
        output_size: windows along each spatial axis; a single number for all.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, spatial ..., channels)
        returns: (batch, *output_size, channels)

    Raises:
        TypeError: if `output_size` is neither an integer nor one for each axis.
    """

    pool: Callable[..., K.Tensor]

    def __init__(
        self, output_size: Sizes, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.output_size = self._sizes(output_size)
        self.data_format = K.standardize_data_format(data_format)

    def _sizes(self, given: Any) -> tuple[int, ...]:
        """Return sizes; Keras refuses others here in words, and by errors, of its own.

        Raises:
            TypeError: if it is neither an integer nor one for each axis.
            ValueError: if it is several for one axis.
        """
        if isinstance(given, int):
            return (given,) * self.rank
        listed = isinstance(given, (tuple, list))
        if listed and len(given) == self.rank:
            return tuple(given)
        if listed and self.rank == 1:
            raise ValueError(
                "For 1D input, `output_size` tuple must have length 1. Received: "
                f"{given}"
            )
        axes = ("depth", "height", "width")[-self.rank :]
        several = (
            f"({', '.join(axes)}) tuple" if self.rank > 1 else "tuple of 1 integer"
        )
        raise TypeError(
            f"`output_size` must be an integer or {several}. Received: {given} of type "
            f"{type(given)}"
        )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return self.pool(inputs, self.output_size, self.data_format)


class _AdaptiveAveragePooling(_AdaptivePooling):
    pool = staticmethod(K.adaptive_average_pool)


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The means of so many windows of a sequence, of nearly equal size.

    Args:
        output_size: how many windows.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, output_size, channels)
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The means of so many windows of an image, of nearly equal size.

    Args:
        output_size: how many windows above each other, and side by side.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, *output_size, channels)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The means of so many windows of a volume; see `AdaptiveAveragePooling2D`."""

    rank = 3


class _AdaptiveMaxPooling(_AdaptivePooling):
    pool = staticmethod(K.adaptive_max_pool)


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The largest elements of windows; see `AdaptiveAveragePooling1D`."""

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The largest pixels of windows; see `AdaptiveAveragePooling2D`."""

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The largest elements of windows; see `AdaptiveAveragePooling2D`."""

    rank = 3

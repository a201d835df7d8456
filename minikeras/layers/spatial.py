"""What layers on images, volumes and sequences share: where space and channels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec

__all__ = ["Spatial"]


class Spatial(Layer):
    """Base of layers with one to three spatial axes, and one of channels.

    Subclasses name the number of spatial axes, `rank`; their `data_format` says whether
    the channels are the last axis or that after the batch.
    """

    rank: ClassVar[int]
    data_format: str = "channels_last"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return -1 if self.data_format == "channels_last" else 1

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes of space."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def per_axis(self, spatial: Sequence[Any], other: Any) -> list[Any]:
        """Return a list for all axes, from what is said of the spatial ones."""
        whole = [other] * (self.rank + 2)
        for axis, value in zip(self.spatial_axes, spatial, strict=True):
            whole[axis] = value
        return whole

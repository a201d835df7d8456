"""Images whose values are spread over the whole range, by how often each occurs."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import Augmentation, in_range
from minikeras.layers.augmentation.factors import sorted_range

__all__ = [
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
]


class AutoContrast(Augmentation):
    """Images whose darkest value becomes the lowest there is, the brightest the top.

    Each channel is stretched by itself, in training or not; one that has a single value
    stays.

    Args:
        value_range: the lowest and the highest value of a pixel.
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = sorted_range(value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        images = K.cast(images, self.compute_dtype)
        axes = K.spatial_axes(self.data_format)
        low = K.min(images, axes, keepdims=True)
        spread = K.max(images, axes, keepdims=True) - low
        even = K.equal(spread, 0.0)
        share = (images - low) / K.where(even, 1.0, spread)
        lowest, highest = self.value_range
        return K.where(even, images, share * (highest - lowest) + lowest)


class Equalization(Augmentation):
    """Images in which all values are about as frequent.

    A value becomes the share of the pixels that are not brighter. As in Keras, they are
    counted over all images of a batch; each channel by itself.

    Args:
        value_range: the lowest and the highest value of a pixel.
        bins: how many values are told apart.
        data_format: where the channels are.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = bins
        self.value_range = sorted_range(value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        images = K.cast(images, self.compute_dtype)
        if not training:
            return images
        axis = K.channel_axis(self.data_format)
        values = K.moveaxis(in_range(images, self.value_range, (0, 255)), axis, 0)
        values = K.cast(values, "float32")
        shape, top = K.shape(values), self.bins - 1
        flat = K.reshape(values, (shape[0], -1))
        place = K.cast(K.clip(flat * (top / 255.0), 0.0, float(top)), "int32")
        counts = histogram(place, self.bins)
        total = K.cumsum(counts, -1)
        # The lowest value that there is becomes 0.
        first = K.min(K.where(total > 0, total, total[:, -1:]), -1, keepdims=True)
        rest = total[:, -1:] - first
        table = (total - first) * 255.0 / K.where(K.equal(rest, 0.0), 1.0, rest)
        table = K.clip(K.round(table), 0.0, 255.0)
        several = K.sum(K.cast(counts > 0, "int32"), -1, keepdims=True) > 1
        equalized = K.where(several, K.take_along_axis(table, place, -1), flat)
        found = K.moveaxis(K.reshape(equalized, shape), 0, axis)
        return K.cast(in_range(found, (0, 255), self.value_range), self.compute_dtype)


class ContrastLimitedAdaptiveHistogramEqualization(Augmentation):
    """Images equalized tile by tile, where no value counts more than a limit.

    Between the centers of tiles their results are interpolated. It is done in training
    or not; images keep their dtype.

    Args:
        value_range: the lowest and the highest value of a pixel.
        clip_limit: how often a value may count, in multiples of the mean; 0 for no
            limit.
        tile_grid_size: how many tiles there are, along the height and the width.
        data_format: where the channels are.

    Source: Zuiderveld 1994, "Contrast limited adaptive histogram equalization",
    Graphics Gems IV.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.clip_limit = clip_limit
        self.tile_grid_size = tile_grid_size

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        images = K.convert_to_tensor(images)
        axis, single = K.channel_axis(self.data_format), K.rank(images) == 3
        x = in_range(K.cast(images, "float32"), self.value_range, (0, 255))
        # Channels are images of their own here.
        x = K.moveaxis(x[None] if single else x, axis, 1)
        n, channels, height, width = K.sizes_of(x)
        planes = K.reshape(x, (-1, height, width))
        found = K.reshape(self._equalized(planes), (n, channels, height, width))
        found = K.moveaxis(found, 1, axis)
        found = in_range(found[0] if single else found, (0, 255), self.value_range)
        return K.cast(found, images.dtype)

    def _equalized(self, planes: Any) -> Any:
        """Return planes (batch, height, width) equalized in their tiles."""
        n, *sizes = K.sizes_of(planes)
        rows, columns = self.tile_grid_size
        high, wide = (
            (size + k - 1) // k for size, k in zip(sizes, (rows, columns), strict=True)
        )
        whole = mirrored(mirrored(planes, 1, rows * high), 2, columns * wide)
        value = K.cast(K.clip(whole, 0.0, 255.0), "int32")
        tiles = K.reshape(value, (n, rows, high, columns, wide))
        tiles = K.reshape(K.transpose(tiles, (0, 1, 3, 2, 4)), (-1, high * wide))
        table = self._table(histogram(tiles, 256), high * wide)
        # Where a pixel is, in tiles, counted from the center of the first.
        y, x = (
            K.cast(K.arange(k * size), "float32") / size - 0.5
            for k, size in ((rows, high), (columns, wide))
        )
        first = K.reshape(K.arange(n) * (rows * columns), (-1, 1, 1))
        found: Any = 0.0
        for i, share_y in _around(y, rows):
            for j, share_x in _around(x, columns):
                tile = first + i[:, None] * columns + j
                seen = K.take(K.reshape(table, (-1,)), tile * 256 + value)
                found = found + share_y[:, None] * share_x * seen
        return found[:, : sizes[0], : sizes[1]]

    def _table(self, counts: Any, pixels: Any) -> Any:
        """Return what each value becomes, from how often it occurs in a tile."""
        pixels = K.cast(pixels, "float32")
        if self.clip_limit > 0:
            clipped = K.minimum(counts, self.clip_limit * pixels / 256.0)
            excess = K.sum(counts - clipped, -1, keepdims=True)
            counts = clipped + excess / 256.0
        total = K.cumsum(counts, -1)
        first = K.min(total, -1, keepdims=True)
        rest = pixels - first
        table = (total - first) * 255.0 / K.where(K.equal(rest, 0.0), 1.0, rest)
        return K.clip(table, 0.0, 255.0)


def histogram(values: Any, bins: int) -> Any:
    """Return how often each of the integers below `bins` occurs in each row.

    Shapes:
        values: (rows, n)
        returns: (rows, bins)
    """
    rows, n = K.sizes_of(values)
    place = K.reshape(values + K.arange(rows)[:, None] * bins, (-1,))
    ones = K.ones((rows * n,), "float32")
    return K.reshape(K.segment_sum(ones, place, rows * bins), (rows, bins))


def mirrored(x: Any, axis: int, size: Any) -> Any:
    """Return `x` continued to `size` behind its end, as in a mirror there."""
    n = K.sizes_of(x)[axis]
    if isinstance(n, int) and n == size:
        return x
    place = K.arange(size) % (2 * n)
    return K.take(x, K.minimum(place, 2 * n - 1 - place), axis)


def _around(place: Any, tiles: int) -> list[tuple[Any, Any]]:
    """Return the tiles before and behind places, with their shares of the result."""
    below = K.floor(place)
    share = place - below
    first = K.cast(below, "int32")
    return [
        (K.clip(first, 0, tiles - 1), 1.0 - share),
        (K.clip(first + 1, 0, tiles - 1), share),
    ]

"""Images with a part that is not theirs: erased, or from other images of the batch."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import (
    RandomAugmentation,
    batch_size,
    for_images,
)
from minikeras.layers.augmentation.factors import interval

__all__ = ["CutMix", "MixUp", "RandomErasing"]


class _RandomRectangle(RandomAugmentation):
    """Base of those that choose a rectangle in each image."""

    bounds = (0, 1)

    def rectangle(self, images: Any, shares: Any, seed: Any) -> tuple[Any, Any]:
        """Return which pixels are in a rectangle at random, and its share of the image.

        Args:
            images: for whose sizes to choose.
            shares: its height and its width as shares of the image's, (batch,) each.
            seed: a generator.
        """
        inside, area = True, 1.0
        axes = K.spatial_axes(self.data_format)
        for axis, n, share in zip(axes, self.sizes(images), shares, strict=True):
            n = K.cast(n, "float32")
            length = for_images(share * n)
            first = self.uniform((batch_size(images), 1, 1, 1), (0, 1), seed)
            first = first * (n - length)
            shape = [1, 1, 1, 1]
            shape[axis] = -1
            place = K.reshape(K.arange(n), shape)
            within = K.logical_and(place >= first, place < first + length)
            inside = K.logical_and(inside, within)
            area = area * (length / n)
        return inside, area


class RandomErasing(_RandomRectangle):
    """Some images with a rectangle filled with noise, or with one color.

    Args:
        factor: the probability, in [0, 1]; of two numbers one between them.
        scale: the smallest and the largest share of the image to erase, in [0, 1].
        fill_value: one value, or one for each of three channels; noise by default.
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.

    Source: Zhong et al. 2017, arXiv:1708.04896.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.scale = interval(scale, self.bounds, "scale")
        self.fill_value = fill_value
        self.value_range = value_range

    def draw(self, images: Any, seed: Any) -> Any:
        shares = K.sqrt(self.uniform((2, batch_size(images)), self.scale, seed))
        inside, _ = self.rectangle(images, (shares[0], shares[1]), seed)
        return {
            "apply_erasing": self.chosen(images, seed),
            "batch_masks": inside,
            "fill_value": K.clip(self._filling(images, seed), *self.value_range),
        }

    def _filling(self, images: Any, seed: Any) -> Any:
        value = self.fill_value
        if value is None:
            noise = K.random_normal(K.sizes_of(images), seed=seed)
            return noise * self.value_range[1]
        if isinstance(value, (tuple, list)) and len(value) == 3:
            shape = [1, 1, 1]
            shape[K.channel_axis(self.data_format)] = 3
            return K.reshape(K.cast(value, "float32"), shape)
        if not isinstance(value, (int, float)):
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three "
                f"numbers) Received: fill_value={value}"
            )
        return K.cast(value, "float32")

    def change(self, images: Any, transformation: Any) -> Any:
        filling = K.cast(transformation["fill_value"], images.dtype)
        chosen = for_images(transformation["apply_erasing"])
        erased = K.logical_and(chosen, transformation["batch_masks"])
        return K.where(erased, filling, images)


class _RandomMix(RandomAugmentation):
    """Base of those that mix each image, and its label, with another of the batch."""

    def mixed(self, x: Any, transformation: Any) -> Any:
        """Return a weighted mean of each example and another."""
        x = K.convert_to_tensor(x)
        kind = K.result_type(x.dtype, float)
        other = K.take(x, K.convert_to_tensor(transformation["permutation_order"]), 0)
        weight = K.cast(transformation["mix_weight"], kind)
        weight = K.reshape(weight, [-1, *[1] * (K.rank(x) - 1)])
        return weight * K.cast(x, kind) + (1.0 - weight) * K.cast(other, kind)

    def order(self, images: Any, seed: Any) -> Any:
        """Return with which other image to mix each."""
        return K.random_shuffle(K.arange(batch_size(images)), seed=seed)

    def transform_labels(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, labels: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return labels
        return self.mixed(labels, transformation)


class CutMix(_RandomMix, _RandomRectangle):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Images with a rectangle cut from another; labels mixed by the areas.

    Args:
        factor: the lowest and the highest parameter to draw, in [0, 1]: the more, the
            more even are both parts.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.

    Source: Yun et al. 2019, arXiv:1905.04899.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self._set_factor(factor)

    def draw(self, images: Any, seed: Any) -> Any:
        if K.rank(images) == 3:
            return None
        alpha = self.uniform((), self.factor, seed) + 1e-6
        weight = K.random_beta((batch_size(images),), alpha, alpha, seed=seed)
        share = K.sqrt(1.0 - weight)
        inside, area = self.rectangle(images, (share, share), seed)
        return {
            "permutation_order": self.order(images, seed),
            "batch_masks": inside,
            "mix_weight": 1.0 - area,
        }

    def change(self, images: Any, transformation: Any) -> Any:
        order = K.convert_to_tensor(transformation["permutation_order"])
        return K.where(transformation["batch_masks"], K.take(images, order, 0), images)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        raise NotImplementedError("CutMix cannot say which boxes are still seen.")

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)


class MixUp(_RandomMix):
    """Weighted means of two images each, and of their labels.

    Args:
        alpha: both parameters of the Beta distribution of the weight: the larger, the
            more even.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.

    Source: Zhang et al. 2017, arXiv:1710.09412.
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = alpha

    def draw(self, images: Any, seed: Any) -> Any:
        n = batch_size(images)
        weight = K.random_beta((n,), self.alpha, self.alpha, seed=seed)
        return {"mix_weight": weight, "permutation_order": self.order(images, seed)}

    def change(self, images: Any, transformation: Any) -> Any:
        whole = K.rank(images) == 4
        return self.mixed(images if whole else images[None], transformation)

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self.mixed(segmentation_masks, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the boxes of both images."""
        if not training or transformation is None:
            return bounding_boxes
        order = K.convert_to_tensor(transformation["permutation_order"])

        def both(name: str) -> Any:
            x = K.convert_to_tensor(bounding_boxes[name])
            axis = min(1, K.rank(x) - 1)
            return K.concatenate([x, K.take(x, order, 0)], axis)

        return {"boxes": both("boxes"), "labels": both("labels")}

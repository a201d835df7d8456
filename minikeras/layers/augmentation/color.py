"""Random changes of color: each pixel by itself."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import (
    RandomAugmentation,
    batch_size,
    for_images,
    in_range,
    per_image,
)
from minikeras.layers.augmentation.factors import Limits, sorted_range

__all__ = [
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomSaturation",
    "Solarization",
]


class _RandomColor(RandomAugmentation):
    """Base of those that draw a factor, and know in what range values are.

    Args:
        factor: the lowest and the highest number to draw; of `f` that is -f and f.
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self._set_factor(factor)
        self.value_range = sorted_range(value_range)

    def within(self, images: Any) -> Any:
        """Return images with what exceeds the range cut off."""
        return K.clip(images, *self.value_range)


class RandomBrightness(_RandomColor):
    """Images brighter or darker: ``x + factor · (the length of value_range)``.

    Args:
        factor: the lowest and the highest number to draw, in [-1, 1].
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    def draw(self, images: Any, seed: Any) -> Any:
        low, high = self.value_range
        delta = self.uniform(per_image(images), self.factor, seed) * (high - low)
        return {"rgb_delta": delta}

    def change(self, images: Any, transformation: Any) -> Any:
        return self.within(images + K.cast(transformation["rgb_delta"], images.dtype))


class RandomContrast(_RandomColor):
    """Images of more or less contrast: ``(x - mean) · factor + mean``.

    Args:
        factor: two numbers (a, b) for factors from 1 - a to 1 + b; one number `f` is
            (0, f).
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds = (0, 1)

    def draw(self, images: Any, seed: Any) -> Any:
        low, high = self.factor
        factor = self.uniform(per_image(images), (1.0 - low, 1.0 + high), seed)
        return {"contrast_factor": factor}

    def change(self, images: Any, transformation: Any) -> Any:
        factor = K.cast(transformation["contrast_factor"], images.dtype)
        mean = K.mean(images, K.spatial_axes(self.data_format), keepdims=True)
        return self.within((images - mean) * factor + mean)


class RandomColorDegeneration(_RandomColor):
    """Images on their way to gray: ``x + factor · (gray - x)``.

    Args:
        factor: the lowest and the highest number to draw; 1 is gray, 0 the image.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def draw(self, images: Any, seed: Any) -> Any:
        shape = (batch_size(images), 1, 1, 1)
        return {"factor": self.uniform(shape, self.factor, seed)}

    def change(self, images: Any, transformation: Any) -> Any:
        gray = K.rgb_to_grayscale(images, self.data_format)
        factor = K.cast(transformation["factor"], images.dtype)
        return self.within(images + factor * (gray - images))


class RandomSaturation(RandomColorDegeneration):
    """Images of weaker or stronger colors: the saturation times f / (1 - f).

    Args:
        factor: the lowest and the highest `f` to draw: 0 is gray, 1/2 the image, 1 as
            strong as can be.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    def draw(self, images: Any, seed: Any) -> Any:
        factor = self.uniform((batch_size(images),), self.factor, seed)
        return {"factor": factor / (1.0 - factor + K.epsilon())}

    def change(self, images: Any, transformation: Any) -> Any:
        factor = K.reshape(K.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        axis = K.channel_axis(self.data_format)
        hsv = K.rgb_to_hsv(images, self.data_format)
        hue, saturation, value = (K.take(hsv, i, axis) for i in range(3))
        saturation = self.within(saturation * factor)
        return K.hsv_to_rgb(K.stack([hue, saturation, value], axis), self.data_format)


class RandomHue(RandomColorDegeneration):
    """Images with their colors turned round the color wheel.

    Args:
        factor: the lowest and the highest number to draw, in [0, 1]: 1 is half a turn,
            one way or the other.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds = (0, 1)

    def draw(self, images: Any, seed: Any) -> Any:
        n = batch_size(images)
        way = K.where(self.uniform((n,), (0, 1), seed) > 0.5, -0.5, 0.5)
        return {"factor": way * self.uniform((n,), self.factor, seed)}

    def change(self, images: Any, transformation: Any) -> Any:
        factor = K.reshape(K.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        axis = K.channel_axis(self.data_format)
        images = in_range(images, self.value_range, (0, 1))
        hsv = K.rgb_to_hsv(images, self.data_format)
        hue, saturation, value = (K.take(hsv, i, axis) for i in range(3))
        hsv = K.stack([hue + factor, saturation, value], axis)
        images = K.clip(K.hsv_to_rgb(hsv, self.data_format), 0.0, 1.0)
        return in_range(images, (0, 1), self.value_range)


class RandomPosterization(RandomColorDegeneration):
    """Images of fewer shades: values keep a few of their eight bits.

    Args:
        factor: the fewest and the most bits to keep, in [1, 8]; fewer than the most, if
            they differ.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds = (1, 8)

    def draw(self, images: Any, seed: Any) -> Any:
        low, high = self.factor
        top = low + 1 if low == high else high
        bits = K.random_integers((batch_size(images),), low, top, seed=seed)
        return {"shift_factor": K.cast(8 - bits, "uint8")}

    def change(self, images: Any, transformation: Any) -> Any:
        shift = K.cast(transformation["shift_factor"], images.dtype)
        step = for_images(K.power(2.0, shift))
        images = K.floor(in_range(images, self.value_range, (0, 255)))
        images = K.floor(images / step) * step
        return in_range(images, (0, 255), self.value_range)


class Solarization(RandomAugmentation):
    """Images whose bright values are inverted, as film that saw too much light.

    In [0, 255], ``x + addition``, and 255 minus that where it reaches the threshold.

    Args:
        addition_factor: the lowest and the highest addition; as a share of 255, in
            [0, 1]. One number `f` is (0, f).
        threshold_factor: the lowest and the highest threshold, likewise.
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    limits = Limits("`addition_factor` and `threshold_factor` arguments", "[0, 1]", 0.0)

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = self._share(addition_factor, "addition_factor")
        self.threshold_factor = self._share(threshold_factor, "threshold_factor")
        self.value_range = sorted_range(value_range)

    def _share(self, value: Any, name: str) -> tuple[float, float]:
        low, high = self.limits.interval(value, name)
        return max(low, 0), high

    def draw(self, images: Any, seed: Any) -> Any:
        # As in Keras, it is the upper end alone that is a share of 255.
        def drawn(factor: Any) -> Any:
            limits = factor[0], factor[1] * 255
            return self.uniform(per_image(images), limits, seed)

        return {
            "additions": drawn(self.addition_factor),
            "thresholds": drawn(self.threshold_factor),
        }

    def change(self, images: Any, transformation: Any) -> Any:
        additions, thresholds = (
            K.cast(transformation[name], images.dtype)
            for name in ("additions", "thresholds")
        )
        images = in_range(images, self.value_range, (0, 255))
        images = K.clip(images + additions, 0.0, 255.0)
        images = K.where(images < thresholds, images, 255.0 - images)
        return in_range(images, (0, 255), self.value_range)


class RandomInvert(RandomAugmentation):
    """Some images inverted: the highest value minus each value.

    Args:
        factor: the probability, in [0, 1]; of two numbers one between them.
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.
    """

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_range

    def draw(self, images: Any, seed: Any) -> Any:
        return {"apply_inversion": self.chosen(images, seed)}

    def change(self, images: Any, transformation: Any) -> Any:
        chosen = for_images(transformation["apply_inversion"])
        return K.where(chosen, self.value_range[1] - images, images)


class RandomGrayscale(RandomAugmentation):
    """Some images in gray, with as many channels as before.

    Args:
        factor: the probability, in [0, 1].
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if factor < 0 or factor > 1:
            raise ValueError(
                f"`factor` should be between 0 and 1. Received: factor={factor}"
            )
        self.factor = factor

    def draw(self, images: Any, seed: Any) -> Any:
        return self.uniform((batch_size(images), 1, 1, 1), (0, 1), seed) < self.factor

    def change(self, images: Any, transformation: Any) -> Any:
        gray = K.rgb_to_grayscale(images, self.data_format)
        return K.where(transformation, gray, images)


class RandomColorJitter(RandomAugmentation):
    """Images of other brightness, contrast, saturation and hue, one after the other.

    Args:
        value_range: the lowest and the highest value of a pixel.
        brightness_factor: that of `RandomBrightness`; None for none.
        contrast_factor: that of `RandomContrast`.
        saturation_factor: that of `RandomSaturation`.
        hue_factor: that of `RandomHue`.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        steps = (
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        )
        same = {
            "value_range": value_range,
            "seed": seed,
            "data_format": data_format,
            "dtype": self.dtype_policy,
        }
        self.steps: list[Any] = [make(f, **same) for make, f in steps if f is not None]

    def draw(self, images: Any, seed: Any) -> Any:
        return [
            step.get_random_transformation(images, seed=seed) for step in self.steps
        ]

    def change(self, images: Any, transformation: Any) -> Any:
        for step, drawn in zip(self.steps, transformation, strict=True):
            images = step.transform_images(images, drawn)
        return images

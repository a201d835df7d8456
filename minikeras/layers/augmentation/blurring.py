"""Random changes in which pixels meet their neighbors: sharper, softer."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import (
    RandomAugmentation,
    batch_size,
    for_images,
)
from minikeras.layers.augmentation.color import RandomColorDegeneration
from minikeras.layers.augmentation.factors import interval

__all__ = ["RandomGaussianBlur", "RandomSharpness"]


class RandomSharpness(RandomColorDegeneration):
    """Images sharper or softer: ``x + (1 - 2 factor) · (smooth - x)``.

    Args:
        factor: the lowest and the highest number to draw, in [0, 1]: 0 is smooth, 1/2
            the image, 1 sharp.
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds = (0, 1)

    def draw(self, images: Any, seed: Any) -> Any:
        return {"factor": self.uniform((batch_size(images),), self.factor, seed)}

    def change(self, images: Any, transformation: Any) -> Any:
        factor = for_images(K.cast(transformation["factor"], images.dtype))
        around = images
        for axis in K.spatial_axes(self.data_format):
            before, behind = K.neighbors(around, axis)
            around = before + around + behind
        # Of 13 parts the pixel itself has 5 and each of its 8 neighbors 1.
        smooth = (around + 4.0 * images) / 13.0
        return self.within(images + (1.0 - 2.0 * factor) * (smooth - images))


class RandomGaussianBlur(RandomAugmentation):
    """Some images blurred, all of a batch by the same amount.

    Args:
        factor: the probability, in [0, 1]; of two numbers one between them.
        kernel_size: how many pixels a mean is of, along both axes or along width and
            height; odd.
        sigma: the lowest and the highest standard deviation to draw, in [0, 1].
        value_range: the lowest and the highest value of a pixel.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.kernel_size = _odd(kernel_size)
        self.sigma = interval(sigma, self.bounds, "sigma")
        self.value_range = value_range

    def draw(self, images: Any, seed: Any) -> Any:
        return {
            "should_apply_blur": self.chosen(images, seed),
            "blur_factor": self.uniform((2,), self.sigma, seed) + 1e-6,
        }

    def change(self, images: Any, transformation: Any) -> Any:
        sigma = K.cast(transformation["blur_factor"], images.dtype)
        blurred = K.gaussian_blur(images, self.kernel_size, sigma, self.data_format)
        chosen = for_images(transformation["should_apply_blur"])
        return K.clip(K.where(chosen, blurred, images), *self.value_range)


def _odd(value: Any) -> tuple[Any, Any]:
    """Return one odd number for each axis.

    Raises:
        ValueError: if it is anything else.
    """
    if isinstance(value, (tuple, list)) and len(value) != 2:
        raise ValueError(
            "The `kernel_size` argument should be a number (or a list of two numbers) "
            f"Received: kernel_size={value}"
        )
    sizes = (value, value) if isinstance(value, (int, float)) else value
    if not isinstance(sizes, (tuple, list)) or any(n % 2 == 0 for n in sizes):
        raise ValueError(
            f"kernel_size must be an odd number. Received: kernel_size={value}"
        )
    return sizes[0], sizes[1]

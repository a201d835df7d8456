"""Colors of images as other numbers: their brightness; hue, saturation and value."""

from __future__ import annotations

from typing import Any

from minikeras.backend.introspection import dtype, known_shape
from minikeras.backend.pixels import as_images, channel_axis, check_floating, floating
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]

# The step from 1 to the next number.
STEPS = {"bfloat16": 2**-7, "float16": 2**-10, "float32": 2**-23, "float64": 2**-52}


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """Return the brightness of images in color, as the one channel.

    Args:
        images: one image or a batch; those of one channel are gray already.
        data_format: where the channels are.

    Raises:
        ValueError: if there are neither three channels nor one.

    Source: weights of ITU-R Recommendation BT.601.
    """
    images, axis = as_images(images), channel_axis(data_format)
    channels = known_shape(images)[axis]
    if channels not in (1, 3, None):
        raise ValueError(
            "Invalid channel size: expected 3 (RGB) or 1 (Grayscale). Received input "
            f"with shape: images.shape={known_shape(images)}"
        )
    if channels == 1:
        return images
    x = floating(images)
    weights = engine.cast([0.2989, 0.5870, 0.1140], dtype(x))
    gray = engine.tensordot(x, weights, ((axis,), (0,)))
    return engine.cast(engine.expand_dims(gray, axis), dtype(images))


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Return the hue, the saturation and the value of each pixel of color.

    Args:
        images: red, green and blue in [0, 1].
        data_format: where the channels are.

    Returns:
        hue, where 0 is red, 1/3 green and 2/3 blue; how far the color is from gray;
        and the largest of the three. All in [0, 1].

    Raises:
        ValueError: if images are no floats, or have not three channels.

    Source: Smith 1978, "Color gamut transform pairs", doi:10.1145/800248.807361.
    """
    images = _in_color(images, data_format)
    tiny = engine.absolute(images) < STEPS[dtype(images)]
    red, green, blue = _channels(engine.where(tiny, 0.0, images), data_format)
    value = engine.maximum(engine.maximum(red, green), blue)
    spread = value - engine.minimum(engine.minimum(red, green), blue)
    lit, colored = value > 0, spread > 0
    saturation = engine.where(lit, spread / engine.where(lit, value, 1.0), 0.0)
    turn = 1.0 / (6.0 * engine.where(colored, spread, 1.0))
    near_green = turn * (blue - red) + 2.0 / 6.0
    near_blue = turn * (red - green) + 4.0 / 6.0
    hue = engine.where(engine.equal(value, green), near_green, near_blue)
    hue = engine.where(engine.equal(value, red), turn * (green - blue), hue)
    hue = engine.where(colored, engine.where(hue < 0.0, hue + 1.0, hue), 0.0)
    return _joined([hue, saturation, value], images, data_format)


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """Return colors as red, green and blue: the inverse of `rgb_to_hsv`.

    Raises:
        ValueError: if images are no floats, or have not three channels.
    """
    images = _in_color(images, data_format)
    hue, saturation, value = _channels(images, data_format)
    turn = engine.mod(hue, 1.0) * 6.0
    shares = (
        engine.absolute(turn - 3.0) - 1.0,
        2.0 - engine.absolute(turn - 2.0),
        2.0 - engine.absolute(turn - 4.0),
    )
    colors = [
        value * (1.0 - saturation + saturation * engine.clip(share, 0.0, 1.0))
        for share in shares
    ]
    return _joined(colors, images, data_format)


def _in_color(images: Any, data_format: str | None) -> Any:
    """Return images of three channels.

    Raises:
        ValueError: if they are anything else.
    """
    images = as_images(images)
    check_floating(images)
    channels = known_shape(images)[channel_axis(data_format)]
    if channels not in (3, None):
        raise ValueError(
            "Input images must have 3 channels, but received images with "
            f"{channels} channels."
        )
    return images


def _channels(images: Any, data_format: str | None) -> list[Any]:
    axis = channel_axis(data_format)
    return [engine.take(images, i, axis) for i in range(3)]


def _joined(channels: list[Any], images: Any, data_format: str | None) -> Tensor:
    y = engine.stack(channels, channel_axis(data_format))
    return engine.cast(y, dtype(images))  # NumPy itself widens a bfloat16

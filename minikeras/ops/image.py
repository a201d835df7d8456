"""Images, under the names of ``keras.ops.image``."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = ["crop_images", "pad_images", "resize", "rgb_to_grayscale"]


@eager
def resize(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Return images of another size; see `backend.resize`.

    Args:
        images: one image or a batch.
        size: the new (height, width), in pixels.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether all pixels count when an image shrinks.
        crop_to_aspect_ratio: whether to cut off what does not fit the new proportions.
        pad_to_aspect_ratio: whether to add a border instead, so that they fit.
        fill_mode: "constant", the one way to fill the border.
        fill_value: what the border is made of.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: if images are to be both cut and padded, or there is no such
            interpolation or way to fill.
    """
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: either crop or pad to the aspect ratio, not both")
    if fill_mode != "constant":
        raise ValueError(f"resize: fill_mode is 'constant'; got {fill_mode!r}")
    if crop_to_aspect_ratio:
        images = _cut_to_fit(images, size, data_format)
    if pad_to_aspect_ratio:
        images = _padded_to_fit(images, size, fill_value, data_format)
    return K.resize(images, size, interpolation, antialias, data_format)


def _cut_to_fit(images: Any, size: tuple[int, int], data_format: str | None) -> Any:
    """Return what is left of images when they are cut to the proportions of `size`."""
    height, width = _sizes(images, data_format)
    high = max(min(height, width * size[0] // size[1]), 1)
    wide = max(min(width, height * size[1] // size[0]), 1)
    top, left = (height - high) // 2, (width - wide) // 2
    return crop_images(images, top, left, None, None, high, wide, data_format)


def _padded_to_fit(
    images: Any, size: tuple[int, int], value: float, data_format: str | None
) -> Any:
    """Return images with a border that gives them the proportions of `size`."""
    height, width = _sizes(images, data_format)
    top = max(width * size[0] // size[1] - height, 0) // 2
    left = max(height * size[1] // size[0] - width, 0) // 2
    return _bordered(images, (top, top), (left, left), value, data_format)


@eager
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Return images with a border of zeros.

    Of the height of the border above and below and that of the result, two are given;
    likewise for the width.

    Raises:
        ValueError: if one alone is given, or three.
    """
    height, width = _sizes(images, data_format)
    more = target_height and target_height - height
    wider = target_width and target_width - width
    rows = _ends("height", top_padding, bottom_padding, more)
    columns = _ends("width", left_padding, right_padding, wider)
    return _bordered(images, rows, columns, 0.0, data_format)


@eager
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Return what is left of images when their sides are cut off.

    Of the rows cut above and below and those left, two are given; likewise for columns.

    Raises:
        ValueError: if one alone is given, or three.
    """
    height, width = _sizes(images, data_format)
    fewer = target_height and height - target_height
    narrower = target_width and width - target_width
    top, bottom = _ends("height", top_cropping, bottom_cropping, fewer)
    left, right = _ends("width", left_cropping, right_cropping, narrower)
    rows, columns = slice(top, height - bottom), slice(left, width - right)
    if _channels_last(data_format):
        return images[..., rows, columns, :]
    return images[..., rows, columns]


@eager
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Return the brightness of images in color, as the one channel.

    Source: weights of ITU-R Recommendation BT.601.
    """
    axis = -1 if _channels_last(data_format) else -3
    images = K.convert_to_tensor(images)
    weights = K.convert_to_tensor([0.2989, 0.5870, 0.1140], K.dtype(images))
    gray = K.tensordot(images, weights, ((axis,), (0,)))
    return K.expand_dims(gray, axis)


def _channels_last(data_format: str | None) -> bool:
    return K.standardize_data_format(data_format) == "channels_last"


def _sizes(images: Any, data_format: str | None) -> tuple[Any, Any]:
    """Return the height and the width of images."""
    sizes = shape(images)
    return sizes[-3:-1] if _channels_last(data_format) else sizes[-2:]


def _ends(side: str, first: Any, last: Any, total: Any) -> tuple[Any, Any]:
    """Return both ends of a border, of which one may follow from the total.

    Raises:
        ValueError: if not exactly two of the three are given.
    """
    if [first, last, total].count(None) != 1:
        raise ValueError(
            f"two of both ends and the target must be given for the {side}"
        )
    return (
        total - last if first is None else first,
        total - first if last is None else last,
    )


def _bordered(
    images: Any, rows: Any, columns: Any, value: float, data_format: str | None
) -> Any:
    widths = [rows, columns, (0, 0)] if _channels_last(data_format) else [rows, columns]
    before = [(0, 0)] * (K.rank(images) - len(widths))
    return K.pad(images, [*before, *widths], constant_values=value)

"""Images in files, in Pillow's form and as arrays."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.utils.extras import required

__all__ = [
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]

# Pillow's modes of gray images that keep their depth.
_GRAY = ("L", "I;16", "I")
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow(function: str) -> Any:
    """Return the module ``PIL.Image``.

    Raises:
        ImportError: if Pillow is not installed.
    """
    purpose = f"Could not import PIL.Image. The use of `{function}`"
    return required("PIL.Image", "images", purpose)


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """Return a Pillow image of an array.

    Args:
        x: an image: numbers in [0, 255], or any others if it is to be scaled.
        data_format: "channels_last" or "channels_first".
        scale: whether to stretch the values, so that they range from 0 to 255.
        dtype: in which to compute; `floatx` by default.

    Shapes:
        x: (height, width, channels), where channels is 1, 3 or 4

    Raises:
        ValueError: for another shape.
        ImportError: if Pillow is not installed.

    Example:
        >>> array_to_img(np.zeros((2, 3, 1))).size
        (3, 2)
    """
    first = K.standardize_data_format(data_format) == "channels_first"
    image = pillow("array_to_img")
    x = np.asarray(x, dtype=dtype or K.floatx())
    if x.ndim != 3:
        raise ValueError(
            "Expected image array to have rank 3 (single image). Got array with "
            f"shape: {x.shape}"
        )
    x = x.transpose(1, 2, 0) if first else x
    if scale:
        x = x - np.min(x)
        largest = np.max(x)
        x = (x / largest if largest != 0 else x) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}")
    if channels > 1:
        return image.fromarray(np.ascontiguousarray(x.astype("uint8")))
    deep = np.max(x) > 255
    return image.fromarray(x[:, :, 0].astype("int32" if deep else "uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Any:
    """Return the array of a Pillow image.

    Args:
        img: the image.
        data_format: "channels_last" or "channels_first".
        dtype: of the array; `floatx` by default.

    Shapes:
        returns: (height, width, channels)

    Raises:
        ValueError: if it is no image.

    Example:
        >>> img_to_array(array_to_img(np.zeros((2, 3, 1)))).shape
        (2, 3, 1)
    """
    first = K.standardize_data_format(data_format) == "channels_first"
    x = np.asarray(img, dtype=dtype or K.floatx())
    if x.ndim == 2:
        return x[None] if first else x[..., None]
    if x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}")
    return x.transpose(2, 0, 1) if first else x


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array to a file as an image.

    Args:
        path: of the file, or a file that is open.
        x: the image.
        data_format: "channels_last" or "channels_first".
        file_format: such as "png"; by default what the path ends in says.
        scale: whether to stretch the values, so that they range from 0 to 255.
        **kwargs: go to Pillow's ``Image.save``.

    Shapes:
        x: (height, width, channels), where channels is 1, 3 or 4
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn(
            "The JPEG format does not support RGBA images, converting to RGB.",
            stacklevel=2,
        )
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Return the Pillow image in a file.

    Args:
        path: of the file, or its contents as an ``io.BytesIO``.
        color_mode: "rgb", "rgba", or "grayscale".
        target_size: (height, width) to which it is resized; None keeps its own.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: whether to cut off first what does not fit the new
            proportions.

    Raises:
        TypeError: if there is no path.
        ValueError: if there is no such color mode or interpolation.
        ImportError: if Pillow is not installed.
    """
    image = pillow("load_img")
    if not isinstance(path, (str, bytes, Path, io.BytesIO)):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if not isinstance(path, io.BytesIO):
        with open(path, "rb") as file:
            path = io.BytesIO(file.read())
    img = image.open(path)
    if color_mode not in _MODES:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    img = in_mode(img, color_mode)
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    size = target_size[1], target_size[0]
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported "
            f"methods are {', '.join(_INTERPOLATIONS)}"
        )
    resample = image.Resampling[interpolation.upper()]
    box = _center(img.size, size) if keep_aspect_ratio else None
    return img.resize(size, resample, box=box)


def in_mode(img: Any, color_mode: str) -> Any:
    """Return a Pillow image in "rgb", "rgba" or "grayscale"."""
    mode = _MODES[color_mode]
    if img.mode == mode or (mode == "L" and img.mode in _GRAY):
        return img
    return img.convert(mode)


def _center(
    size: tuple[int, int], target: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the largest centered box with the proportions of `target`."""
    (width, height), (target_width, target_height) = size, target
    tall = min(height, width * target_height // target_width)
    wide = min(width, height * target_width // target_height)
    left, top = (width - wide) // 2, (height - tall) // 2
    return left, top, left + wide, top + tall


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Return images of another size, cut rather than distorted.

    The largest centered part with the proportions of `size` is resized.

    Args:
        x: an image or a batch, an array or a tensor.
        size: the new (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".
        **kwargs: ``backend_module``, which other callers than Keras never pass.

    Shapes:
        x: (batch, height, width, channels) or (height, width, channels)

    Raises:
        TypeError: for any other argument.
        ValueError: if `x` has another rank, or `size` is not two numbers.
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(
            f"smart_resize() got unexpected keyword arguments: {list(kwargs)}"
        )
    if len(size) != 2:
        raise ValueError(
            f"Expected `size` to be a tuple of 2 integers, but got: {size}."
        )
    rank = K.ndim(x)
    if rank not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or "
            "`(batch_size, height, width, channels)`, but got input with incorrect "
            f"rank, of shape {K.int_shape(x)}."
        )
    return K.resize(
        x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format
    )

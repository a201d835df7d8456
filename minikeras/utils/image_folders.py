"""Folders of images as batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.utils.directories import Files, Kind, Sampling, samples_of
from minikeras.utils.images import in_mode, pillow

__all__ = ["image_dataset_from_directory"]

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: list[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the images in a folder, resized, in batches; each subfolder is a class.

    Files end in .bmp, .gif (of which the first picture counts), .jpeg, .jpg or .png.
    They are read as they are needed, by several threads. Which files are for validation
    is the same as in Keras, for the same `seed`.

    What comes back is no ``tf.data.Dataset``, see `minikeras.utils.samples.Samples`: a
    `PyDataset` with ``class_names``, ``file_paths``, a length, and batches of NumPy's
    arrays.

    Args:
        directory: the folder.
        labels: "inferred" from the subfolders, None for no labels, or a list with the
            label of each file, in the order of their paths.
        label_mode: "int", "categorical" for vectors with a single 1, "binary" for 0.0
            and 1.0 in a column, or None for no labels.
        class_names: of the subfolders, in the order in which they are to be numbered;
            by default sorted.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: images per batch; None yields them one by one.
        image_size: (height, width) to which all are resized.
        shuffle: whether each pass is in a new random order; otherwise files are sorted.
        seed: of these orders.
        validation_split: share of the images that are for validation, in (0, 1).
        subset: "training", "validation", or "both" for a list of the two.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3",
            "lanczos5", "gaussian" or "mitchellcubic".
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio: whether to cut off first what does not fit the new
            proportions.
        pad_to_aspect_ratio: whether to add a black border instead.
        data_format: "channels_last" or "channels_first".
        format: "tf", or "grain" for Grain's ``IterDataset``, if Grain is installed.
        verbose: whether to say how many files there are.

    Shapes:
        x: (batch, height, width, channels), float32 in [0, 255]
        y: (batch,) int32, (batch, 1) float32, or (batch, classes) float32

    Raises:
        ValueError: if arguments exclude each other, or there are no such files.
        ImportError: if Pillow is not installed, or Grain if it is wanted.
    """
    if color_mode not in _CHANNELS:
        raise ValueError(
            '`color_mode` must be one of {"rgb", "rgba", "grayscale"}. Received: '
            f"color_mode={color_mode}"
        )
    resize = _resizing(
        image_size, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio
    )
    form = K.standardize_data_format(data_format)
    read = partial(_image, color_mode=color_mode, resize=resize, data_format=form)
    kind = Kind("image", _SUFFIXES, f"Allowed formats: {_SUFFIXES}", read, np.stack)
    files = Files(directory, labels, label_mode, class_names, follow_links, verbose)
    sampling = Sampling(batch_size, shuffle, seed, validation_split, subset, format)
    return samples_of(kind, files, sampling)


def _resizing(
    image_size: Any, interpolation: str, crop: bool, pad: bool
) -> Callable[[Any], Any]:
    """Return a function that resizes an image.

    Raises:
        ValueError: if there is no such size or interpolation, or images are to be both
            cut and padded.
    """
    if isinstance(image_size, int):
        image_size = (image_size, image_size)
    if not isinstance(image_size, (list, tuple)) or len(image_size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. Received: "
            f"image_size={image_size}"
        )
    method = interpolation.lower()
    if method not in _WEIGHTS:
        raise ValueError(
            f"Argument `interpolation` should be one of {tuple(_WEIGHTS)}. Received: "
            f"interpolation={method}"
        )
    if crop and pad:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to "
            "`True`."
        )
    fit = "crop" if crop else "pad" if pad else ""
    return partial(resized, size=tuple(image_size), method=method, fit=fit)


def _image(path: str, color_mode: str, resize: Any, data_format: str) -> Any:
    """Return the image in a file, in float32."""
    with pillow("image_dataset_from_directory").open(path) as file:
        pixels = np.asarray(in_mode(file, color_mode), "float32")
    image = resize(pixels[..., None] if pixels.ndim == 2 else pixels)
    return image.transpose(2, 0, 1) if data_format == "channels_first" else image


# -- sizes -----------------------------------------------------------------------------


def resized(image: Any, size: tuple[int, int], method: str, fit: str) -> Any:
    """Return an image in float32 of another size, as ``tf.image`` resizes it.

    Args:
        image: (height, width, channels).
        size: (height, width).
        method: of interpolation.
        fit: "crop" to cut it to the new proportions first, "pad" to add a black border
            to what then is too small, "" to distort it.
    """
    if fit == "pad":
        # In the arithmetic of TensorFlow, which decides where a pixel is cut off.
        own, wanted = (np.array(n[:2], "float32") for n in (image.shape, size))
        inner = own / (own / wanted).max()
        height, width = np.maximum(inner.astype(int), 1).tolist()
        top, left = ((wanted - inner) / 2).astype(int)
        canvas = np.zeros((*size, image.shape[2]), "float32")
        canvas[top : top + height, left : left + width] = resized(
            image, (height, width), method, ""
        )
        return canvas
    if fit == "crop":
        image = _cut(image, size)
    for axis, (given, n) in enumerate(zip(image.shape[:2], size, strict=True)):
        if given != n or method in _SMOOTH:
            image = _along(image, axis, *_taps(method, given, n))
    return image


def _cut(image: Any, size: tuple[int, int]) -> Any:
    """Return the largest centered part of an image with the proportions of `size`."""
    height, width = image.shape[:2]
    high = max(min(height, width * size[0] // size[1]), 1)
    wide = max(min(width, height * size[1] // size[0]), 1)
    top, left = (height - high) // 2, (width - wide) // 2
    return image[top : top + high, left : left + wide]


def _along(image: Any, axis: int, places: Any, weights: Any) -> Any:
    """Return the weighted sums of an image's pixels along one axis."""
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    parts = (
        image.take(place, axis) * weight.reshape(shape)
        for place, weight in zip(places, weights, strict=True)
    )
    total = next(parts)
    for part in parts:
        total += part
    return total


@lru_cache(maxsize=512)
def _taps(method: str, given: int, n: int) -> tuple[Any, Any]:
    """Return which of `given` pixels make each of `n` new ones, and their weights.

    Shapes:
        returns: (pixels that make one, n) both
    """
    weights = _WEIGHTS[method](given, n)
    used = weights != 0
    first = used.argmax(1)
    span = int((given - used[:, ::-1].argmax(1) - first).max())
    places = first + np.arange(span)[:, None]
    inside = places < given
    places = np.minimum(places, given - 1)
    found = np.where(inside, weights[np.arange(n), places], 0.0)
    return places, found.astype("float32")


def _nearest(given: int, n: int) -> Any:
    """Return the weights of each of `given` pixels: one for the nearest."""
    return np.eye(given)[((np.arange(n) + 0.5) * (given / n)).astype(int)]


def _area(given: int, n: int) -> Any:
    """Return the share of each of `given` pixels in each of `n` larger or smaller."""
    ends = np.arange(n + 1)[:, None] * (given / n)
    pixels = np.arange(given)
    overlap = np.minimum(ends[1:], pixels + 1) - np.maximum(ends[:-1], pixels)
    return np.clip(overlap, 0, None) * (n / given)


def _by_distance(
    law: Callable[[Any], Any], radius: float
) -> Callable[[int, int], np.ndarray[Any, Any]]:
    """Return weights that depend on how far a pixel is, up to a radius."""

    def weights(given: int, n: int) -> np.ndarray[Any, Any]:
        places = (np.arange(n)[:, None] + 0.5) * (given / n)
        distances = np.abs(np.arange(given) + 0.5 - places)
        found = np.where(distances < radius, law(distances), 0.0)
        return found / found.sum(1, keepdims=True)

    return weights


def _cubic(d: Any) -> Any:
    near = 1.0 + d * d * (1.5 * d - 2.5)
    return np.where(d < 1.0, near, 2.0 + d * (d * (2.5 - 0.5 * d) - 4.0))


def _mitchell(d: Any) -> Any:
    near = ((7.0 * d - 12.0) * d * d + 16.0 / 3.0) / 6.0
    far = (((-7.0 / 3.0 * d + 12.0) * d - 20.0) * d + 32.0 / 3.0) / 6.0
    return np.where(d < 1.0, near, far)


def _lanczos(radius: int) -> Callable[[int, int], np.ndarray[Any, Any]]:
    return _by_distance(lambda d: np.sinc(d) * np.sinc(d / radius), radius)


# Keys 1981, doi:10.1109/TASSP.1981.1163711, for "bicubic"; Mitchell and Netravali 1988,
# doi:10.1145/54852.378514, with B = C = 1/3; a Gaussian cut off at three of its widths.
_WEIGHTS = {
    "bilinear": _by_distance(lambda d: 1.0 - d, 1.0),
    "nearest": _nearest,
    "bicubic": _by_distance(_cubic, 2.0),
    "area": _area,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": _by_distance(lambda d: np.exp(-2.0 * d * d), 1.5),
    "mitchellcubic": _by_distance(_mitchell, 2.0),
}
# These change an image of the right size too.
_SMOOTH = ("gaussian", "mitchellcubic")

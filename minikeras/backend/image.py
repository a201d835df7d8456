"""Images of another size: each new pixel is a weighted mean of the old ones around it.

The weights along one axis are a matrix, made of a kernel that falls off with distance;
so resizing is one product along the height and one along the width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.introspection import convert_to_tensor, dtype, rank
from minikeras.backend.pixels import (
    along,
    as_images,
    as_kind,
    floating,
    sizes_of,
    spatial_axes,
    spatial_sizes,
)
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = [
    "crop_images",
    "pad_images",
    "resize",
    "resize_images",
    "scale_and_translate",
]


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
) -> Tensor:
    """Return images of another size, of the same dtype.

    Args:
        images: one image or a batch.
        size: the new (height, width), in pixels.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether to widen the kernel when an image shrinks, so that all of its
            pixels count.
        crop_to_aspect_ratio: whether to cut off first what does not fit the new
            proportions.
        pad_to_aspect_ratio: whether to add a border instead, so that they fit.
        fill_mode: "constant", the one way to fill the border.
        fill_value: what the border is made of.
        data_format: "channels_last" or "channels_first".

    Shapes:
        images: (batch, height, width, channels) or (height, width, channels)

    Raises:
        ValueError: if images are to be both cut and padded, or there is no such
            interpolation or way to fill.

    Source: Keys 1981, doi:10.1109/TASSP.1981.1163711, for "bicubic".
    """
    images = as_images(images)
    _check(size, interpolation, fill_mode, crop_to_aspect_ratio and pad_to_aspect_ratio)
    kind = dtype(images)
    if crop_to_aspect_ratio:
        images = _cut_to_fit(images, size, data_format)
    if pad_to_aspect_ratio:
        images = _padded_to_fit(floating(images), size, fill_value, data_format)
    for axis, n in zip(spatial_axes(data_format), size, strict=True):
        if interpolation == "nearest":
            images = _nearest(images, n, axis)
        else:
            images = _resized(floating(images), n, axis, interpolation, antialias)
    return as_kind(images, kind)


def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str | None,
    interpolation: str = "nearest",
) -> Tensor:
    """Return images enlarged by whole factors; see `resize`."""
    height, width = spatial_sizes(x, data_format)
    size = (height * height_factor, width * width_factor)
    return resize(x, size, interpolation, data_format=data_format)


def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Return images scaled, then moved, on a canvas of another size.

    What was at `p` comes to ``p · scale + translation``, where the first pixel's center
    is at 1/2; where nothing comes to there are zeros.

    Args:
        images: any array.
        output_shape: the sizes of the result.
        scale: one factor for each axis that changes.
        translation: in pixels, one for each axis that changes.
        spatial_dims: the axes that change.
        method: "linear" (or "bilinear", "trilinear"), "cubic" (or "bicubic",
            "tricubic"), "lanczos3" or "lanczos5".
        antialias: see `resize`.

    Raises:
        ValueError: if there is no such method.
    """
    if method not in METHODS:
        raise ValueError(
            "Invalid value for argument `method`. Expected of one "
            f"{set(METHODS)}. Received: method={method}"
        )
    images = floating(convert_to_tensor(images))
    scale, translation = floating(scale), floating(translation)
    for i, axis in enumerate(spatial_dims):
        places = output_shape[axis], scale[i], translation[i]
        weights = _weights(
            sizes_of(images)[axis], *places, KERNELS[METHODS[method]], antialias
        )
        images = along(images, weights, axis)
    return images


def _check(size: Sequence[Any], interpolation: str, fill_mode: str, both: bool) -> None:
    if len(size) != 2:
        raise ValueError(
            f"Expected `size` to be a tuple of 2 integers. Received: size={size}"
        )
    if any(isinstance(n, int) and n <= 0 for n in size):
        raise ValueError(
            f"`size` must have positive height and width. Received: size={size}"
        )
    if both:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )
    known = ("nearest", *KERNELS)
    if interpolation not in known:
        raise ValueError(
            "Invalid value for argument `interpolation`. Expected of one "
            f"{known}. Received: interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            "Invalid value for argument `fill_mode`. Only `'constant'` is supported. "
            f"Received: fill_mode={fill_mode}"
        )


# -- weights of old pixels in new ones -------------------------------------------------


def _nearest(x: Any, n: Any, axis: int) -> Tensor:
    """Return `x` with `n` elements along `axis`, each one of the old ones."""
    given = sizes_of(x)[axis]
    # Pixels are squares: the center of the first one is at 1/2.
    centers = engine.divide(
        engine.multiply(engine.add(engine.arange(n), 0.5), given), n
    )
    return engine.take(x, engine.cast(engine.floor(centers), "int32"), axis)


def _resized(x: Any, n: Any, axis: int, interpolation: str, antialias: bool) -> Tensor:
    """Return `x` with `n` elements along `axis`."""
    given = sizes_of(x)[axis]
    scale = engine.divide(n, given)
    weights = _weights(given, n, scale, 0.0, KERNELS[interpolation], antialias)
    return along(x, weights, axis)


def _weights(
    given: Any,
    n: Any,
    scale: Any,
    translation: Any,
    kernel: Callable[[Any], Tensor],
    antialias: bool,
) -> Tensor:
    """Return the weight of each of `given` pixels (a row) in each of `n` new ones."""
    shrinkage = engine.divide(1.0, scale)
    centers = engine.add(engine.arange(n), 0.5)
    places = engine.subtract(engine.subtract(centers, translation) * shrinkage, 0.5)
    width = engine.maximum(shrinkage, 1.0) if antialias else 1.0
    apart = engine.subtract(places, engine.expand_dims(engine.arange(given), -1))
    weights = kernel(engine.divide(engine.absolute(apart), width))
    total = engine.sum(weights, 0, keepdims=True)
    inside = engine.logical_and(places >= -0.5, places <= engine.subtract(given, 0.5))
    some = engine.logical_and(inside, engine.absolute(total) > 1e-4)
    return engine.where(
        some, engine.divide(weights, engine.where(some, total, 1.0)), 0.0
    )


def _triangle(d: Any) -> Tensor:
    return engine.maximum(engine.subtract(1.0, d), 0.0)


def _cubic(d: Any) -> Tensor:
    near = 1.0 + d * d * (1.5 * d - 2.5)
    far = 2.0 + d * (d * (2.5 - 0.5 * d) - 4.0)
    return engine.where(d < 1.0, near, engine.where(d < 2.0, far, 0.0))


def _lanczos(radius: int) -> Callable[[Any], Tensor]:
    def kernel(d: Any) -> Tensor:
        angle = math.pi * engine.where(d > 1e-3, d, 1.0)
        waves = engine.sin(angle) * engine.sin(angle / radius) * radius / angle**2
        inside = engine.where(d > 1e-3, waves, 1.0)
        return engine.where(d > radius, 0.0, inside)

    return kernel


# By the distance in pixels.
KERNELS = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear"), "bilinear"),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), "bicubic"),
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


# -- borders ---------------------------------------------------------------------------


def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Return images with a border of zeros.

    Of the height of the border above and below and that of the result, two are given;
    likewise for the width.

    Raises:
        ValueError: if one alone is given, or three, or one is negative.
    """
    images = as_images(images)
    sides = (
        (top_padding, bottom_padding, target_height),
        (left_padding, right_padding, target_width),
    )
    ends = _ends("padding", images, sides, data_format)
    targets = target_height, target_width
    return _bordered(images, ends, 0, data_format, targets)


def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Return what is left of images when their sides are cut off.

    Of the rows cut above and below and those left, two are given; likewise for columns.

    Raises:
        ValueError: if one alone is given, or three, or one is negative.
    """
    images = as_images(images)
    sides = (
        (top_cropping, bottom_cropping, target_height),
        (left_cropping, right_cropping, target_width),
    )
    starts, sizes = [0] * rank(images), sizes_of(images)
    ends = _ends("cropping", images, sides, data_format)
    axes = spatial_axes(data_format)
    for axis, (first, last), (*_, target) in zip(axes, ends, sides, strict=True):
        left = sizes[axis] - first - last
        starts[axis], sizes[axis] = first, left if target is None else target
    return engine.slice(images, starts, sizes)


def _ends(
    what: str, images: Any, sides: Sequence[Sequence[Any]], data_format: str | None
) -> list[tuple[Any, Any]]:
    """Return both ends of a border along each axis, of which one may follow.

    Raises:
        ValueError: if not exactly two of (first, last, target) are given, or if one of
            them is negative.
    """
    names = (("top", "bottom", "height"), ("left", "right", "width"))
    sizes, ends = spatial_sizes(images, data_format), []
    for size, (one, other, side), given in zip(sizes, names, sides, strict=True):
        labels = (f"{one}_{what}", f"{other}_{what}", f"target_{side}")
        if given.count(None) != 1:
            received = (f"{k}={v}" for k, v in zip(labels, given, strict=True))
            raise ValueError(
                f"Must specify exactly two of {', '.join(labels)}. Received: "
                f"{', '.join(received)}"
            )
        _check_ends(labels, given)
        first, last, target = given
        total = 0 if target is None else target - size
        total = total if what == "padding" else -total
        first = total - last if first is None else first
        last = total - first if last is None else last
        _check_ends(labels, (first, last, target))
        ends.append((first, last))
    return ends


def _check_ends(labels: Sequence[str], numbers: Sequence[Any]) -> None:
    for label, n in zip(labels, numbers, strict=True):
        if isinstance(n, int) and n < 0:
            raise ValueError(f"{label} must be >= 0. Received: {label}={n}")


def _bordered(
    images: Any,
    ends: Sequence[tuple[Any, Any]],
    value: float,
    data_format: str | None,
    targets: Sequence[Any] = (None, None),
) -> Tensor:
    """Return images with a border; its widths may be tensors."""
    starts, sizes = [0] * rank(images), sizes_of(images)
    axes = spatial_axes(data_format)
    for axis, (first, last), target in zip(axes, ends, targets, strict=True):
        starts[axis] = first
        sizes[axis] = sizes[axis] + first + last if target is None else target
    canvas = engine.full(sizes, value, dtype(images))
    return engine.slice_update(canvas, starts, images)


def _cut_to_fit(images: Any, size: Sequence[Any], data_format: str | None) -> Tensor:
    """Return what is left of images when they are cut to the proportions of `size`."""
    (height, width), (h, w) = spatial_sizes(images, data_format), size
    high = _most(_least(height, width * h // w), 1)
    wide = _most(_least(width, height * w // h), 1)
    top, left = (height - high) // 2, (width - wide) // 2
    return crop_images(images, top, left, None, None, high, wide, data_format)


def _padded_to_fit(
    images: Any, size: Sequence[Any], value: float, data_format: str | None
) -> Tensor:
    """Return images with a border that gives them the proportions of `size`."""
    (height, width), (h, w) = spatial_sizes(images, data_format), size
    top = _most(width * h // w - height, 0) // 2
    left = _most(height * w // h - width, 0) // 2
    return _bordered(images, ((top, top), (left, left)), value, data_format)


def _least(a: Any, b: Any) -> Any:
    whole = isinstance(a, int) and isinstance(b, int)
    return min(a, b) if whole else engine.minimum(a, b)


def _most(a: Any, b: Any) -> Any:
    return -_least(-a, -b)

"""Images of another size: each new pixel is a weighted mean of the old ones around it.

The weights along one axis are a matrix, made of a kernel that falls off with distance;
so resizing is one product along the height and one along the width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.introspection import dtype, result_type
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["resize", "resize_images"]


def resize(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    data_format: str | None = None,
) -> Tensor:
    """Return images of another size.

    Args:
        images: one image or a batch.
        size: the new (height, width), in pixels.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether to widen the kernel when an image shrinks, so that all of its
            pixels count.
        data_format: "channels_last" or "channels_first".

    Shapes:
        images: (batch, height, width, channels) or (height, width, channels)

    Raises:
        ValueError: if there is no such interpolation.

    Source: Keys 1981, doi:10.1109/TASSP.1981.1163711, for "bicubic".
    """
    last = standardize_data_format(data_format) == "channels_last"
    height, width = (-3, -2) if last else (-2, -1)
    for axis, n in ((height, size[0]), (width, size[1])):
        images = _resized(images, n, axis, interpolation, antialias)
    return images


def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str | None,
    interpolation: str = "nearest",
) -> Tensor:
    """Return images enlarged by whole factors; see `resize`."""
    last = standardize_data_format(data_format) == "channels_last"
    shape = engine.shape(x)
    height, width = (shape[1], shape[2]) if last else (shape[2], shape[3])
    size = (height * height_factor, width * width_factor)
    return resize(x, size, interpolation, data_format=data_format)


def _resized(x: Any, n: Any, axis: int, interpolation: str, antialias: bool) -> Tensor:
    """Return `x` with `n` elements along `axis`."""
    given = engine.shape(x)[axis]
    shrinkage = engine.divide(given, n)
    # Pixels are squares: the center of the first one is at 1/2.
    centers = engine.multiply(engine.add(engine.arange(n), 0.5), shrinkage)
    if interpolation == "nearest":
        return engine.take(x, engine.cast(engine.floor(centers), "int32"), axis)
    if interpolation not in KERNELS:
        known = ", ".join(["nearest", *KERNELS])
        raise ValueError(f"interpolation is one of {known}; got {interpolation!r}")
    width = engine.maximum(shrinkage, 1.0) if antialias else 1.0
    apart = engine.subtract(
        engine.subtract(centers, 0.5), engine.expand_dims(engine.arange(given), -1)
    )
    weights = KERNELS[interpolation](engine.divide(engine.absolute(apart), width))
    weights = engine.divide(weights, engine.sum(weights, 0, keepdims=True))
    kind = result_type(dtype(x), float)
    y = engine.matmul(engine.moveaxis(x, axis, -1), engine.cast(weights, kind))
    return engine.moveaxis(y, -1, axis)


# -- kernels, of the distance in pixels ------------------------------------------------


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


KERNELS = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}

"""Images seen through windows: blurred, their edges, cut in patches, compared.

A window that is a product of two profiles is applied one axis at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.conv import conv
from minikeras.backend.introspection import convert_to_tensor, dtype, known_shape, rank
from minikeras.backend.pixels import (
    along,
    as_images,
    as_kind,
    floating,
    sizes_of,
    spatial_axes,
)
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = [
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "neighbors",
    "sobel_edges",
    "ssim",
]

Sizes = int | Sequence[int]


def gaussian_blur(
    images: Any,
    kernel_size: Sequence[Any] = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Return images in which each pixel is a mean of those around it.

    Args:
        images: one image or a batch; beyond their edges there are zeros.
        kernel_size: how many pixels count, along the width and along the height.
        sigma: standard deviation of their weights, along the width and the height.
        data_format: where the channels are.
    """
    images = as_images(images)
    kind, images, sigma = dtype(images), floating(images), convert_to_tensor(sigma)
    for i, axis in enumerate(reversed(spatial_axes(data_format))):
        n, taps = sizes_of(images)[axis], kernel_size[i]
        images = along(images, _bell(n, n, (taps - 1) // 2, taps, sigma[i]), axis)
    return as_kind(images, kind)


def _bell(given: Any, wanted: Any, before: Any, taps: Any, sigma: Any) -> Tensor:
    """Return the weights of `given` pixels in means of `taps` of them.

    The window of the first mean begins `before` pixels in front of the first pixel.
    """
    rows = engine.expand_dims(engine.arange(given), -1)
    tap = rows - engine.arange(wanted) + before
    weights = _gauss(tap, taps, sigma)
    inside = engine.logical_and(tap >= 0, tap < taps)
    total = engine.sum(_gauss(engine.arange(taps), taps, sigma))
    return engine.where(inside, weights / total, 0.0)


def _gauss(tap: Any, taps: Any, sigma: Any) -> Tensor:
    away = engine.divide(engine.subtract(tap, engine.divide(taps - 1, 2)), sigma)
    return engine.exp(-0.5 * away**2)


def neighbors(x: Any, axis: int) -> tuple[Tensor, Tensor]:
    """Return the elements before and behind each of `x`, 0 beyond the ends.

    Example:
        >>> neighbors(np.array([1, 2, 3]), 0)
        (array([0, 1, 2]), array([2, 3, 0]))
    """
    widths: list[Any] = [(0, 0)] * rank(x)
    widths[axis] = (1, 1)
    padded = engine.pad(x, widths)
    index = [slice(None)] * rank(x)
    before, behind = list(index), list(index)
    before[axis], behind[axis] = slice(None, -2), slice(2, None)
    return padded[tuple(before)], padded[tuple(behind)]


def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """Return how much brighter images become, downwards and to the right.

    Shapes:
        images: (batch, height, width, channels)
        returns: (batch, height, width, channels, 2)

    Raises:
        ValueError: if `images` is no batch.

    Source: Sobel, Feldman 1968, "A 3x3 isotropic gradient operator".
    """
    images = convert_to_tensor(images)
    if rank(images) != 4:
        raise ValueError(
            "Invalid images rank: expected rank 4 (batch of images). Received: "
            f"images.shape={known_shape(images)}"
        )
    down, right = spatial_axes(data_format)
    return engine.stack(
        [_edge(images, down, right), _edge(images, right, down)], axis=-1
    )


def _edge(x: Any, across: int, beside: int) -> Tensor:
    before, behind = neighbors(x, beside)
    before, behind = neighbors(before + 2 * x + behind, across)
    return behind - before


# -- patches ---------------------------------------------------------------------------


def extract_patches(
    images: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of images, or of volumes, each as one long pixel.

    Args:
        images: images or volumes, one or a batch.
        size: of a patch, (height, width) or (depth, height, width).
        strides: from one patch to the next; by default they do not overlap.
        dilation_rate: elements from one pixel of a patch to the next.
        padding: "valid" or "same".
        data_format: where the channels are.

    Shapes:
        images: (batch, height, width, channels)
        returns: (batch, rows, columns, size[0] · size[1] · channels)

    Raises:
        TypeError: if `size` is neither an integer nor a tuple.
        ValueError: if it is of neither two numbers nor three.
    """
    if not isinstance(size, int):
        if not isinstance(size, (tuple, list)):
            raise TypeError(
                "Invalid `size` argument. Expected an int or a tuple. Received: "
                f"size={size} of type {type(size).__name__}"
            )
        if len(size) not in (2, 3):
            raise ValueError(
                "Invalid `size` argument. Expected a tuple of length 2 or 3. Received: "
                f"size={size} with length {len(size)}"
            )
    size = (size, size) if isinstance(size, int) else tuple(size)
    return _patches(images, size, strides, dilation_rate, padding, data_format)


def extract_patches_3d(
    volumes: Any,
    size: Sizes,
    strides: Sizes | None = None,
    dilation_rate: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the patches of volumes, each as one long voxel; see `extract_patches`.

    Raises:
        TypeError: if `size` is not of three numbers.
    """
    size = (size,) * 3 if isinstance(size, int) else tuple(size)
    if len(size) != 3:
        raise TypeError(
            "Invalid `size` argument. Expected an int or a tuple of length 3. "
            f"Received: size={size}"
        )
    return _patches(volumes, size, strides, dilation_rate, padding, data_format)


def _patches(
    x: Any,
    size: tuple[int, ...],
    strides: Sizes | None,
    dilation: Sizes,
    padding: str,
    data_format: str | None,
) -> Tensor:
    """Convolve with the identity: a filter for each pixel of a patch."""
    x, layout = convert_to_tensor(x), standardize_data_format(data_format)
    single = rank(x) == len(size) + 1
    x = engine.expand_dims(x, 0) if single else x
    channels = known_shape(x)[-1 if layout == "channels_last" else 1]
    if channels is None:
        raise ValueError(f"patches: the number of channels is not known; got {x}")
    n = math.prod(size) * channels
    kernel = engine.reshape(engine.eye(n, dtype=dtype(x)), (*size, channels, n))
    y = conv(x, kernel, strides or size, padding, layout, dilation)
    return engine.squeeze(y, 0) if single else y


# -- similarity ------------------------------------------------------------------------


def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Return how similar images look: 1 for the same, -1 for opposites.

    Brightness, contrast and structure are compared in every window, and averaged.

    Args:
        image1: one image or a batch.
        image2: as many.
        max_val: the largest value that a pixel can have.
        filter_size: pixels on the side of a window.
        filter_sigma: standard deviation of a pixel's weight in it.
        k1: steadies the quotient where windows are dark.
        k2: steadies it where they are even.
        data_format: where the channels are.

    Shapes:
        image1: (batch, height, width, channels) or (height, width, channels)
        returns: (batch) or ()

    Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861, equation 13.
    """
    kind = dtype(as_images(image1, "image1"))
    x, y = floating(image1), floating(as_images(image2, "image2"))
    axes = spatial_axes(data_format)

    def mean(z: Any) -> Any:
        for axis in axes:
            n = sizes_of(z)[axis]
            wanted = n - filter_size + 1
            z = along(z, _bell(n, wanted, 0, filter_size, filter_sigma), axis)
        return z

    mx, my = mean(x), mean(y)
    vx, vy = mean(x * x) - mx * mx, mean(y * y) - my * my
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    same = (2.0 * mx * my + c1) * (2.0 * (mean(x * y) - mx * my) + c2)
    found = same / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return engine.cast(engine.mean(found, (-3, -2, -1)), kind)

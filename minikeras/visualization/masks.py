"""Segments drawn on images, each class in a color."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras import ops

__all__ = ["draw_segmentation_masks"]


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Any = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray[Any, Any]:
    """Return images with the class of each pixel painted over them.

    Args:
        images: a batch, in [0, 255].
        segmentation_masks: the class of each pixel, an integer.
        num_classes: how many classes there are, from 0 on; higher ones are not
            painted. By default as many as occur, the highest one too, which Keras
            leaves out.
        color_mapping: from classes to colors (red, green, blue); those that are not in
            it are not painted. By default class 0 is black and each other one has a
            color of its own.
        alpha: how much the paint covers, in [0, 1].
        blend: whether the image shines through; otherwise `alpha` does not count, and
            the result is floating.
        ignore_index: a class that is not painted.
        data_format: "channels_last" or "channels_first"; as in Keras, the result is
            channels last.

    Shapes:
        images: (batch, height, width, channels)
        segmentation_masks: (batch, height, width) or (batch, height, width, 1)
        returns: (batch, height, width, channels), uint8, or float32 without `blend`

    Raises:
        ValueError: if images are no batch.
        TypeError: if classes are no integers.

    Example:
        >>> image, mask = np.full((1, 1, 2, 3), 100), np.array([[[0, 1]]])
        >>> draw_segmentation_masks(image, mask, 2, {1: (200, 0, 0)}, alpha=0.5)[0, 0]
        array([[100, 100, 100],
               [150,  50,  50]], dtype=uint8)
    """
    first = K.standardize_data_format(data_format) == "channels_first"
    pixels = np.asarray(ops.convert_to_numpy(images), "float32")
    classes = np.asarray(ops.convert_to_numpy(segmentation_masks))
    if pixels.ndim != 4:
        raise ValueError(
            f"`images` must be batched 4D tensor. Received: images.shape={pixels.shape}"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(
            "`segmentation_masks` must be in integer dtype. Received: "
            f"segmentation_masks.dtype={classes.dtype}"
        )
    pixels = pixels.transpose(0, 2, 3, 1) if first else pixels
    if classes.ndim == 4:
        classes = classes[:, 0] if first else classes[..., 0]
    count = num_classes
    if count is None:
        count = int(classes.max(initial=-1)) + 1
    colors = palette(count) if color_mapping is None else color_mapping
    painted = pixels.copy()
    for number in range(count):
        if color_mapping is None or number in color_mapping:
            painted[classes == number] = colors[number]
    if not blend:
        return painted
    mixed = pixels * (1 - alpha) + painted * alpha
    ignored = (classes == ignore_index)[..., None]
    return np.where(ignored, pixels, mixed).astype("uint8")


def palette(num_classes: int) -> list[list[int]]:
    """Return a color for each class, the same as Keras's."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return [(number * steps % 255).tolist() for number in range(num_classes)]

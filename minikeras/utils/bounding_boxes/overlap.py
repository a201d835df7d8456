"""How much boxes overlap."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K
from minikeras.utils.bounding_boxes.formats import convert_format

__all__ = ["compute_ciou", "compute_iou"]


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Any:
    """Return for all pairs of boxes what they share, divided by what they cover.

    Args:
        boxes1: of one image, or of each image of a batch.
        boxes2: likewise.
        bounding_box_format: of both.
        use_masking: whether pairs with a box of negative numbers get `mask_val`.
        mask_val: what they get.
        image_shape: (height, width, channels), for relative formats.

    Shapes:
        boxes1: (m, 4) or (batch, m, 4)
        boxes2: (n, 4) or (batch, n, 4)
        returns: (m, n) or (batch, m, n)

    Raises:
        ValueError: if the shapes do not fit, or the size of the image is missing.
    """
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if K.rank(boxes) not in (2, 3):
            raise ValueError(
                f"compute_iou() expects {name} to be batched, or to be unbatched. "
                f"Received len(boxes1.shape)={K.rank(boxes1)}, "
                f"len(boxes2.shape)={K.rank(boxes2)}. Expected either "
                f"len({name}.shape)=2 AND or len({name}.shape)=3."
            )
    if "rel" in bounding_box_format and image_shape is None:
        raise _no_size(image_shape)
    one, other = (
        _in_pixels(boxes, bounding_box_format, image_shape)
        for boxes in (boxes1, boxes2)
    )
    one, other = one[..., :, None, :], other[..., None, :, :]
    shared = _shared(one, other)
    covered = _area(one) + _area(other) - shared
    found = shared / (covered + K.epsilon())
    if not use_masking:
        return found
    hidden = K.logical_or(K.max(one, -1) < 0.0, K.max(other, -1) < 0.0)
    return K.where(hidden, K.cast(mask_val, found.dtype), found)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Any:
    """Return the overlap of each box with its other, less what tells them apart.

    Subtracted are the distance of the centers, in diagonals of the box around both, and
    a term for different proportions.

    Shapes:
        boxes1: (..., 4)
        boxes2: (..., 4)
        returns: (...)

    Raises:
        ValueError: if boxes are in a relative format.

    Source: Zheng et al. 2020, arXiv:1911.08287, equation 10.
    """
    if "rel" in bounding_box_format:
        raise _no_size(image_shape)
    one, other = (
        _in_pixels(boxes, bounding_box_format, image_shape)
        for boxes in (boxes1, boxes2)
    )
    epsilon = K.epsilon()
    shared = _shared(one, other)
    (w1, h1), (w2, h2) = _size(one), _size(other)
    h1, h2 = h1 + epsilon, h2 + epsilon
    covered = w1 * h1 + w2 * h2 - shared + epsilon
    overlap = shared / (covered + epsilon)
    first, last = K.minimum(one, other), K.maximum(one, other)
    diagonal = _squared(last[..., 2:] - first[..., :2]) + epsilon
    apart = _squared(
        (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    )
    lean = K.arctan(w2 / h2) - K.arctan(w1 / h1)
    v = 4.0 / math.pi**2 * lean**2
    alpha = v / (v - overlap + (1.0 + epsilon))
    return overlap - (apart / diagonal + v * alpha)


def _no_size(image_shape: Any) -> ValueError:
    return ValueError(
        "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` "
        f"argument must be provided. Received `image_shape`: {image_shape}"
    )


def _in_pixels(boxes: Any, form: str, image_shape: Any) -> Any:
    height, width, _ = (None,) * 3 if image_shape is None else image_shape
    return convert_format(boxes, form, "xyxy", height, width)


def _size(boxes: Any) -> tuple[Any, Any]:
    x1, y1, x2, y2 = (boxes[..., i] for i in range(4))
    return x2 - x1, y2 - y1


def _area(boxes: Any) -> Any:
    width, height = _size(boxes)
    return width * height


def _shared(one: Any, other: Any) -> Any:
    """Return the area that boxes share."""
    first = K.maximum(one[..., :2], other[..., :2])
    last = K.minimum(one[..., 2:], other[..., 2:])
    sides = K.maximum(last - first, 0.0)
    return sides[..., 0] * sides[..., 1]


def _squared(difference: Any) -> Any:
    return K.sum(difference**2, -1)

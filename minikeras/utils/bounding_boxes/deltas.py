"""Boxes as what a detector learns: how they differ from anchors.

Source: Girshick et al. 2014, arXiv:1311.2524, appendix C.
"""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.utils.bounding_boxes.formats import convert_format

__all__ = ["decode_deltas_to_boxes", "encode_box_to_deltas"]


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Return how boxes differ from anchors.

    That is the distance of the centers in sizes of the anchor, and the logarithm of the
    ratio of the sizes.

    Args:
        anchors: one for each box.
        boxes: one set, or one for each image.
        anchor_format: of the anchors.
        box_format: of the boxes.
        encoding_format: "center_yxhw" or "center_xywh": the order of the result.
        variance: by which the four numbers are divided.
        image_shape: (height, width, channels), for relative formats.

    Shapes:
        anchors: (boxes, 4)
        boxes: (boxes, 4) or (batch, boxes, 4)

    Raises:
        ValueError: if there is no such encoding, or `variance` is not of four numbers.
    """
    variance = _checked(variance, encoding_format, "encoding_format")
    size = _size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, **size)
    boxes = convert_format(boxes, box_format, encoding_format, **size)
    scale = K.maximum(anchors[..., 2:], K.epsilon())
    centers = (boxes[..., :2] - anchors[..., :2]) / scale
    sizes = K.log(K.maximum(boxes[..., 2:], K.epsilon()) / scale)
    deltas = K.concatenate([centers, sizes], -1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Return the boxes that differ so from anchors; see `encode_box_to_deltas`.

    Anchors and differences may come as dicts, one entry for each level of a pyramid.

    Raises:
        ValueError: if there is no such encoding, or `variance` is not of four numbers.
    """
    variance = _checked(variance, encoded_format, "encoded_format")
    size = _size(image_shape)

    def decoded(anchor: Any, delta: Any) -> Any:
        anchor = convert_format(anchor, anchor_format, encoded_format, **size)
        delta = delta if variance is None else delta * variance
        centers = delta[..., :2] * anchor[..., 2:] + anchor[..., :2]
        sizes = K.exp(delta[..., 2:]) * anchor[..., 2:]
        box = K.concatenate([centers, sizes], -1)
        return convert_format(box, encoded_format, box_format, **size)

    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {level: decoded(a, boxes_delta[level]) for level, a in anchors.items()}
    return decoded(anchors, boxes_delta)


def _checked(variance: Any, encoding: str, name: str) -> Any:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(
            f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding}"
        )
    if variance is None:
        return None
    variance = K.convert_to_tensor(variance, "float32")
    if K.known_shape(variance)[-1] != 4:
        raise ValueError(f"`variance` must be length 4, got {variance}")
    return variance


def _size(image_shape: Any) -> dict[str, Any]:
    height, width, _ = (None,) * 3 if image_shape is None else image_shape
    return {"height": height, "width": width}

"""Bounding boxes, under the names of ``keras.utils.bounding_boxes``.

A box is four numbers, in one of these formats; x goes to the right, y down, in pixels,
or behind ``rel_`` in shares of the width and the height:

    xyxy, yxyx                  two corners: left, top, right, bottom; or y first
    xywh                        the upper left corner, then width and height
    center_xywh, center_yxhw    the center, then width and height
    rel_xyxy, rel_yxyx, rel_xywh, rel_center_xywh
"""

from minikeras.utils.bounding_boxes.deltas import (
    decode_deltas_to_boxes,
    encode_box_to_deltas,
)
from minikeras.utils.bounding_boxes.formats import convert_format
from minikeras.utils.bounding_boxes.moving import (
    affine_transform,
    clip_to_image_size,
    crop,
    pad,
)
from minikeras.utils.bounding_boxes.overlap import compute_ciou, compute_iou

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

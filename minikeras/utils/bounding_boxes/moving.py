"""Boxes that move with their images: cut, padded, turned, clipped at the edges."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K
from minikeras.utils.bounding_boxes.formats import joined, sides

__all__ = ["affine_transform", "clip_to_image_size", "crop", "pad"]


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Return boxes without what lies outside the image; label -1 if nothing is left.

    Args:
        bounding_boxes: ``{"boxes": ..., "labels": ...}``; labels may be missing.
        height: of the image, for "xyxy".
        width: of the image, for "xyxy".
        bounding_box_format: "xyxy" or "rel_xyxy".

    Raises:
        NotImplementedError: if it is another format.
        ValueError: if the size of the image is missing.
    """
    _check_format(bounding_box_format, ("xyxy", "rel_xyxy"))
    boxes = K.convert_to_tensor(bounding_boxes["boxes"])
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    if height is None or width is None:
        raise ValueError("`height` and `width` must be set if `format='xyxy'`.")
    left, top, right, bottom = _clipped(sides(boxes), height, width)
    found = {**bounding_boxes, "boxes": joined(left, top, right, bottom)}
    if bounding_boxes.get("labels") is not None:
        area = K.squeeze((right - left) * (bottom - top), -1)
        found["labels"] = K.where(area > 0, bounding_boxes["labels"], -1)
    return found


def crop(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any,
    width: Any,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Return boxes as they lie in a part of their image.

    Args:
        boxes: left, top, right and bottom of each.
        top: row where the part begins.
        left: column where the part begins.
        height: of the part.
        width: of the part.
        bounding_box_format: "xyxy".

    Raises:
        NotImplementedError: if it is another format.
    """
    moved = sides(pad(boxes, -top, -left, bounding_box_format=bounding_box_format))
    return joined(*_clipped(moved, height, width))


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Return boxes as they lie in their image behind a border.

    Args:
        boxes: left, top, right and bottom of each.
        top: rows added above.
        left: columns added to the left.
        height: accepted; it makes no difference.
        width: accepted; it makes no difference.
        bounding_box_format: "xyxy".

    Raises:
        NotImplementedError: if it is another format.
    """
    _check_format(bounding_box_format, ("xyxy",))
    x1, y1, x2, y2 = sides(K.convert_to_tensor(boxes))
    return joined(x1 + left, y1 + top, x2 + left, y2 + top)


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Return the boxes around those that are turned, scaled, sheared and moved.

    Args:
        boxes: left, top, right and bottom of each.
        angle: in degrees, one for each image.
        translate_x: in shares of the width.
        translate_y: in shares of the height.
        scale: factor of lengths.
        shear_x: in degrees.
        shear_y: in degrees.
        height: of the image.
        width: of the image.
        center_x: what stays, in shares of the width; 1/2 by default.
        center_y: likewise of the height.
        bounding_box_format: "xyxy".

    Shapes:
        boxes: (batch, boxes, 4)

    Raises:
        NotImplementedError: if it is another format.
    """
    _check_format(bounding_box_format, ("xyxy",))
    right, bottom = (K.cast(n, "float32") - 1.0 for n in (width, height))
    turn, sx, sy = (
        K.cast(x, "float32") * (-math.pi / 180.0) for x in (angle, shear_x, shear_y)
    )
    x0 = (0.5 if center_x is None else center_x) * right
    y0 = (0.5 if center_y is None else center_y) * bottom
    x1, y1 = x0 - translate_x * right, y0 - translate_y * bottom
    a = K.cos(turn - sy) / K.cos(sy)
    c = -K.sin(turn - sy) / K.cos(sy)
    b, d = a * K.tan(sx) + K.sin(turn), K.cos(turn) - c * K.tan(sx)
    rows = [K.reshape(n * scale, (-1, 1)) for n in (d, -b, -c, a)]
    places = (K.reshape(n * 1.0, (-1, 1)) for n in (x0, y0, x1, y1))
    return _turned(K.cast(boxes, "float32"), rows, *places)


def _turned(boxes: Any, rows: Any, x0: Any, y0: Any, x1: Any, y1: Any) -> Any:
    """Return what is around boxes turned about (x1, y1), which comes to (x0, y0)."""
    a0, a1, b0, b1 = rows
    left, top, right, bottom = (boxes[..., i] for i in range(4))
    corners = [(x - x1, y - y1) for x in (left, right) for y in (top, bottom)]
    xs = K.stack([a0 * x + a1 * y for x, y in corners]) + x0
    ys = K.stack([b0 * x + b1 * y for x, y in corners]) + y0
    return K.stack([K.min(xs, 0), K.min(ys, 0), K.max(xs, 0), K.max(ys, 0)], -1)


def _clipped(numbers: list[Any], height: Any, width: Any) -> list[Any]:
    ends = (K.cast(n, numbers[0].dtype) for n in (width, height, width, height))
    return [K.clip(n, 0, end) for n, end in zip(numbers, ends, strict=True)]


def _check_format(given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise NotImplementedError(f"boxes must be in the format {known}; got {given}")

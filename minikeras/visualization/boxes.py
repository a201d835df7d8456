"""Boxes drawn on images: lines as pixels, labels as Pillow writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras import ops
from minikeras.utils.bounding_boxes import convert_format
from minikeras.utils.extras import required

__all__ = ["draw_bounding_boxes"]

_POINTS = 30  # of a font whose capitals are as high as OpenCV's


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray[Any, Any]:
    """Return images with boxes drawn on them, and their classes written beside.

    The lines are pixel for pixel those of OpenCV, which Keras draws with. Only labels
    need a library, Pillow, and have its font.

    Args:
        images: a batch, in [0, 255], or in [0, 1] if floating.
        bounding_boxes: ``"boxes"``, ``"labels"`` (-1 is no box) and, if there are any,
            ``"confidences"``.
        bounding_box_format: such as "xyxy"; see `minikeras.utils.bounding_boxes`.
        class_mapping: from labels to what is written; others go without.
        color: red, green and blue, in [0, 255].
        line_thickness: in pixels; -1 fills the boxes.
        text_thickness: in pixels; 0 or None for that of the lines.
        font_scale: 1 for capitals of some 21 pixels.
        data_format: "channels_last" or "channels_first".

    Shapes:
        images: (batch, height, width, channels)
        boxes: (batch, boxes, 4)
        labels, confidences: (batch, boxes)
        returns: (batch, height, width, channels), uint8

    Raises:
        ValueError: if images are no batch, or there are no boxes or labels.
        TypeError: if `bounding_boxes` is no dict.
        ImportError: if there is something to write and Pillow is not installed.

    Example:
        >>> boxes = {"boxes": [[[0.0, 0.0, 2.0, 2.0]]], "labels": [[0]]}
        >>> draw_bounding_boxes(np.zeros((1, 3, 3, 1)), boxes, "xyxy", color=(9,),
        ...                     line_thickness=1)[0, :, :, 0]
        array([[9, 9, 9],
               [9, 0, 9],
               [9, 9, 9]], dtype=uint8)
    """
    first = K.standardize_data_format(data_format) == "channels_first"
    pixels = _pixels(images)
    if pixels.ndim != 4:
        raise ValueError(
            f"`images` must be batched 4D tensor. Received: images.shape={pixels.shape}"
        )
    pixels = pixels.transpose(0, 2, 3, 1) if first else pixels
    drawn = np.array(pixels, order="C")
    found = _corners(bounding_boxes, bounding_box_format, *drawn.shape[1:3])
    pen = Pen(color, line_thickness, text_thickness or line_thickness, font_scale)
    for image, boxes, labels, shares in zip(drawn, *found, strict=True):
        for box, label, share in zip(boxes, labels, shares, strict=True):
            if int(label) == -1:
                continue
            x1, y1, x2, y2 = (int(n) for n in box)
            pen.box(image, x1, y1, x2, y2)
            name = (class_mapping or {}).get(int(label))
            if name is not None:
                sure = "" if np.isnan(share) else f" | {share:.2f}"
                pen.text(image, f"{name}{sure}", x1, y1)
    return drawn.transpose(0, 3, 1, 2) if first else drawn


def _pixels(images: Any) -> np.ndarray[Any, Any]:
    """Return images as bytes."""
    pixels = ops.convert_to_numpy(images)
    if pixels.dtype.kind == "f" and pixels.size:
        pixels = pixels * 255 if pixels.max() <= 1.0 else pixels
        pixels = np.clip(pixels, 0, 255)
    return pixels.astype("uint8")


def _corners(given: Any, form: str, height: int, width: int) -> tuple[Any, Any, Any]:
    """Return the corners of boxes, their labels, and how sure they are or NaN."""
    if not isinstance(given, dict):
        raise TypeError(
            "`bounding_boxes` should be a dict. Received: "
            f"bounding_boxes={given} of type {type(given)}"
        )
    if "boxes" not in given or "labels" not in given:
        raise ValueError(
            "`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. "
            f"Received: bounding_boxes={given}"
        )
    arrays = {
        key: np.asarray(ops.convert_to_numpy(value)) for key, value in given.items()
    }
    boxes = convert_format(arrays["boxes"], form, "xyxy", height, width)
    labels = arrays["labels"]
    shares = arrays.get("confidences", np.full(labels.shape, np.nan))
    return ops.convert_to_numpy(boxes), labels, shares


class Pen:
    """Draws on images.

    Args:
        color: one number for each channel.
        line: thickness of lines, in pixels.
        stroke: thickness of letters, in pixels.
        scale: of letters.
    """

    def __init__(self, color: Any, line: int, stroke: int, scale: float) -> None:
        self.color = np.asarray(color)
        self.line = line
        self.stroke = stroke
        self.scale = scale

    def box(self, image: Any, x1: int, y1: int, x2: int, y2: int) -> None:
        """Draw a box: all pixels that are near enough to its outline.

        As in OpenCV a line is an odd number of pixels wide, and corners are round.
        """
        reach = 0 if self.line == 1 else (self.line + 1) // 2
        (left, right), (top, bottom) = sorted((x1, x2)), sorted((y1, y2))
        y, x = np.ogrid[: image.shape[0], : image.shape[1]]
        outside = np.hypot(
            np.maximum(np.maximum(left - x, x - right), 0),
            np.maximum(np.maximum(top - y, y - bottom), 0),
        )
        inside = np.minimum(
            np.minimum(x - left, right - x), np.minimum(y - top, bottom - y)
        )
        filled = self.line < 0
        near = (outside <= (0 if filled else reach)) & (filled | (inside <= reach))
        image[near] = self._paint(image)

    def text(self, image: Any, text: str, x: int, y: int) -> None:
        """Write above the upper left corner of a box, or in it if there is no room.

        Raises:
            ImportError: if Pillow is not installed.
        """
        height = int(self.scale * 12)
        place = (x, y - 8)
        if y - 8 - 2 * height <= 0:
            place = (x + 3, y + 2 * height + self.stroke + 3)
        purpose = "Writing on images"
        pillow, draw, fonts = (
            required(f"PIL.{name}", "images", purpose)
            for name in ("Image", "ImageDraw", "ImageFont")
        )
        letters = pillow.new("L", (image.shape[1], image.shape[0]))
        draw.Draw(letters).text(
            place,
            text,
            fill=255,
            font=fonts.load_default(size=_POINTS * self.scale),
            anchor="ls",  # the place is where the line of letters begins
            stroke_width=max(self.stroke - 1, 0) / 2,
        )
        share = np.asarray(letters, "float32")[..., None] / 255
        image[:] = np.round(image * (1 - share) + self._paint(image) * share)

    def _paint(self, image: Any) -> Any:
        return self.color[: image.shape[-1]]

"""Formats of boxes: along each axis two numbers, which mean one of three things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minikeras import backend as K

__all__ = ["convert_format", "joined", "sides"]

Two = tuple[Any, Any]


class Meaning(NamedTuple):
    """What two numbers say of a stretch, there and back.

    Attributes:
        ends: from the two numbers to (start, end).
        numbers: from (start, end) to the two numbers.
    """

    ends: Callable[[Any, Any], Two]
    numbers: Callable[[Any, Any], Two]


ENDS = Meaning(lambda a, b: (a, b), lambda a, b: (a, b))
LENGTH = Meaning(lambda a, n: (a, a + n), lambda a, b: (a, b - a))
CENTER = Meaning(
    lambda c, n: (c - n / 2.0, c + n / 2.0), lambda a, b: (a + (b - a) / 2.0, b - a)
)

# The order of the axes, and what the two numbers of each are.
FORMATS = {
    "xyxy": ("xy", ENDS),
    "yxyx": ("yx", ENDS),
    "xywh": ("xy", LENGTH),
    "center_xywh": ("xy", CENTER),
    "center_yxhw": ("yx", CENTER),
    "rel_xyxy": ("xy", ENDS),
    "rel_yxyx": ("yx", ENDS),
    "rel_xywh": ("xy", LENGTH),
    "rel_center_xywh": ("xy", CENTER),
}


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Return boxes in another format.

    Args:
        boxes: four numbers each, or a dict with such boxes under ``"boxes"``.
        source: their format.
        target: the wanted one.
        height: of the image; needed from or to relative formats.
        width: of the image, likewise.
        dtype: of the result.

    Shapes:
        boxes: (..., 4)

    Raises:
        ValueError: if there is no such format, the size of the image is missing, or
            boxes have not four numbers.

    Example:
        >>> convert_format(np.array([[1.0, 2.0, 4.0, 8.0]]), "xyxy", "xywh")
        array([[1., 2., 3., 6.]], dtype=float32)
    """
    if isinstance(boxes, dict):
        found = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": found}
    boxes, source, target = K.cast(boxes, dtype), source.lower(), target.lower()
    _check(boxes, source, target, height, width)
    if source == target:
        return boxes
    (order, before), (new_order, after) = FORMATS[source], FORMATS[target]
    numbers = sides(boxes)
    stretches = {
        axis: before.ends(numbers[i], numbers[i + 2]) for i, axis in enumerate(order)
    }
    relative = _is_relative(source)
    if relative != _is_relative(target):
        for axis, size in (("x", width), ("y", height)):
            n, (start, end) = K.cast(size, dtype), stretches[axis]
            stretches[axis] = (start * n, end * n) if relative else (start / n, end / n)
    first, second = (after.numbers(*stretches[axis]) for axis in new_order)
    return joined(first[0], second[0], first[1], second[1])


def _is_relative(form: str) -> bool:
    return form.startswith("rel_")


def _check(boxes: Any, source: str, target: str, height: Any, width: Any) -> None:
    if K.known_shape(boxes)[-1] != 4:
        raise ValueError(
            "`boxes` must be a tensor with the last dimension of 4. Received: "
            f"boxes.shape={K.known_shape(boxes)}"
        )
    if not {source, target} <= FORMATS.keys():
        raise ValueError(
            "Invalid source or target format. Supported formats: "
            f"{tuple(FORMATS)}; got {source} and {target}"
        )
    relative = _is_relative(source) or _is_relative(target)
    if relative and (width is None or height is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` transforming between "
            "relative and absolute formats. convert_format() received "
            f"source=`{source}`, target=`{target}`, but height={height} and "
            f"width={width}."
        )


def sides(boxes: Any) -> list[Any]:
    """Return the four numbers of boxes apart, each with a last axis of size 1."""
    return [boxes[..., i : i + 1] for i in range(4)]


def joined(*numbers: Any) -> Any:
    """Return boxes of what `sides` returned."""
    return K.concatenate(numbers, -1)

"""As many bounding boxes for every image, so that they fit into one array."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import Augmentation

__all__ = ["MaxNumBoundingBoxes"]


class MaxNumBoundingBoxes(Augmentation):
    """Bounding boxes cut off, or filled up, to a given number.

    Args:
        max_number: how many there will be.
        fill_value: what boxes and labels are filled up with.
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = int(max_number)
        self.fill_value = int(fill_value)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        def fitted(name: str) -> Any:
            x = K.convert_to_tensor(bounding_boxes[name])
            n, _, *rest = K.sizes_of(x)
            more = K.full((n, self.max_number, *rest), self.fill_value, x.dtype)
            return K.concatenate([x, more], 1)[:, : self.max_number]

        return {**bounding_boxes, "boxes": fitted("boxes"), "labels": fitted("labels")}

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        shapes = input_shape["bounding_boxes"]
        unknown = shapes.keys() - {"boxes", "labels"}
        if unknown:
            raise KeyError(
                f"There are unsupported keys in `bounding_boxes`: {list(unknown)}. "
                "Only `boxes` and `labels` are supported."
            )
        fitted = {k: (s[0], self.max_number, *s[2:]) for k, s in shapes.items()}
        return {**input_shape, "bounding_boxes": fitted}

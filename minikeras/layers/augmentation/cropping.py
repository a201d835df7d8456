"""Images of another size, or of another part; and mirrored ones."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import (
    Augmentation,
    RandomAugmentation,
    per_image,
)
from minikeras.utils import bounding_boxes as boxes

__all__ = ["CenterCrop", "RandomCrop", "RandomFlip", "Resizing"]


class Resizing(Augmentation):
    """Images of another size, in training or not, of the dtype that they have.

    Args:
        height: the new height, in pixels.
        width: the new width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: whether to cut off first what does not fit the new
            proportions.
        pad_to_aspect_ratio: whether to add a border instead.
        fill_mode: "constant", the one way to fill the border.
        fill_value: what the border is made of.
        antialias: whether all pixels count when an image shrinks.
        data_format: where the channels are.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = height, width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value
        self.antialias = bool(antialias)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Return the height and the width that images have."""
        return self.sizes(data["images"] if isinstance(data, dict) else data)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resized(images, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._resized(segmentation_masks, "nearest")

    def _resized(self, images: Any, interpolation: str) -> Any:
        return K.resize(
            images,
            (self.height, self.width),
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        height, width = (K.cast(n, "float32") for n in transformation)
        given = K.convert_to_tensor(bounding_boxes["boxes"])
        no_box = [K.all(K.equal(given, n), -1, keepdims=True) for n in (-1, 0)]
        size = self.height, self.width
        form = self.bounding_box_format
        found = boxes.convert_format(bounding_boxes, form, "xyxy", height, width)
        scales = self.width / width, self.height / height
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            scales = (
                (K.minimum if self.pad_to_aspect_ratio else K.maximum)(*scales),
            ) * 2
        x, y = scales
        # With stretched images nothing is left over.
        left = self._before(self.width - width * x)
        top = self._before(self.height - height * y)
        moved = found["boxes"] * K.stack([x, y, x, y]) + K.stack([left, top, left, top])
        found = boxes.clip_to_image_size({**found, "boxes": moved}, *size)
        hidden = K.logical_or(*no_box)
        found["boxes"] = K.where(hidden, 0.0, found["boxes"])
        return boxes.convert_format(found, "xyxy", form, *size)

    def _before(self, rest: Any) -> Any:
        """Return the part of what is left over that is in front of the image."""
        if self.pad_to_aspect_ratio:
            return rest // 2
        return -(-rest // 2) if self.crop_to_aspect_ratio else K.zeros_like(rest)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.at_edge(input_shape, self.height, self.width)


class CenterCrop(Augmentation):
    """The center of images; of those that are too small, the largest part, enlarged.

    Args:
        height: of the part, in pixels.
        width: of the part.
        data_format: where the channels are.
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = height, width

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Return the shape of the images."""
        images = data["images"] if isinstance(data, dict) else data
        return {"input_shape": K.sizes_of(images)}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        images = K.cast(images, self.compute_dtype)
        height, width = self.sizes(images)
        layout = self.data_format
        if self._fits(height, width):
            top, left = (height - self.height) // 2, (width - self.width) // 2
            ends = {"target_height": self.height, "target_width": self.width}
            return K.crop_images(images, top, left, **ends, data_format=layout)
        size = (self.height, self.width)
        return K.resize(images, size, crop_to_aspect_ratio=True, data_format=layout)

    def _fits(self, height: Any, width: Any) -> bool:
        """Whether the part fits into an image; if its size is unknown, yes."""
        pairs = (height, self.height), (width, self.width)
        return all(not isinstance(n, int) or n >= part for n, part in pairs)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        height, width = self.sizes_in(transformation["input_shape"])
        form = self.bounding_box_format
        found = boxes.convert_format(bounding_boxes, form, "xyxy", height, width)
        high, wide = self.height, self.width
        if not self._fits(height, width):
            high = max(min(height, width * self.height // self.width), 1)
            wide = max(min(width, height * self.width // self.height), 1)
        place = (height - high) // 2, (width - wide) // 2
        part = boxes.crop(found["boxes"], *place, high, wide)
        x, y = self.width / wide, self.height / high
        found["boxes"] = part * K.cast([x, y, x, y], part.dtype)
        size = self.height, self.width
        found = boxes.clip_to_image_size(found, *size)
        return boxes.convert_format(found, "xyxy", form, *size)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape[0], (list, tuple)) or len(input_shape) not in (3, 4):
            raise ValueError(
                "`input_shape` must be a non-nested tuple or list of rank-1 with size "
                f"3 (unbatched) or 4 (batched). Received: {input_shape}"
            )
        return self.at_edge(input_shape, self.height, self.width)


class RandomCrop(RandomAugmentation):
    """A part of images at random, the same of a whole batch; all of it if not training.

    Images that are too small are cut to the right proportions and enlarged.

    Args:
        height: of the part, in pixels.
        width: of the part.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.
        name: made unique.

    Raises:
        ValueError: if the size of the images is not known.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        seed = K.make_default_seed() if seed is None else seed
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height, self.width = height, width

    def draw(self, images: Any, seed: Any) -> Any:
        height, width = self.sizes(images)
        if not (isinstance(height, int) and isinstance(width, int)):
            raise ValueError(
                "RandomCrop requires the input to have a fully defined height and "
                f"width. Received: images.shape={K.known_shape(images)}"
            )
        if height > self.height and width > self.width:
            rest = height - self.height, width - self.width
            top, left = (K.random_integers((), 0, n + 1, seed=seed) for n in rest)
            return top, left, height, width
        high = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return (height - high) // 2, (width - wide) // 2, height, width

    def _cut(self, transformation: Any, height: int, width: int) -> tuple[int, int]:
        """Return the height and the width of what is cut out."""
        starts = (n if isinstance(n, int) else 0 for n in transformation[:2])
        top, left = starts
        return min(self.height, height - top), min(self.width, width - left)

    def change(self, images: Any, transformation: Any) -> Any:
        layout, size = self.data_format, (self.height, self.width)
        high, wide = self._cut(transformation, *self.sizes(images))
        top, left = transformation[:2]
        part = K.crop_images(images, top, left, None, None, high, wide, layout)
        same = (high, wide) == size
        return part if same else K.resize(part, size, data_format=layout)

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        top, left, height, width = transformation
        form = self.bounding_box_format
        found = boxes.convert_format(bounding_boxes, form, "xyxy", height, width)
        high, wide = self._cut(transformation, height, width)
        top, left = (K.cast(n, "float32") for n in (top, left))
        part = boxes.crop(found["boxes"], top, left, high, wide)
        x, y = self.width / wide, self.height / high
        found["boxes"] = part * K.cast([x, y, x, y], part.dtype)
        return boxes.convert_format(found, "xyxy", form, self.height, self.width)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.at_edge(input_shape, self.height, self.width)


class RandomFlip(RandomAugmentation):
    """Some images mirrored, each with probability 1/2.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical": in which both are
            done, or neither.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = mode

    def draw(self, images: Any, seed: Any) -> Any:
        flips = self.uniform(per_image(images), (0, 1), seed) <= 0.5
        return {"flips": flips, "input_shape": K.sizes_of(images)}

    def change(self, images: Any, transformation: Any) -> Any:
        axes = zip(
            ("vertical", "horizontal"), K.spatial_axes(self.data_format), strict=True
        )
        mirrored = K.reverse(images, [axis for name, axis in axes if name in self.mode])
        return K.where(transformation["flips"], mirrored, images)

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = self.sizes_in(transformation["input_shape"])
        form = self.bounding_box_format
        found = boxes.convert_format(bounding_boxes, form, "rel_xyxy", *size)
        left, top, right, bottom = (found["boxes"][..., i] for i in range(4))
        if "horizontal" in self.mode:
            left, right = 1.0 - right, 1.0 - left
        if "vertical" in self.mode:
            top, bottom = 1.0 - bottom, 1.0 - top
        mirrored = K.stack([left, top, right, bottom], -1)
        flips = K.squeeze(transformation["flips"], -1)
        found["boxes"] = K.where(flips, mirrored, found["boxes"])
        found = boxes.clip_to_image_size(found, bounding_box_format="rel_xyxy")
        return boxes.convert_format(found, "rel_xyxy", form, *size)

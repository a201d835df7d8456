"""What layers that change images have in common: what goes with an image changes too.

A layer draws once how to change each image of a batch, and applies it to all that comes
with the images: labels, bounding boxes, segmentation masks. Subclasses write `draw`,
which returns the parameters, and `change`, which applies them to images.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.layers.augmentation.factors import Pair, interval
from minikeras.layers.base import Layer

__all__ = ["Augmentation", "RandomAugmentation"]

# What may be in a dict of inputs: for each there is a method ``transform_...``.
PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")


class Augmentation(Layer):
    """Base of layers that change images.

    Called on images, it returns images; called on a dict, a dict with the same keys.

    Args:
        bounding_box_format: see `utils.bounding_boxes`; needed where boxes come along.
        data_format: where the channels are.

    Shapes:
        images: (batch, height, width, channels) or (height, width, channels)
        labels: (batch, ...)
        bounding_boxes: {"boxes": (batch, boxes, 4), "labels": (batch, boxes)}
        segmentation_masks: as images, with any channels

    Raises:
        ValueError: if images have neither three axes nor four, or if boxes come along
            and their format is not known.
    """

    def __init__(
        self,
        bounding_box_format: str | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format: Any = bounding_box_format
        self.data_format = K.standardize_data_format(data_format)

    # -- the protocol ------------------------------------------------------------------

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Return how to change the images in `data`, None if not at all."""
        return self.draw(_images(data), seed) if training else None

    def draw(self, images: Any, seed: Any) -> Any:
        """Return how to change these images: nothing at random, by default."""
        return

    def change(self, images: Any, transformation: Any) -> Any:
        """Return images changed as it was drawn."""
        raise NotImplementedError

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Return images changed, in the layer's compute dtype."""
        images = K.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        return K.cast(self.change(images, transformation), self.compute_dtype)

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Return the labels of changed images; by default they stay."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the boxes in changed images; by default they stay."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Return the masks of changed images; by default they stay."""
        return segmentation_masks

    def transform_single_image(
        self, image: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return one image changed; see `transform_images`."""
        return self._single(self.transform_images, image, transformation, training)

    def transform_single_label(
        self, label: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the label of one changed image; see `transform_labels`."""
        return self._single(self.transform_labels, label, transformation, training)

    def transform_single_bounding_box(
        self, bounding_box: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the boxes in one changed image; see `transform_bounding_boxes`."""
        given, transform = self._boxes(bounding_box), self.transform_bounding_boxes
        return self._single(transform, given, transformation, training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the mask of one changed image; see `transform_segmentation_masks`."""
        transform = self.transform_segmentation_masks
        return self._single(transform, segmentation_mask, transformation, training)

    def _single(
        self, transform: Any, value: Any, transformation: Any, training: bool
    ) -> Any:
        found = transform(
            _each(lambda x: K.expand_dims(x, 0), value),
            transformation=transformation,
            training=training,
        )
        return _each(lambda x: K.squeeze(x, 0), found)

    # -- calling -----------------------------------------------------------------------

    def call(self, data: Any, training: bool = True) -> Any:
        single = _is_single(_images(data))
        transformation = self.get_random_transformation(data, training=training)

        def changed(part: str, value: Any) -> Any:
            if part == "bounding_boxes":
                value = self._boxes(value)
            transform = getattr(self, f"transform_{part}")
            if single:
                return self._single(transform, value, transformation, training)
            return transform(value, transformation=transformation, training=training)

        if not isinstance(data, dict):
            return changed("images", data)
        return {k: changed(k, v) if k in PARTS else v for k, v in data.items()}

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.bounding_box_format is None:
            del config["bounding_box_format"]
        return config

    def _boxes(self, value: Any) -> dict[str, Any]:
        """Return boxes as tensors.

        Raises:
            ValueError: if their format is not known, or they are no boxes with labels.
        """
        if not self.bounding_box_format:
            raise ValueError(
                "You passed an input with a 'bounding_boxes' key, but you didn't "
                "specify a bounding box format. Pass a `bounding_box_format` argument "
                f"to your {type(self).__name__} layer, e.g. "
                "`bounding_box_format='xyxy'`."
            )
        if not isinstance(value, dict) or not {"boxes", "labels"} <= value.keys():
            raise ValueError(
                "Expected `bounding_boxes` argument to be a dict with keys 'boxes' and "
                f"'labels'. Received: bounding_boxes={value}"
            )
        boxes = K.cast(value["boxes"], "float32")
        if K.rank(boxes) not in (2, 3):
            raise ValueError(
                "Expected `bounding_boxes['boxes']` to have rank 2 or 3, with shape "
                "(num_boxes, 4) or (batch_size, num_boxes, 4). Received: "
                f"bounding_boxes['boxes'].shape={K.known_shape(boxes)}"
            )
        return {**value, "boxes": boxes, "labels": K.convert_to_tensor(value["labels"])}

    # -- for subclasses ----------------------------------------------------------------

    def sizes(self, images: Any) -> tuple[Any, Any]:
        """Return the height and the width of images, tensors where not known yet."""
        height, width = K.spatial_sizes(images, self.data_format)
        return height, width

    def sizes_in(self, shape: Any) -> tuple[Any, Any]:
        """Return the height and the width in the shape of images."""
        height, width = K.spatial_axes(self.data_format)
        return shape[height], shape[width]

    def at_edge(self, shape: Any, height: Any, width: Any) -> tuple[Any, ...]:
        """Return the shape of images, with another height and width."""
        found = list(shape)
        for axis, n in zip(
            K.spatial_axes(self.data_format), (height, width), strict=True
        ):
            found[axis] = n
        return tuple(found)


class RandomAugmentation(Augmentation):
    """Base of layers that change each image at random, in training alone.

    Args:
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    bounds: ClassVar[Pair] = (-1, 1)

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = K.SeedGenerator(seed)

    def _set_factor(self, factor: Any) -> None:
        self.factor = interval(factor, self.bounds)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Return what is drawn for the images in `data`, None if not training."""
        _is_single(_images(data))
        seed = self.generator if seed is None else seed
        return super().get_random_transformation(data, training, seed)

    def uniform(self, shape: Any, limits: Any, seed: Any) -> Any:
        """Return numbers between the limits."""
        return K.random_uniform(shape, *map(float, limits), seed=seed)

    def chosen(self, images: Any, seed: Any) -> Any:
        """Return for each image whether to change it, with probability `factor`."""
        n = batch_size(images)
        chance = self.uniform((n,), self.factor, seed)
        return self.uniform((n,), (0, 1), seed) < chance


def batch_size(images: Any) -> Any:
    """Return how many images there are."""
    return 1 if _is_single(images) else K.sizes_of(images)[0]


def per_image(images: Any) -> list[Any]:
    """Return the shape of one number for each image."""
    return [1, 1, 1] if _is_single(images) else [batch_size(images), 1, 1, 1]


def for_images(x: Any) -> Any:
    """Return one number for each image so that it broadcasts with images."""
    return K.reshape(x, (-1, 1, 1, 1))


def in_range(images: Any, source: Any, target: Any) -> Any:
    """Return images whose values go from one range to another."""
    (low, high), (lowest, highest) = source, target
    if (low, high) == (lowest, highest):
        return images
    return (images - low) / (high - low) * (highest - lowest) + lowest


def _images(data: Any) -> Any:
    return data["images"] if isinstance(data, dict) else data


def _is_single(images: Any) -> bool:
    """Whether it is one image and not a batch.

    Raises:
        ValueError: if it is neither.
    """
    rank = K.rank(images)
    if rank not in (3, 4):
        raise ValueError(
            "Expected the input image to be rank 3 or 4. Received "
            f"inputs.shape={K.known_shape(images)}"
        )
    return rank == 3


def _each(function: Any, value: Any) -> Any:
    """Apply to an array, or to the boxes and labels in a dict."""
    if not isinstance(value, dict):
        return function(K.convert_to_tensor(value))
    named = ("boxes", "labels")
    return {k: function(v) if k in named else v for k, v in value.items()}

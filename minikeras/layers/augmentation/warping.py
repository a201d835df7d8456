"""Random changes of place: turned, moved, scaled, sheared, seen from the side."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import (
    RandomAugmentation,
    batch_size,
    for_images,
)
from minikeras.layers.augmentation.factors import Limits, interval, known
from minikeras.utils import bounding_boxes as boxes

__all__ = [
    "RandomElasticTransform",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]

INTERPOLATIONS = ("nearest", "bilinear")
FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class _RandomWarp(RandomAugmentation):
    """Base of those that move pixels; masks move as images do.

    Subclasses write `warp`, and `moved_boxes` if boxes are to move too.
    """

    def __init__(
        self,
        interpolation: str,
        fill_value: float,
        seed: int | None,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.interpolation = known("interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = fill_value

    def warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        """Return images with their pixels moved."""
        raise NotImplementedError

    def moved_boxes(self, xyxy: Any, transformation: Any) -> Any:
        """Return boxes, in pixels, that hold what the given ones held."""
        raise NotImplementedError

    def image_size(self, transformation: Any) -> tuple[Any, Any]:
        """Return the height and the width of the images for which it was drawn."""
        return self.sizes_in(transformation["input_shape"])

    def change(self, images: Any, transformation: Any) -> Any:
        single = K.rank(images) == 3
        batch = images[None] if single else images
        found = self.warp(batch, transformation, self.interpolation)
        return found[0] if single else found

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self.warp(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = self.image_size(transformation)
        form = self.bounding_box_format
        found = boxes.convert_format(bounding_boxes, form, "xyxy", *size)
        found["boxes"] = self.moved_boxes(found["boxes"], transformation)
        found = boxes.clip_to_image_size(found, *size)
        return boxes.convert_format(found, "xyxy", form, *size)


class _RandomAffine(_RandomWarp):
    """Base of those whose new pixel (x, y) comes from a place linear in x and y."""

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_value, seed, data_format, **kwargs)
        self.fill_mode = known("fill_mode", fill_mode, FILL_MODES)

    def matrix(self, transformation: Any, height: Any, width: Any) -> list[Any]:
        """Return a0, a1, a2, b0, b1, b2 of `K.affine_transform`, each (batch,)."""
        raise NotImplementedError

    def warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        rows = self.matrix(transformation, *self.sizes(images))
        none = K.zeros_like(rows[0])
        return K.affine_transform(
            images,
            K.stack([*rows, none, none], -1),
            interpolation,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def moved_boxes(self, xyxy: Any, transformation: Any) -> Any:
        rows = self.matrix(transformation, *self.image_size(transformation))
        a0, a1, a2, b0, b1, b2 = (K.reshape(row, (-1, 1)) for row in rows)

        # The way back, from old pixels to new ones: the inverse.
        def place(x: Any, y: Any) -> tuple[Any, Any]:
            x, y, area = x - a2, y - b2, a0 * b1 - a1 * b0
            return (b1 * x - a1 * y) / area, (a0 * y - b0 * x) / area

        found = _around(xyxy, place)
        return found[0] if K.rank(xyxy) == 2 else found


def _around(xyxy: Any, place: Any) -> Any:
    """Return the boxes around those whose corners are moved to their `place`."""
    left, top, right, bottom = (xyxy[..., i] for i in range(4))
    corners = [place(x, y) for x in (left, right) for y in (top, bottom)]
    xs, ys = (K.stack(part, 0) for part in zip(*corners, strict=True))
    ends = K.min(xs, 0), K.min(ys, 0), K.max(xs, 0), K.max(ys, 0)
    return K.stack(ends, -1)


class RandomRotation(_RandomAffine):
    """Images turned about their center.

    Args:
        factor: the lowest and the highest angle to draw, in full turns, in [-1, 1]; of
            `f` that is -f and f. Counterclockwise if positive.
        fill_mode: what lies beyond the edges: "reflect", "wrap", "constant" or
            "nearest"; see `K.map_coordinates`.
        interpolation: "bilinear" or "nearest".
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        fill_value: the value beyond the edges, if it is constant.
        data_format: where the channels are.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self._set_factor(factor)

    def draw(self, images: Any, seed: Any) -> Any:
        limits = [360.0 * part for part in self.factor]
        angle = self.uniform((batch_size(images),), limits, seed)
        height, width = self.sizes(images)
        turn = angle * (math.pi / 180.0)
        cos, sin = K.cos(turn), K.sin(turn)
        x, y = ((K.cast(n, cos.dtype) - 1.0) / 2.0 for n in (width, height))
        none = K.zeros_like(cos)
        rows = [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos]
        return {
            "angle": angle,
            "rotation_matrix": K.stack([*rows, none, none], -1),
            "image_height": height,
            "image_width": width,
        }

    def image_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation["image_height"], transformation["image_width"]

    def matrix(self, transformation: Any, height: Any, width: Any) -> list[Any]:
        matrix = K.reshape(transformation["rotation_matrix"], (-1, 8))
        return [matrix[:, i] for i in range(6)]


class RandomTranslation(_RandomAffine):
    """Images moved down and to the right, or up and to the left.

    Args:
        height_factor: the lowest and the highest way down to draw, as a share of the
            height, in [-1, 1]; of `f` that is -f and f.
        width_factor: likewise to the right.
        fill_mode: see `RandomRotation`.
        interpolation: "bilinear" or "nearest".
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        fill_value: the value beyond the edges, if it is constant.
        data_format: where the channels are.
    """

    limits = Limits("`factor` argument", "[-1.0, 1.0]", -1.0)

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = self.limits.interval(height_factor, "height_factor")
        self._right = self.limits.interval(width_factor, "width_factor")

    def draw(self, images: Any, seed: Any) -> Any:
        height, width = (K.cast(n, "float32") for n in self.sizes(images))
        shape = (batch_size(images), 1)
        right = self.uniform(shape, self._right, seed) * width
        down = self.uniform(shape, self._down, seed) * height
        moves = K.cast(K.concatenate([right, down], 1), "float32")
        return {"translations": moves, "input_shape": K.sizes_of(images)}

    def matrix(self, transformation: Any, height: Any, width: Any) -> list[Any]:
        moves = K.cast(transformation["translations"], "float32")
        right, down = moves[:, 0], moves[:, 1]
        one, none = K.ones_like(right), K.zeros_like(right)
        return [one, none, -right, none, one, -down]


class RandomZoom(_RandomAffine):
    """Images made smaller or larger about their center.

    Args:
        height_factor: the lowest and the highest factor to draw, in (-1, 1]: an image
            is 1 + factor times as high as what is seen of it; positive zooms out. Of
            `f` that is -f and f.
        width_factor: likewise; by default as drawn for the height.
        fill_mode: see `RandomRotation`.
        interpolation: "bilinear" or "nearest".
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        fill_value: the value beyond the edges, if it is constant.
        data_format: where the channels are.
    """

    limits = Limits("`height_factor` and `width_factor` arguments", "(-1.0, 1.0]", -1.0)

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high = self.limits.interval(height_factor, "height_factor")
        if width_factor is not None:
            self._wide = self.limits.interval(width_factor, "width_factor")

    def draw(self, images: Any, seed: Any) -> Any:
        shape = (batch_size(images), 1)
        high = 1.0 + self.uniform(shape, self._high, seed)
        wide = high
        if self.width_factor is not None:
            wide = 1.0 + self.uniform(shape, self._wide, seed)
        shape = K.sizes_of(images)
        return {"height_zoom": high, "width_zoom": wide, "input_shape": shape}

    def matrix(self, transformation: Any, height: Any, width: Any) -> list[Any]:
        zooms = (transformation[name] for name in ("width_zoom", "height_zoom"))
        wide, high = (K.reshape(K.cast(z, "float32"), (-1,)) for z in zooms)
        x, y = ((K.cast(n, "float32") - 1.0) / 2.0 for n in (width, height))
        none = K.zeros_like(wide)
        return [wide, none, x * (1.0 - wide), none, high, y * (1.0 - high)]


class RandomShear(_RandomAffine):
    """Images sheared: rows moved along by how far down they are, columns likewise.

    Args:
        x_factor: the lowest and the highest factor to draw for rows, in [0, 1]; its
            sign is drawn as well. Of `f` that is -f and f.
        y_factor: likewise for columns.
        interpolation: "bilinear" or "nearest".
        fill_mode: see `RandomRotation`.
        fill_value: the value beyond the edges, if it is constant.
        data_format: where the channels are.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
    """

    limits = Limits("`factor` argument", "[0, 1.0]", 0.0)

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format, **kwargs
        )
        self.x_factor = self.limits.interval(x_factor, "x_factor")
        self.y_factor = self.limits.interval(y_factor, "y_factor")

    def draw(self, images: Any, seed: Any) -> Any:
        shape = (batch_size(images), 1)
        sign = K.where(self.uniform(shape, (0, 1), seed) > 0.5, -1.0, 1.0)
        factors = (self.x_factor, self.y_factor)
        shears = [self.uniform(shape, factor, seed) for factor in factors]
        drawn = K.cast(K.concatenate(shears, 1) * sign, self.compute_dtype)
        return {"shear_factor": drawn, "input_shape": K.sizes_of(images)}

    def matrix(self, transformation: Any, height: Any, width: Any) -> list[Any]:
        shears = K.cast(transformation["shear_factor"], "float32")
        x, y = shears[:, 0], shears[:, 1]
        one, none = K.ones_like(x), K.zeros_like(x)
        return [one, x, none, y, one, none]

    def moved_boxes(self, xyxy: Any, transformation: Any) -> Any:
        """Shear the corners as Keras does: in shares of the image's sides, x first."""
        size = self.image_size(transformation)
        shears = K.cast(transformation["shear_factor"], "float32")
        sx, sy = shears[:, :1], shears[:, 1:]
        found = boxes.convert_format(xyxy, "xyxy", "rel_xyxy", *size)
        x1, y1, x2, y2 = (found[..., i] for i in range(4))
        x1, x2 = (
            K.where(sx < 0, x1 - sx * y1, x1 - sx * y2),
            K.where(sx < 0, x2 - sx * y2, x2 - sx * y1),
        )
        y1, y2 = (
            K.where(sy > 0, y1 - sy * x2, y1 - sy * x1),
            K.where(sy > 0, y2 - sy * x1, y2 - sy * x2),
        )
        found = K.stack([x1, y1, x2, y2], -1)
        return boxes.convert_format(found, "rel_xyxy", "xyxy", *size)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("x_factor", "y_factor"):
            low, high = config[name]
            if low < 0:  # made of one number, as `limits` allow it
                config[name] = high
        return config


class RandomPerspective(_RandomWarp):
    """Some images seen from the side: their corners moved.

    Args:
        factor: the probability, in [0, 1]; of two numbers one between them.
        scale: how far a corner moves at most, as twice its share of the way from the
            upper left corner; in [0, 1].
        interpolation: "bilinear" or "nearest".
        fill_value: of pixels that come from outside.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.
    """

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_value, seed, data_format, **kwargs)
        self._set_factor(factor)
        if scale < 0.0 or scale > 1.0:
            raise ValueError(
                "The `scale` argument should be a number in the range [0,1]. "
                f"Received: scale={scale}"
            )
        self.scale = scale

    def draw(self, images: Any, seed: Any) -> Any:
        bottom, right = (K.cast(n, "float32") - 1.0 for n in self.sizes(images))
        xs = K.stack([0.0, right, 0.0, right])
        ys = K.stack([0.0, 0.0, bottom, bottom])
        limits = -0.5 * self.scale, 0.5 * self.scale
        moves = self.uniform((batch_size(images), 4, 2), limits, seed)
        corners = K.stack([xs, ys], -1) + K.zeros_like(moves)
        return {
            "apply_perspective": self.chosen(images, seed),
            "start_points": corners,
            "end_points": corners + corners * moves,
            "input_shape": K.sizes_of(images),
        }

    def warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        seen = K.perspective_transform(
            images,
            transformation["start_points"],
            transformation["end_points"],
            interpolation,
            self.fill_value,
            self.data_format,
        )
        return K.where(for_images(transformation["apply_perspective"]), seen, images)

    def moved_boxes(self, xyxy: Any, transformation: Any) -> Any:
        points = (transformation[name] for name in ("end_points", "start_points"))
        transform = K.homography(*map(K.convert_to_tensor, points))
        a0, a1, a2, b0, b1, b2, c0, c1 = (transform[:, i : i + 1] for i in range(8))

        def place(x: Any, y: Any) -> tuple[Any, Any]:
            k = c0 * x + c1 * y + 1.0
            return (a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k

        chosen = K.reshape(transformation["apply_perspective"], (-1, 1, 1))
        return K.where(chosen, _around(xyxy, place), xyxy)


class RandomElasticTransform(_RandomWarp):
    """Some images with pixels moved about, near ones alike: as if drawn on rubber.

    Args:
        factor: the probability, in [0, 1]; of two numbers one between them.
        scale: the lowest and the highest strength to draw, in [0, 1].
        interpolation: "bilinear" or "nearest".
        fill_mode: what lies beyond the edges; see `K.map_coordinates`.
        fill_value: the value there, if it is constant.
        value_range: the lowest and the highest value of a pixel.
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.

    Source: Simard, Steinkraus, Platt 2003, doi:10.1109/ICDAR.2003.1227801.
    """

    bounds = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(interpolation, fill_value, seed, data_format, **kwargs)
        self._set_factor(factor)
        self.scale = interval(scale, self.bounds, "scale")
        self.fill_mode = known("fill_mode", fill_mode, (*FILL_MODES, "mirror"))
        self.value_range = value_range

    def draw(self, images: Any, seed: Any) -> Any:
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        return {
            "apply_transform": self.chosen(images, seed),
            "distortion_factor": self.uniform((), self.scale, seed),
            # A key, not a generator: masks move as images do.
            "seed": K.draw_seed(seed, K.is_symbolic(images)),
        }

    def warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        sizes = K.cast(K.stack(self.sizes(images)), "float32")
        factor = K.cast(transformation["distortion_factor"], "float32")
        moved = K.elastic_transform(
            images,
            0.1 * factor * K.max(sizes),
            0.05 * factor * K.min(sizes),
            interpolation,
            self.fill_mode,
            self.fill_value,
            transformation["seed"],
            self.data_format,
        )
        return K.where(for_images(transformation["apply_transform"]), moved, images)

    def change(self, images: Any, transformation: Any) -> Any:
        return K.clip(super().change(images, transformation), *self.value_range)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        return bounding_boxes

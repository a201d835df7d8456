"""What all functions on images ask first: their layout, their sizes, their dtype."""

from __future__ import annotations

from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.introspection import (
    convert_to_tensor,
    dtype,
    is_float_dtype,
    is_int_dtype,
    known_shape,
    limits,
    rank,
    result_type,
)
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["as_images", "channel_axis", "sizes_of", "spatial_axes", "spatial_sizes"]


def as_images(x: Any, name: str = "images") -> Any:
    """Return `x` as an array or a tensor of one image, or of a batch of them.

    Raises:
        ValueError: if it has neither three axes nor four.
    """
    x = convert_to_tensor(x)
    if rank(x) not in (3, 4):
        raise ValueError(
            f"Invalid {name} rank: expected rank 3 (single image) or rank 4 (batch of "
            f"images). Received input with shape: {name}.shape={known_shape(x)}"
        )
    return x


def channel_axis(data_format: str | None) -> int:
    """Return the axis of an image's channels, counted from the end."""
    return -1 if standardize_data_format(data_format) == "channels_last" else -3


def spatial_axes(data_format: str | None) -> tuple[int, int]:
    """Return the axes of the height and the width, counted from the end."""
    return (-3, -2) if channel_axis(data_format) == -1 else (-2, -1)


def sizes_of(x: Any) -> list[Any]:
    """Return the sizes of `x`: integers, and tensors where they are not known yet."""
    known, sizes = known_shape(x), engine.shape(x)
    return [sizes[i] if n is None else n for i, n in enumerate(known)]


def spatial_sizes(images: Any, data_format: str | None) -> list[Any]:
    """Return the height and the width of images, as `sizes_of` does."""
    sizes = sizes_of(images)
    return [sizes[axis] for axis in spatial_axes(data_format)]


# -- dtypes ----------------------------------------------------------------------------


def floating(x: Any) -> Any:
    """Return `x` in the floating-point type in which its mean would be."""
    return engine.cast(x, result_type(dtype(x), float))


def check_floating(images: Any) -> None:
    """Refuse images of integers.

    Raises:
        ValueError: if they are not of a floating-point type.
    """
    if not is_float_dtype(dtype(images)):
        raise ValueError(
            "Invalid images dtype: expected float dtype. Received: "
            f"images.dtype={dtype(images)}"
        )


def as_kind(x: Any, kind: str) -> Any:
    """Return `x` in another dtype; for integers rounded, and cut off at the ends."""
    if is_int_dtype(kind) and dtype(x) != kind:
        x = engine.clip(engine.round(x), *limits(kind))
    return engine.cast(x, kind)


# -- one axis at a time ----------------------------------------------------------------


def along(x: Any, weights: Any, axis: int) -> Tensor:
    """Return weighted sums of the elements of `x` along `axis`.

    Shapes:
        x: (..., given, ...)
        weights: (given, wanted)
        returns: (..., wanted, ...)
    """
    moved = engine.moveaxis(x, axis, -1)
    return engine.moveaxis(
        engine.matmul(moved, engine.cast(weights, dtype(x))), -1, axis
    )

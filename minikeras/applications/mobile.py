"""What the networks for mobile phones share: sizes of images, widths, normalization."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from minikeras import backend as K
from minikeras.applications.assembly import Request, channel_axis
from minikeras.layers import BatchNormalization

__all__ = [
    "check_tensor",
    "check_width",
    "divisible",
    "norm",
    "rows_and_columns",
    "rows_of_weights",
    "standard_size",
]

Shape = tuple[int | None, ...]


def divisible(value: float, divisor: int = 8) -> int:
    """Return a number of channels near `value`: a multiple, at most 10% below it.

    Example:
        >>> divisible(17), divisible(36 * 0.35)
        (16, 16)
    """
    found = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return found + divisor if found < 0.9 * value else found


def norm(name: str) -> BatchNormalization:
    """Return a normalization."""
    return BatchNormalization(
        axis=channel_axis(-1), epsilon=1e-3, momentum=0.999, name=name
    )


def rows_and_columns(shape: Shape) -> Shape:
    """Return height and width of images of a shape."""
    return shape[1:] if K.image_data_format() == "channels_first" else shape[:2]


def standard_size(shape: Shape | None, sizes: Sequence[int]) -> int:
    """Return the size for which there are weights that suits images of a shape."""
    rows, columns = rows_and_columns(shape) if shape else (None, None)
    return rows if rows == columns and rows in sizes else 224  # type: ignore[return-value]


def rows_of_weights(shape: Shape, sizes: Sequence[int]) -> int | None:
    """Return the height of the images that trained weights are for."""
    rows, columns = rows_and_columns(shape)
    if rows == columns and rows in sizes:
        return rows
    listed = f"not in {list(sizes)}" if len(sizes) > 1 else f"not {sizes[0]}"
    warnings.warn(
        f"`input_shape` is undefined or non-square, or `rows` is {listed}. Weights for "
        "input shape (224, 224) will be loaded as the default.",
        stacklevel=4,
    )
    return 224


def check_width(alpha: float, widths: Sequence[float]) -> None:
    """Refuse a width for which there are no trained weights.

    Raises:
        ValueError: if `alpha` is none of `widths`.
    """
    if alpha not in widths:
        *but_last, last = (f"`{width}`" for width in widths)
        listed = f"{', '.join(but_last)} or {last}" if but_last else last
        raise ValueError(
            f"If imagenet weights are being loaded, alpha can be one of {listed} only. "
            f"Received alpha={alpha}"
        )


def check_tensor(request: Request) -> None:
    """Refuse an input tensor that contradicts the input's shape.

    Raises:
        ValueError: if they differ in the size of the images.
    """
    shape, tensor = request.input_shape, request.input_tensor
    if shape is None or tensor is None:
        return
    if not K.is_keras_tensor(tensor):
        raise ValueError(
            f"input_tensor is not a Keras tensor; Received `input_tensor={tensor}`"
        )
    axis = 1 if K.image_data_format() == "channels_first" else 2
    if tensor.shape[axis] != shape[1]:
        raise ValueError(
            f"input_shape[1] must equal input_tensor.shape[{axis}].  Received "
            f"input_shape={shape}, input_tensor.shape={tensor.shape}"
        )

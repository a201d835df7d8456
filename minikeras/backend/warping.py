"""Images bent: each new pixel says where in the old image it comes from.

map_coordinates        any array, at any places
affine_transform       rotated, scaled, sheared, moved
perspective_transform  seen from another side
elastic_transform      pulled about at random
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.filters import gaussian_blur
from minikeras.backend.introspection import (
    convert_to_tensor,
    dtype,
    is_int_dtype,
    known_shape,
    rank,
)
from minikeras.backend.pixels import as_images, channel_axis, floating, sizes_of
from minikeras.backend.sampling import random_normal
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = [
    "affine_transform",
    "elastic_transform",
    "homography",
    "map_coordinates",
    "perspective_transform",
]

# How many old pixels a new one is made of, along each axis, less one.
ORDERS = {"nearest": 0, "bilinear": 1}

# Beyond this a float32 has no fraction, and not far beyond it is no int32.
FAR = 1e9


def map_coordinates(
    inputs: Any,
    coordinates: Any,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Return the values of an array at places between its elements.

    Args:
        inputs: any array.
        coordinates: the places, one coordinate for each axis of `inputs`.
        order: 0 for the nearest element, 1 for a mean of those around, by distance.
        fill_mode: what lies beyond the ends of ``a b c d``: "constant" ``k | k``,
            "nearest" ``a | d``, "wrap" ``c d | a b``, "mirror" ``c b | c b``, "reflect"
            ``b a | d c``.
        fill_value: the constant.

    Shapes:
        inputs: n axes
        coordinates: (n, ...)
        returns: (...)

    Raises:
        ValueError: if the shapes do not fit, or there is no such order or fill mode.
    """
    inputs, coordinates = convert_to_tensor(inputs), convert_to_tensor(coordinates)
    shape = known_shape(coordinates)
    if shape[0] != rank(inputs):
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`. "
            f"Received inputs with shape: {known_shape(inputs)} and coordinate leading "
            f"dim of {shape[0]}"
        )
    if len(shape) < 2:
        raise ValueError(
            "Invalid coordinates rank: expected at least rank 2. Received input with "
            f"shape: {shape}"
        )
    _check("fill_mode", fill_mode, FOLDS)
    _check("order", order, (0, 1))
    places = [coordinates[i][None] for i in range(rank(inputs))]
    y = _values(inputs[None, ..., None], places, order, fill_mode, fill_value)
    return y[0, ..., 0]


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Return images whose pixel (x, y) comes from a place that is linear in x and y.

    The place is ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`` with
    ``k = c0 x + c1 y + 1``.

    Args:
        images: one image or a batch.
        transform: (a0, a1, a2, b0, b1, b2, c0, c1), once or for each image.
        interpolation: "nearest" or "bilinear".
        fill_mode: see `map_coordinates`.
        fill_value: see `map_coordinates`.
        data_format: where the channels are.

    Raises:
        ValueError: if the shapes do not fit, or there is no such interpolation or fill
            mode.
    """
    images, transform = as_images(images), floating(convert_to_tensor(transform))
    _check("interpolation", interpolation, ORDERS)
    _check("fill_mode", fill_mode, FOLDS)
    if rank(transform) not in (1, 2):
        raise ValueError(
            "Invalid transform rank: expected rank 1 (single transform) or rank 2 "
            "(batch of transforms). Received input with shape: "
            f"transform.shape={known_shape(transform)}"
        )
    transform = transform[None] if rank(transform) == 1 else transform
    look = ORDERS[interpolation], fill_mode, fill_value
    return _warped(images, _projected(transform), look, data_format)


def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Return images seen so that four points come to lie on four others.

    Args:
        images: one image or a batch.
        start_points: four points (x, y), for each image.
        end_points: where they come to lie.
        interpolation: "nearest" or "bilinear".
        fill_value: of pixels that come from outside.
        data_format: where the channels are.

    Shapes:
        start_points: (4, 2) or (batch, 4, 2)
        end_points: the same

    Raises:
        ValueError: if the shapes do not fit, or there is no such interpolation.
    """
    images = as_images(images)
    _check("interpolation", interpolation, ORDERS)
    points = [convert_to_tensor(p) for p in (start_points, end_points)]
    for name, p in zip(("start_points", "end_points"), points, strict=True):
        shape = known_shape(p)
        if shape[-2:] != (4, 2) or len(shape) not in (2, 3):
            raise ValueError(
                f"Invalid {name} shape: expected (4,2) for a single image or (N,4,2) "
                f"for a batch. Received shape: {shape}"
            )
    shapes = [known_shape(p) for p in points]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "start_points and end_points must have the same shape. Received "
            f"start_points.shape={shapes[0]}, end_points.shape={shapes[1]}"
        )
    transform = homography(*(p[None] if rank(p) == 2 else p for p in points))
    look = ORDERS[interpolation], "constant", fill_value
    return _warped(images, _projected(transform), look, data_format)


def elastic_transform(
    images: Any,
    alpha: Any = 20.0,
    sigma: Any = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Return images whose pixels are moved at random, near ones alike.

    Args:
        images: one image or a batch.
        alpha: how far pixels move.
        sigma: how smooth the movement is, in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: see `map_coordinates`.
        fill_value: see `map_coordinates`.
        seed: None, an integer or a `SeedGenerator`.
        data_format: where the channels are.

    Raises:
        ValueError: if there is no such interpolation or fill mode.

    Source: Simard, Steinkraus, Platt 2003, doi:10.1109/ICDAR.2003.1227801.
    """
    images = as_images(images)
    _check("interpolation", interpolation, ORDERS)
    _check("fill_mode", fill_mode, FOLDS)
    # An odd number of taps, three standard deviations to each side.
    taps = 2 * engine.cast(engine.floor(3.0 * convert_to_tensor(sigma)), "int32") + 1

    def pulled(x: Any, y: Any, batch: Any) -> tuple[Any, Any]:
        sizes = (batch, *sizes_of(y)[:1], *sizes_of(x)[1:], 2)
        kind = dtype(floating(images))
        noise = random_normal(sizes, 0.0, sigma, kind, seed)
        moves = gaussian_blur(noise, (taps, taps), (sigma, sigma), "channels_last")
        return x + alpha * moves[..., 0], y + alpha * moves[..., 1]

    look = ORDERS[interpolation], fill_mode, fill_value
    return _warped(images, pulled, look, data_format)


def _check(name: str, value: Any, known: Any) -> None:
    if value not in known:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected of one {set(known)}. "
            f"Received: {name}={value}"
        )


# -- where pixels come from ------------------------------------------------------------

# Of the columns (1, width), the rows (height, 1) and the number of images.
Places = Callable[[Any, Any, Any], tuple[Any, Any]]


def _warped(
    images: Any, places: Places, look: tuple[int, str, float], data_format: str | None
) -> Tensor:
    """Return images made of what is at the `places` of their pixels."""
    axis, single = channel_axis(data_format), rank(images) == 3
    batch = engine.moveaxis(images[None] if single else images, axis, -1)
    n, height, width, _ = sizes_of(batch)
    x = engine.cast(engine.arange(width), "float32")[None]
    y = engine.cast(engine.arange(height), "float32")[:, None]
    x, y = places(x, y, n)
    found = engine.moveaxis(_values(batch, [y, x], *look), -1, axis)
    return found[0] if single else found


def _projected(transform: Any) -> Places:
    """Return the rule of (batch, 8) numbers."""
    a0, a1, a2, b0, b1, b2, c0, c1 = (transform[:, i, None, None] for i in range(8))

    def places(x: Any, y: Any, batch: Any) -> tuple[Any, Any]:
        k = c0 * x + c1 * y + 1.0
        return (a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k

    return places


def homography(start_points: Any, end_points: Any) -> Tensor:
    """Return the transform by which four end points come from four start points.

    Its numbers are those of `affine_transform`.

    Shapes:
        start_points: (batch, 4, 2)
        end_points: (batch, 4, 2)
        returns: (batch, 8)

    Source: Heckbert 1989, "Fundamentals of texture mapping and image warping",
    section 2.2.3.
    """
    # Differences of products of coordinates: float32 would be short of digits.
    to, of = (_basis(engine.cast(p, "float64")) for p in (start_points, end_points))
    matrix = engine.matmul(engine.swapaxes(to, 1, 2), _normals(of))
    flat = engine.reshape(matrix, (-1, 9))
    return engine.cast(flat[:, :8] / flat[:, 8:], "float32")


def _basis(points: Any) -> Any:
    """Return three points as rows (x, y, 1), scaled so that the fourth is their sum."""
    rows = engine.concatenate([points, engine.ones_like(points[..., :1])], -1)
    three, fourth = rows[:, :3], rows[:, 3:]
    return three * engine.sum(_normals(three) * fourth, -1, keepdims=True)


def _normals(rows: Any) -> Any:
    """Return the cross products of the other two of three rows: their adjugate."""
    a, b = engine.roll(rows, -1, 1), engine.roll(rows, -2, 1)
    a1, a2, b1, b2 = (engine.roll(m, -k, 2) for m in (a, b) for k in (1, 2))
    return a1 * b2 - a2 * b1


# -- what is there ---------------------------------------------------------------------


def _mirrored(i: Any, n: Any) -> Any:
    """Fold whole numbers at 0 and at n - 1."""
    last = engine.maximum(n - 1, 1)
    return engine.minimum(engine.absolute((i + last) % (2 * last) - last), n - 1)


# Which of n elements stands for the one with number i.
FOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda i, n: engine.clip(i, 0, n - 1),
    "nearest": lambda i, n: engine.clip(i, 0, n - 1),
    "wrap": lambda i, n: i % n,
    "mirror": _mirrored,
    "reflect": lambda i, n: (_mirrored(2 * i + 1, 2 * n + 1) - 1) // 2,
}


def _values(
    batch: Any, places: Sequence[Any], order: int, mode: str, value: float
) -> Tensor:
    """Return what is at `places` in each array of a batch.

    Shapes:
        batch: (batch, spatial ..., channels)
        places: one for each spatial axis, all (batch or 1, wanted ...)
        returns: (batch, wanted ..., channels)
    """
    kind, (n, *sizes, channels) = dtype(batch), sizes_of(batch)
    rows = engine.reshape(batch, (-1, channels))
    first = engine.reshape(engine.arange(n), (-1, *[1] * (rank(places[0]) - 1)))
    row: Any
    weight: Any
    inside: Any
    total: Any = 0.0
    for nodes in itertools.product(*(_nodes(p, order) for p in places)):
        row, weight, inside = first, 1.0, True
        for (index, share), size in zip(nodes, sizes, strict=True):
            row = row * size + FOLDS[mode](index, size)
            weight = weight * share
            inside = engine.logical_and(inside, (index >= 0) & (index < size))
        found = engine.take(rows, row, 0)
        if mode == "constant":
            found = engine.where(inside[..., None], found, engine.cast(value, kind))
        total = total + (found if order == 0 else weight[..., None] * found)
    if is_int_dtype(kind):
        total = _nearest(total)
    return engine.cast(total, kind)


def _nodes(place: Any, order: int) -> list[tuple[Any, Any]]:
    """Return the elements around a place along one axis, with their shares."""
    place = engine.clip(place, -FAR, FAR)
    if order == 0:
        return [(engine.cast(_nearest(place), "int32"), 1.0)]
    below = engine.floor(place)
    index, share = engine.cast(below, "int32"), place - below
    return [(index, 1.0 - share), (index + 1, share)]


def _nearest(x: Any) -> Any:
    """Round; halves away from 0."""
    return engine.sign(x) * engine.floor(engine.absolute(x) + 0.5)

"""Layers that rearrange: flatten, reshape, permute, repeat, crop, pad, enlarge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.arguments import SHOULD_BE, one_of, positive, sizes
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec, known_shape
from minikeras.layers.spatial import Spatial

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Flatten",
    "Permute",
    "RepeatVector",
    "Reshape",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


# -- shape and order -------------------------------------------------------------------


class Flatten(Layer):
    """All elements of a sample in one row.

    Args:
        data_format: with "channels_first" the channels are brought last before.

    Shapes:
        inputs: (batch, ...)
        returns: (batch, product of the rest)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        if self.data_format == "channels_first" and len(known_shape(inputs)) > 1:
            inputs = K.moveaxis(inputs, 1, -1)
        return K.batch_flatten(inputs)


class Reshape(Layer):
    """The elements of a sample in another shape.

    Args:
        target_shape: sizes without the batch; one may be -1, to be computed.

    Shapes:
        inputs: (batch, ...)
        returns: (batch, *target_shape)

    Raises:
        ValueError: if the numbers of elements are known and differ.
    """

    def __init__(self, target_shape: Sequence[int | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if any(n is not None and n < -1 for n in self.target_shape):
            raise ValueError(
                "Each entry of `target_shape` must be a non-negative integer, or -1 "
                f"for the size to be computed. Received: target_shape={target_shape}"
            )
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                "There must be at most one unknown dimension (-1) in `target_shape`. "
                f"Received: target_shape={target_shape}."
            )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        target = _resolved(known_shape(inputs)[1:], self.target_shape)
        return K.reshape(inputs, (K.shape(inputs)[0], *target))


def _resolved(have: Sequence[Any], target: Sequence[int | None]) -> list[int]:
    """Return `target` with the size that is to be computed, if all others are known."""
    wanted = [-1 if n is None else n for n in target]
    if None in have:
        return wanted
    total, rest = math.prod(have), math.prod(n for n in wanted if n != -1)
    found = [total // rest if n == -1 and rest else n for n in wanted]
    if math.prod(found) != total:
        raise ValueError(
            "The total size of the tensor must be unchanged. Received: "
            f"input_shape={have}, target_shape={target}"
        )
    return found


class Permute(Layer):
    """The axes of a sample in another order.

    Args:
        dims: which axis comes first, which second ...; the first after the batch is 1.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of "
                "indices in `dims` must be consecutive and start from 1. Received "
                f"dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.permute_dimensions(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """A vector, over and over, as the steps of a sequence.

    Args:
        n: how many steps; above 0.

    Shapes:
        inputs: (batch, features)
        returns: (batch, n, features)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(n, "n", SHOULD_BE)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.repeat(inputs, self.n)


# -- borders ---------------------------------------------------------------------------


def _borders(value: Any, rank: int, name: str) -> Any:
    """Return (before, after) for one axis, for several a tuple of such pairs."""
    if rank == 1:
        return sizes(value, 2, name, least=0)
    if isinstance(value, int) and value < 0:
        raise ValueError(f"`{name}` cannot be negative. Received: {name}={value}.")
    each = (value,) * rank if isinstance(value, int) else value
    if not hasattr(each, "__len__"):
        raise ValueError(
            f"`{name}` should be either an int, a tuple of {rank} ints, or a tuple of "
            f"{rank} tuples of 2 ints (before, after). Received: {name}={value}."
        )
    if len(each) != rank:
        count = "two" if rank == 2 else rank
        raise ValueError(
            f"`{name}` should have {count} elements. Received: {name}={value}."
        )
    return tuple(
        sizes(k, 2, f"{place} entry of {name}", least=0)
        for place, k in zip(("1st", "2nd", "3rd"), each, strict=False)
    )


class _Cropping(Spatial):
    """Base of layers that cut a border off."""

    def __init__(self, cropping: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = _borders(cropping, self.rank, "cropping")

    def call(self, inputs: K.Tensor) -> K.Tensor:
        pairs = (self.cropping,) if self.rank == 1 else self.cropping
        for axis, (before, after) in zip(self.spatial_axes, pairs, strict=True):
            size = known_shape(inputs)[axis]
            if size is not None and before + after >= size:
                raise ValueError(
                    "Values in `cropping` argument should be smaller than the "
                    "corresponding spatial dimension of the input; the `cropping` "
                    f"parameter of `{type(self).__name__}` layer must be smaller than "
                    "the input length. Received: "
                    f"inputs.shape={inputs.shape}, cropping={self.cropping}"
                )
        kept = [slice(before, -after or None) for before, after in pairs]
        return inputs[tuple(self.per_axis(kept, slice(None)))]


class Cropping1D(_Cropping):
    """Sequences without their first and last steps.

    Args:
        cropping: how many steps at the beginning and at the end.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, steps - cropping, channels)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


class Cropping2D(_Cropping):
    """Images without their border.

    Args:
        cropping: pixels at (top, bottom), (left, right); a single number for all.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, height - cropping, width - cropping, channels)
    """

    rank = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, **kwargs)
        self.data_format = K.standardize_data_format(data_format)


class Cropping3D(_Cropping):
    """Volumes without their border.

    Args:
        cropping: voxels before and after, for each axis; a single number for all.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, depth, height, width, channels)
        returns: (batch, depth - cropping, ..., channels)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, **kwargs)
        self.data_format = K.standardize_data_format(data_format)


class _ZeroPadding(Spatial):
    """Base of layers that add a border of zeros."""

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.padding = _borders(padding, self.rank, "padding")
        self.data_format = K.standardize_data_format(data_format)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        pairs = (self.padding,) if self.rank == 1 else self.padding
        return K.pad(inputs, self.per_axis(pairs, (0, 0)))


class ZeroPadding1D(_ZeroPadding):
    """Sequences with steps of zeros before and after.

    Args:
        padding: how many steps at the beginning and at the end.
        data_format: where the channels are.
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Images with a border of zeros.

    Args:
        padding: pixels at (top, bottom), (left, right); a single number for all.
        data_format: where the channels are.
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Volumes with a border of zeros.

    Args:
        padding: voxels before and after, for each axis; a single number for all.
        data_format: where the channels are.
    """

    rank = 3


# -- enlarging -------------------------------------------------------------------------


_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling1D(Spatial):
    """Each step several times.

    Args:
        size: how often; above 0.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, size · steps, channels)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive(size, "size", SHOULD_BE)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        return K.repeat_elements(inputs, self.size, axis=1)


class UpSampling2D(Spatial):
    """Images enlarged.

    Args:
        size: factors of height and width; a single number for both.
        data_format: where the channels are.
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" and
            "lanczos5" blend them.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, size · height, size · width, channels)
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = sizes(size, 2, "size")
        self.data_format = K.standardize_data_format(data_format)
        self.interpolation = one_of(interpolation, _INTERPOLATIONS, "interpolation")

    def call(self, inputs: K.Tensor) -> K.Tensor:
        height, width = self.size
        if self.interpolation != "nearest":
            return K.resize_images(
                inputs, height, width, self.data_format, self.interpolation
            )
        rows, columns = self.spatial_axes
        tall = K.repeat_elements(inputs, height, rows)
        return K.repeat_elements(tall, width, columns)


class UpSampling3D(Spatial):
    """Volumes enlarged, by repetition.

    Args:
        size: factors of depth, height and width; a single number for all.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, depth, height, width, channels)
        returns: (batch, size · depth, size · height, size · width, channels)
    """

    rank = 3

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2, 2),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = sizes(size, 3, "size")
        self.data_format = K.standardize_data_format(data_format)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        depth, height, width = self.size
        return K.resize_volumes(inputs, depth, height, width, self.data_format)

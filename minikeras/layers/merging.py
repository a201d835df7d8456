"""Several inputs made one: added, multiplied, joined, contracted.

Each merging is a layer, and a function that makes the layer and calls it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import known_shape

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

Tensors = Sequence[K.Tensor]


class Merge(Layer):
    """Base of layers that merge a list of inputs, element by element.

    Inputs of fewer axes than the others get axes of size 1 after the batch. The mask of
    the output holds wherever one of the inputs' masks does; with `skips_masked`, what
    is masked in one input does not take part: the other stands for it.

    Shapes:
        inputs: [(batch, ...), ...], which broadcast

    Raises:
        ValueError: if the input is not a list, or shapes do not fit.
    """

    skips_masked = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not all(
            isinstance(shape, (list, tuple)) for shape in input_shape
        ):
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on a list of inputs."
                f" Received: input_shape={input_shape} (not a list of shapes)"
            )
        batches = {shape[0] for shape in input_shape if shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                "Cannot merge tensors with different batch sizes. Received tensors "
                f"with shapes {input_shape}"
            )

    def call(self, inputs: Tensors, mask: Any = None) -> K.Tensor:
        if mask is not None and self.skips_masked:
            return self.merge_unmasked(inputs, mask)
        ranks = [len(known_shape(x)) for x in inputs]
        new = [range(1, max(ranks) - rank + 1) for rank in ranks]
        return self.merge(list(map(K.expand_dims, inputs, new)))

    def merge(self, inputs: Tensors) -> K.Tensor:
        """Return the inputs, all of one rank, as one."""
        raise NotImplementedError

    def merge_unmasked(self, inputs: Tensors, masks: Sequence[Any]) -> K.Tensor:
        """Return the inputs as one; the others stand for what is masked in some.

        What is masked in all is as in the first.
        """
        y, valid = inputs[0], masks[0]
        for x, mask in zip(inputs[1:], masks[1:], strict=True):
            both = self.call([y, x])
            if valid is not None:
                both = K.where(K.expand_dims(valid, -1), both, x)
            y = both if mask is None else K.where(K.expand_dims(mask, -1), both, y)
            valid = _either(valid, mask)
        return y

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return where one of the masks holds; None if an input has none.

        Raises:
            ValueError: if there is not one mask, or None, for each input.
        """
        if mask is None:
            return None
        _check_masks(inputs, mask)
        return functools.reduce(_either, mask)


def _either(one: Any, other: Any) -> Any:
    return None if one is None or other is None else K.logical_or(one, other)


def _check_masks(inputs: Any, mask: Any) -> None:
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"`{name}` should be a list. Received: {name}={value}")
    if len(inputs) != len(mask):
        raise ValueError(
            "The lists `inputs` and `mask` should have the same length. Received: "
            f"{len(inputs)} inputs and {len(mask)} masks"
        )


def _needs_two(layer: Layer, input_shape: Sequence[Any]) -> None:
    if len(input_shape) != 2:
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on exactly 2 inputs. "
            f"Received: input_shape={input_shape}"
        )


# -- element by element ----------------------------------------------------------------


class Add(Merge):
    """The sum of the inputs."""

    def merge(self, inputs: Tensors) -> K.Tensor:
        return functools.reduce(K.add, inputs)


class Subtract(Merge):
    """The first input minus the second."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        _needs_two(self, input_shape)

    def merge(self, inputs: Tensors) -> K.Tensor:
        return K.subtract(*inputs)


class Multiply(Merge):
    """The product of the inputs, of those which are not masked."""

    skips_masked = True

    def merge(self, inputs: Tensors) -> K.Tensor:
        return functools.reduce(K.multiply, inputs)

    def merge_unmasked(self, inputs: Tensors, masks: Sequence[Any]) -> K.Tensor:
        """Return the product, 0 where all inputs are masked."""
        y, some = (
            super().merge_unmasked(inputs, masks),
            self.compute_mask(inputs, masks),
        )
        return y if some is None else K.where(K.expand_dims(some, -1), y, 0)


class Average(Merge):
    """The mean of the inputs."""

    def merge(self, inputs: Tensors) -> K.Tensor:
        return functools.reduce(K.add, inputs) / len(inputs)


class Maximum(Merge):
    """The largest of the inputs, of those which are not masked."""

    skips_masked = True

    def merge(self, inputs: Tensors) -> K.Tensor:
        return functools.reduce(K.maximum, inputs)


class Minimum(Merge):
    """The smallest of the inputs, of those which are not masked."""

    skips_masked = True

    def merge(self, inputs: Tensors) -> K.Tensor:
        return functools.reduce(K.minimum, inputs)


# -- joined and contracted -------------------------------------------------------------


class Concatenate(Merge):
    """The inputs one after the other.

    Args:
        axis: along which they are joined; along all others they have one size.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        ranks = {len(shape) for shape in input_shape if shape is not None}
        others = [
            [n for i, n in enumerate(shape) if i != self.axis % len(shape)]
            for shape in input_shape
        ]
        sizes = [set(row) - {None} for row in zip(*others, strict=False)]
        if len(ranks) > 1 or any(len(row) > 1 for row in sizes):
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except for "
                f"the concatenation axis. Received: input_shape={input_shape}"
            )

    def call(self, inputs: Tensors, mask: Any = None) -> K.Tensor:
        return K.concatenate(inputs, self.axis)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return the masks joined; an input without one counts everywhere."""
        if mask is None:
            return None
        _check_masks(inputs, mask)
        if all(m is None for m in mask):
            return None
        pairs = zip(inputs, mask, strict=True)
        masks = [_mask_for_each_element(x, m) for x, m in pairs]
        return K.any(K.concatenate(masks, self.axis), axis=-1)


def _mask_for_each_element(x: K.Tensor, mask: Any) -> K.Tensor:
    if mask is None:
        return K.ones_like(x, "bool")
    if K.ndim(mask) == K.ndim(x):
        return mask
    return K.logical_or(K.expand_dims(mask, -1), K.zeros_like(x, "bool"))


class Dot(Merge):
    """The sum of products along an axis of each of two inputs, for each sample.

    Args:
        axes: the axis of each, one number if it is the same.
        normalize: whether to bring both to length 1 along them before, which makes it
            the cosine of their angle.

    Shapes:
        inputs: [(batch, ..., inner, ...), (batch, ..., inner, ...)]
        returns: (batch, ..., ...), or (batch, 1) if nothing else is left
    """

    def __init__(
        self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            raise TypeError(
                "Invalid type for argument `axes`: it should be a list or an int. "
                f"Received: axes={axes}"
            )
        if not isinstance(axes, int) and len(axes) != 2:
            raise ValueError(
                "Invalid format for argument `axes`: it should contain two elements. "
                f"Received: axes={axes}"
            )
        self.axes = axes
        self.normalize = normalize

    def build(self, input_shape: Any) -> None:
        _needs_two(self, input_shape)
        one, other = input_shape
        i, j = self.both_axes()
        if None not in (one[i], other[j]) and one[i] != other[j]:
            raise ValueError(
                f"Incompatible input shapes: axis values {one[i]} (at axis {i}) != "
                f"{other[j]} (at axis {j}). Full input shapes: {one}, {other}"
            )

    def both_axes(self) -> Sequence[int]:
        """Return the axis of each input."""
        return (self.axes, self.axes) if isinstance(self.axes, int) else self.axes

    def call(self, inputs: Tensors, mask: Any = None) -> K.Tensor:
        (x, y), (i, j) = inputs, self.both_axes()
        if self.normalize:
            x, y = K.l2_normalize(x, i), K.l2_normalize(y, j)
        return K.batch_dot(x, y, (i, j))

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> None:
        """Return None: the axis of the mask may be gone."""


# -- the same as functions -------------------------------------------------------------


def add(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the sum of the inputs; see `Add`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the first input minus the second; see `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the product of the inputs; see `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the mean of the inputs; see `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the largest of the inputs; see `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Tensors, **kwargs: Any) -> K.Tensor:
    """Return the smallest of the inputs; see `Minimum`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Tensors, axis: int = -1, **kwargs: Any) -> K.Tensor:
    """Return the inputs one after the other; see `Concatenate`."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Tensors, axes: int | Sequence[int] = -1, **kwargs: Any) -> K.Tensor:
    """Return the sum of products along an axis of each input; see `Dot`."""
    return Dot(axes, **kwargs)(inputs)

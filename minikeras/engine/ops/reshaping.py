"""The same elements in another shape: reshape, transpose, axes of size 1, broadcasting.

Shapes are values too. `shape(x)` is a tensor, and a shape computed from it by indexing,
stacking and arithmetic stays static where x's does, since specs carry small vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import dtypes, shapes
from minikeras.engine.context import is_lazy
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Tensor, is_symbolic
from minikeras.engine.op import Op, as_array, as_tensor, no_gradient
from minikeras.engine.ops.reduction import frozen_axes, sum_like
from minikeras.engine.spec import Array, Shape, Spec

__all__ = [
    "broadcast_to",
    "expand_dims",
    "moveaxis",
    "rank",
    "reshape",
    "reshape_like",
    "shape",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
]

Axes = int | Sequence[int]
Sizes = Any  # an int, a tuple of sizes (some of them tensors), or a tensor

# Longer vectors are not taken for shapes.
_VALUE_LIMIT = 64


# -- shapes given as values ------------------------------------------------------------


def operand(x: Any) -> Any:
    """Return `x` as what has an ``ndim``: a tensor, or an array if it is concrete."""
    return as_tensor(x) if is_symbolic(x) or is_lazy() else as_array(x)


def as_sizes(sizes: Sizes) -> Any:
    """Return a shape, however it is given, as an integer vector; None becomes -1."""
    if hasattr(sizes, "dtype"):
        return sizes
    listed = (sizes,) if isinstance(sizes, int) else sizes
    parts = [-1 if n is None else n for n in listed]
    return parts if is_symbolic(parts) else np.array(parts, np.int32)


def elements(vector: Spec) -> tuple[int | None, ...] | None:
    """Return what is known of each element of an integer vector, None of its length."""
    if not vector.dtype.is_integer:
        raise DTypeError(f"a shape is made of integers; got {vector.dtype}")
    if vector.shape is not None and len(vector.shape) != 1:
        raise ShapeError(
            f"a shape is given as a vector; got shape {shapes.show(vector.shape)}"
        )
    if vector.value is None and vector.shape is not None:
        length = vector.shape[0]
        if length is not None and length <= _VALUE_LIMIT:
            return (None,) * length
    return vector.value


def sizes_of(vector: Spec) -> Shape | None:
    """Return the shape that an integer vector spells, as far as it is known.

    Raises:
        ShapeError: if a size is negative.
    """
    found = elements(vector)
    if found is not None and any(n is not None and n < 0 for n in found):
        raise ShapeError(f"sizes cannot be negative; got {shapes.show(found)}")
    return found


class ShapeOf(Op, name="shape"):
    """y = the shape of x, a vector."""

    dtype: DType
    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec((x.rank,), self.dtype, x.shape)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.asarray(x.shape, self.dtype.as_numpy_dtype)


def shape(x: Any, dtype: Any = "int32") -> Tensor:
    """Return the shape of `x` as an integer vector, of its value at run time."""
    return ShapeOf(dtypes.as_dtype(dtype))(x, name="Shape")


class Size(Op, name="size"):
    """y = the number of elements of x."""

    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        count = None if x.shape is None else shapes.product(x.shape)
        return Spec((), dtypes.as_dtype("int32"), (count,))

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.asarray(x.size, "int32")


def size(x: Any) -> Tensor:
    """Return the number of elements of `x`, an int32 scalar."""
    return Size()(x)


class Rank(Op, name="rank"):
    """y = the number of axes of x."""

    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec((), dtypes.as_dtype("int32"), (x.rank,))

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.asarray(x.ndim, "int32")


def rank(x: Any) -> Tensor:
    """Return the number of axes of `x`, an int32 scalar."""
    return Rank()(x)


# -- reshape ---------------------------------------------------------------------------


class Reshape(Op, name="reshape"):
    """y has the elements of x, in the same order, and the shape `newshape`."""

    any_rank = True

    def infer(self, x: Spec, newshape: Spec) -> Spec:
        wanted = elements(newshape)
        if wanted is None:
            return Spec(None, x.dtype)
        found = _fitted(x.shape, wanted)
        return Spec(found, x.dtype, x.value if len(found) <= 1 else None)

    def kernel(self, xp: ModuleType, x: Array, newshape: Array) -> Array:
        return x.reshape(newshape.tolist())

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, newshape: Tensor
    ) -> tuple[Tensor, None]:
        return reshape_like(g, x), None


def _fitted(given: Shape | None, wanted: tuple[int | None, ...]) -> Shape:
    """Return `wanted` with its -1, or its only unknown size, computed if possible."""
    total = None if given is None else shapes.product(given)
    free = [n for n in wanted if n in (-1, None)]
    fixed = shapes.product(n for n in wanted if n not in (-1, None)) or 0
    fits = total == fixed or (bool(free) and (total or 0) % (fixed or 1) == 0)
    if free.count(-1) > 1 or not (total is None or fits):
        raise ShapeError(
            f"reshape: the elements of shape {shapes.show(given)} do not fill shape "
            f"{shapes.show(wanted)}"
        )
    rest = total // fixed if total is not None and fixed and len(free) == 1 else None
    return tuple(rest if n in (-1, None) else n for n in wanted)


def reshape(x: Any, newshape: Sizes) -> Tensor:
    """Return the elements of `x`, in the same order, in another shape.

    Args:
        x: what to reshape.
        newshape: sizes, one of which may be -1 or None: it is computed from the rest.
            They may be tensors, and so may the whole.

    Raises:
        ShapeError: if the numbers of elements are known and differ.

    Example:
        >>> x = placeholder("float32", (None, 12))
        >>> reshape(x, (-1, 3, 4)).shape
        (None, 3, 4)
    """
    return Reshape()(x, as_sizes(newshape))


class ReshapeLike(Op, name="reshape_like"):
    """y has the elements of x and the shape of `like`."""

    any_rank = True

    def infer(self, x: Spec, like: Spec) -> Spec:
        return Spec(like.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array, like: Array) -> Array:
        return x.reshape(like.shape)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, like: Tensor) -> tuple[Tensor, None]:
        return reshape_like(g, x), None


def reshape_like(x: Any, like: Any) -> Tensor:
    """Return the elements of `x` in the shape of `like`."""
    return ReshapeLike()(x, like)


# -- order of axes ---------------------------------------------------------------------


class Transpose(Op, name="transpose"):
    """Axis i of y is axis axes[i] of x; all axes reversed if None."""

    axes: tuple[int, ...] | None = None

    def infer(self, x: Spec) -> Spec:
        n = len(x.known)
        order = range(n)[::-1] if self.axes is None else self.axes
        if sorted(shapes.axis_of(i, n) for i in order) != list(range(n)):
            raise ShapeError(f"transpose: {self.axes} does not order {n} axes")
        return Spec(tuple(x.known[i] for i in order), x.dtype, x.value)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.transpose(x, self.axes)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        if self.axes is None:
            return (transpose(g),)
        order = [i % len(self.axes) for i in self.axes]
        return (transpose(g, sorted(range(len(order)), key=order.__getitem__)),)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Return `x` with its axes in the order of `axes`, or reversed."""
    order = None if axes is None else tuple(int(i) for i in axes)
    return Transpose(order)(x, name="transpose")


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Return `x` with two axes exchanged.

    Raises:
        ShapeError: if the rank of `x` is unknown, or an axis does not exist.
    """
    x, n = _ranked(x, "swapaxes")
    i, j = shapes.axis_of(axis1, n), shapes.axis_of(axis2, n)
    order = list(range(n))
    order[i], order[j] = j, i
    return transpose(x, order)


def moveaxis(x: Any, source: Axes, destination: Axes) -> Tensor:
    """Return `x` with the axes `source` at `destination`, the rest in order.

    Raises:
        ShapeError: if the rank of `x` is unknown, or an axis does not exist.
    """
    x, n = _ranked(x, "moveaxis")
    start = [shapes.axis_of(i, n) for i in _listed(source)]
    end = [shapes.axis_of(i, n) for i in _listed(destination)]
    if len(start) != len(end):
        raise ShapeError(f"moveaxis: {len(start)} axes to {len(end)} places")
    order = [i for i in range(n) if i not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def _ranked(x: Any, op: str) -> tuple[Any, int]:
    value = operand(x)
    if value.ndim is None:
        raise ShapeError(f"{op}: the rank of {value} must be known")
    return value, value.ndim


def _listed(axes: Axes) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes)


# -- axes of size 1 --------------------------------------------------------------------


class ExpandDims(Op, name="expand_dims"):
    """y is x with new axes of size 1, which lie at `axis` in y."""

    axis: tuple[int, ...]

    def infer(self, x: Spec) -> Spec:
        n = len(x.known) + len(self.axis)
        new = shapes.axes_of(self.axis, n)
        sizes = iter(x.known)
        found = tuple(1 if i in new else next(sizes) for i in range(n))
        return Spec(found, x.dtype, x.value if n <= 1 else None)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.expand_dims(x, self.axis)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (squeeze(g, self.axis),)


def expand_dims(x: Any, axis: Axes) -> Tensor:
    """Return `x` with a new axis of size 1 at `axis`, or several."""
    return ExpandDims(_listed(axis))(x)


class Squeeze(Op, name="squeeze"):
    """y is x without `axis`, whose size is 1; without all such axes if None."""

    axis: tuple[int, ...] | None = None

    def infer(self, x: Spec) -> Spec:
        given = x.known
        if self.axis is None and None in given:
            return Spec(None, x.dtype)  # the unknown size may be 1
        ones = [i for i, n in enumerate(given) if n == 1]
        gone = ones if self.axis is None else shapes.axes_of(self.axis, len(given))
        for i in gone:
            if given[i] not in (1, None):
                raise ShapeError(
                    f"squeeze: axis {i} of shape {shapes.show(given)} has not size 1"
                )
        kept = tuple(n for i, n in enumerate(given) if i not in gone)
        return Spec(kept, x.dtype, x.value)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x.squeeze(self.axis)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        back = reshape_like(g, x) if self.axis is None else expand_dims(g, self.axis)
        return (back,)


def squeeze(x: Any, axis: Axes | None = None) -> Tensor:
    """Return `x` without the axes of size 1, or without those in `axis`.

    Raises:
        ShapeError: if an axis that is named has another size.
    """
    return Squeeze(frozen_axes(axis))(x)


# -- broadcasting ----------------------------------------------------------------------


def broadcast_onto(op: str, given: Shape | None, wanted: Shape | None) -> Shape | None:
    """Return the shape `wanted`, as far as `given` and itself tell.

    Raises:
        ShapeError: if `given` does not broadcast to it.
    """
    if given is None or wanted is None:
        return wanted
    found = shapes.broadcast(given, wanted) or ()
    if len(found) > len(wanted) or not all(map(shapes.compatible, found, wanted)):
        raise ShapeError(
            f"{op}: shape {shapes.show(given)} does not broadcast to "
            f"{shapes.show(wanted)}"
        )
    return found


class BroadcastTo(Op, name="broadcast_to"):
    """y repeats x along new leading axes and along axes of size 1."""

    any_rank = True

    def infer(self, x: Spec, shape: Spec) -> Spec:
        return Spec(broadcast_onto("broadcast_to", x.shape, sizes_of(shape)), x.dtype)

    def kernel(self, xp: ModuleType, x: Array, shape: Array) -> Array:
        return xp.broadcast_to(x, shape.tolist())

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, shape: Tensor
    ) -> tuple[Tensor, None]:
        return sum_like(g, x), None


def broadcast_to(x: Any, shape: Sizes) -> Tensor:
    """Return `x` repeated to `shape`, by NumPy's rule of broadcasting.

    Raises:
        ShapeError: if it does not broadcast to that shape.
    """
    return BroadcastTo()(x, as_sizes(shape))

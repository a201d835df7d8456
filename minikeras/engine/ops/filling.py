"""Tensors made of one value or of a sequence: zeros, fill, range, identity matrices.

Shapes may be tensors, or hold tensors: ``zeros((shape(x)[0], 3))``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype, floatx
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.reduction import sum, sum_like
from minikeras.engine.ops.reshaping import Sizes, as_sizes, operand, shape, sizes_of
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = [
    "arange",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]

# Longer sequences are not taken for shapes.
_VALUE_LIMIT = 64


# -- one value -------------------------------------------------------------------------


class Fill(Op, name="full"):
    """y = the value everywhere, in the shape `dims`."""

    any_rank = True

    def infer(self, dims: Spec, value: Spec) -> Spec:
        return Spec(sizes_of(dims), value.dtype)

    def kernel(self, xp: ModuleType, dims: Array, value: Array) -> Array:
        return xp.full(dims.tolist(), value, value.dtype)

    def vjp(
        self, g: Tensor, y: Tensor, dims: Tensor, value: Tensor
    ) -> tuple[None, Tensor]:
        return None, sum_like(g, value)


def full(shape: Sizes, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return a tensor of `shape` which is `fill_value` everywhere.

    Args:
        shape: a size, or sizes; they may be tensors, and so may the whole.
        fill_value: a number, or what broadcasts to `shape`.
        dtype: by default that of `fill_value`.
    """
    value = fill_value if dtype is None else cast(fill_value, dtype)
    return Fill()(as_sizes(shape), value)


def zeros(shape: Sizes, dtype: Any = None) -> Tensor:
    """Return zeros of `shape`; of the default float type unless `dtype` is given."""
    return full(shape, 0, dtype or floatx())


def ones(shape: Sizes, dtype: Any = None) -> Tensor:
    """Return ones of `shape`; of the default float type unless `dtype` is given."""
    return full(shape, 1, dtype or floatx())


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return `fill_value` in the shape of `x`, and in its dtype unless one is given."""
    like = operand(x)
    return full(shape(like), fill_value, dtype or like.dtype)


class FilledLike(Op):
    """A constant of the shape of x, and of its dtype unless it has one of its own."""

    dtype: DType | None = None
    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, self.dtype or x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        dtype = self.dtype.as_numpy_dtype if self.dtype else x.dtype
        return getattr(xp, self.name)(x, dtype)


class OnesLike(FilledLike, name="ones_like"):
    """y = 1 everywhere."""


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return ones of the shape of `x`, and of its dtype unless one is given."""
    return OnesLike(None if dtype is None else as_dtype(dtype))(x)


class ZerosLike(FilledLike, name="zeros_like"):
    """y = 0 everywhere."""


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return zeros of the shape of `x`, and of its dtype unless one is given."""
    return ZerosLike(None if dtype is None else as_dtype(dtype))(x)


# -- sequences -------------------------------------------------------------------------


class Range(Op, name="arange"):
    """y = start, start + step, start + 2 step ... before stop."""

    promotes = True
    any_rank = True
    vjp = no_gradient

    def infer(self, start: Spec, stop: Spec, step: Spec) -> Spec:
        given = [spec.value[0] if spec.value else None for spec in (start, stop, step)]
        first, end, stride = given
        if stride == 0:
            raise ShapeError("arange: a step of 0 leads nowhere")
        if first is None or end is None or stride is None:
            return Spec((None,), start.dtype)
        found = range(first, end, stride)
        value = tuple(found) if len(found) <= _VALUE_LIMIT else None
        return Spec((len(found),), start.dtype, value)

    def kernel(self, xp: ModuleType, start: Array, stop: Array, step: Array) -> Array:
        return xp.arange(start.item(), stop.item(), step.item(), start.dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Return the numbers from `start` up to, and without, `stop`.

    Args:
        start: the first number; ``arange(n)`` counts from 0 to n - 1.
        stop: where to end.
        step: difference of neighbors; it may be negative.
        dtype: by default the one in which the three numbers meet.
    """
    given = (0, start, step) if stop is None else (start, stop, step)
    # How many there are depends on all digits: rounded to float32, 0.1 is another step.
    kinds = {type(n) for n in given}
    if float in kinds and kinds <= {int, float}:
        given = tuple(np.float64(n) for n in given)
        dtype = dtype or floatx()
    numbers = Range()(*given)
    return numbers if dtype is None else cast(numbers, dtype)


class LinSpace(Op, name="linspace"):
    """y = start (1 - w) + stop w, along a new axis on which w runs from 0 to 1."""

    num: int
    endpoint: bool = True
    axis: int = 0
    promotes = True
    floats = True

    def infer(self, start: Spec, stop: Spec) -> Spec:
        sizes = list(shapes.broadcast(start.shape, stop.shape) or ())
        sizes.insert(shapes.axis_of(self.axis, len(sizes) + 1), self.num)
        return Spec(tuple(sizes), start.dtype)

    def kernel(self, xp: ModuleType, start: Array, stop: Array) -> Array:
        return xp.linspace(
            start, stop, self.num, self.endpoint, dtype=start.dtype, axis=self.axis
        )

    def vjp(
        self, g: Tensor, y: Tensor, start: Tensor, stop: Tensor
    ) -> tuple[Tensor, Tensor]:
        w = self(zeros_like(start), ones_like(stop))
        to_start, to_stop = sum(g * (1 - w), self.axis), sum(g * w, self.axis)
        return sum_like(to_start, start), sum_like(to_stop, stop)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Return `num` numbers, evenly spaced from `start` to `stop`.

    Args:
        start: the first number, or a tensor of first numbers.
        stop: the last number, or a tensor of last numbers.
        num: how many.
        endpoint: whether `stop` is one of them.
        dtype: by default the floating-point one in which the two meet.
        axis: along which they lie, if `start` or `stop` has axes.
    """
    numbers = LinSpace(num, endpoint, axis)(start, stop)
    return numbers if dtype is None else cast(numbers, dtype)


class Eye(Op, name="eye"):
    """y[i, j] = 1 where j = i + k, else 0."""

    k: int
    dtype: DType
    any_rank = True
    vjp = no_gradient

    def infer(self, rows: Spec, columns: Spec) -> Spec:
        sizes = [spec.value[0] if spec.value else None for spec in (rows, columns)]
        return Spec(tuple(sizes), self.dtype)

    def kernel(self, xp: ModuleType, rows: Array, columns: Array) -> Array:
        return xp.eye(int(rows), int(columns), self.k, self.dtype.as_numpy_dtype)


def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix of zeros with ones on one diagonal.

    Args:
        N: number of rows; it may be a tensor.
        M: number of columns, by default as many; it may be a tensor.
        k: which diagonal: 0 is the main one, those above it are positive.
        dtype: by default the default float type.
    """
    return Eye(k, as_dtype(dtype or floatx()))(N, N if M is None else M)

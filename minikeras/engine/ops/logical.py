"""Truth values and bits: combining them, and asking whether all or any hold.

Nothing here is differentiable. (`typing` is imported as a whole, since one of the ops
is called `Any`.)
"""

from __future__ import annotations

import typing
from types import ModuleType

from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import DTypeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import no_gradient
from minikeras.engine.ops.comparison import Comparison
from minikeras.engine.ops.elementwise import Binary, Question, Unary
from minikeras.engine.ops.reduction import Axes, Reduction, frozen_axes
from minikeras.engine.spec import Array

__all__ = [
    "all",
    "any",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "right_shift",
]


# -- truth: a number counts as true unless it is 0 -------------------------------------


class LogicalAnd(Comparison, name="logical_and"):
    """z = x and y."""


def logical_and(x1: typing.Any, x2: typing.Any) -> Tensor:
    """Return where both hold."""
    return LogicalAnd()(x1, x2)


class LogicalOr(Comparison, name="logical_or"):
    """z = x or y."""


def logical_or(x1: typing.Any, x2: typing.Any) -> Tensor:
    """Return where at least one holds."""
    return LogicalOr()(x1, x2)


class LogicalXor(Comparison, name="logical_xor"):
    """z = either x or y."""


def logical_xor(x1: typing.Any, x2: typing.Any) -> Tensor:
    """Return where exactly one holds."""
    return LogicalXor()(x1, x2)


class LogicalNot(Question, name="logical_not"):
    """y = not x."""


def logical_not(x: typing.Any) -> Tensor:
    """Return where x does not hold."""
    return LogicalNot()(x)


class Quantifier(Reduction):
    """What is true of all elements along some axes."""

    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return as_dtype("bool")

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return getattr(xp, self.name)(x, self.axis, keepdims=self.keepdims)


class All(Quantifier, name="all"):
    """y = whether every x along the axes holds."""


def all(x: typing.Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return whether all of `x` hold along `axis` (all axes if None)."""
    return All(frozen_axes(axis), keepdims)(x)


class Any(Quantifier, name="any"):
    """y = whether some x along the axes holds."""


def any(x: typing.Any, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return whether any of `x` holds along `axis` (all axes if None)."""
    return Any(frozen_axes(axis), keepdims)(x)


# -- bits: of integers, and truth values as integers of one bit ------------------------


def _checked(op: str, dtype: DType) -> DType:
    if dtype.is_differentiable:
        raise DTypeError(f"{op}: bits are those of integers and booleans; got {dtype}")
    return dtype


class BitwiseBinary(Binary):
    """A function of the bits of two integers or truth values."""

    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return _checked(self.name, dtype)


class BitwiseAnd(BitwiseBinary, name="bitwise_and"):
    """z = the bits that are 1 in both x and y."""


def bitwise_and(x: typing.Any, y: typing.Any) -> Tensor:
    """Return the bits that are 1 in both; of truth values, where both hold."""
    return BitwiseAnd()(x, y)


class BitwiseOr(BitwiseBinary, name="bitwise_or"):
    """z = the bits that are 1 in x or y."""


def bitwise_or(x: typing.Any, y: typing.Any) -> Tensor:
    """Return the bits that are 1 in either; of truth values, where one holds."""
    return BitwiseOr()(x, y)


class BitwiseXor(BitwiseBinary, name="bitwise_xor"):
    """z = the bits in which x and y differ."""


def bitwise_xor(x: typing.Any, y: typing.Any) -> Tensor:
    """Return the bits that differ; of truth values, where exactly one holds."""
    return BitwiseXor()(x, y)


class LeftShift(BitwiseBinary, name="left_shift"):
    """z = x 2^y."""


def left_shift(x: typing.Any, y: typing.Any) -> Tensor:
    """Return the bits of `x` moved up by `y` places."""
    return LeftShift()(x, y)


class RightShift(BitwiseBinary, name="right_shift"):
    """z = floor(x / 2^y)."""


def right_shift(x: typing.Any, y: typing.Any) -> Tensor:
    """Return the bits of `x` moved down by `y` places."""
    return RightShift()(x, y)


class Invert(Unary, name="bitwise_not"):
    """y = the bits of x, 1 for 0 and 0 for 1."""

    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return _checked(self.name, dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.invert(x)


def bitwise_not(x: typing.Any) -> Tensor:
    """Return the opposite of every bit; of truth values, where they do not hold."""
    return Invert()(x)

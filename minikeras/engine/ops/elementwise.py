"""Elementwise functions: what they all share, and those of one operand.

The array library has nearly all of these functions under the op's own name. What an op
adds is the shape of its result, the dtype and the derivative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import DTypeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels.erf import erf as erf_kernel
from minikeras.engine.op import Op, no_gradient, promoted
from minikeras.engine.registry import find
from minikeras.engine.spec import Array, Spec

__all__ = [
    "absolute",
    "ceil",
    "conjugate",
    "erf",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log1p",
    "log2",
    "log10",
    "negative",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "trunc",
]


class Elementwise(Op):
    """A function of each element by itself, by default the array library's namesake."""

    any_rank = True

    def result(self, dtype: DType) -> DType:
        """Return the dtype of the result, given that of the operands."""
        return dtype


def numbers_only(self: Elementwise, dtype: DType) -> DType:
    """Serve as the `result` of a function that truth values have not."""
    if dtype.is_bool:
        raise DTypeError(f"{self.name}: truth values are not numbers; cast them first")
    return dtype


def truth_as_integers(self: Elementwise, inputs: Sequence[Any]) -> DType:
    """Serve as the `meeting_dtype` of a function that computes 0 and 1 of truth."""
    dtype = promoted(inputs)
    return as_dtype("int32") if dtype.is_bool else dtype


class Unary(Elementwise):
    """An elementwise function of one operand."""

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, self.result(x.dtype))

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return getattr(xp, self.name)(x)


class FloatUnary(Unary):
    """A function of real numbers: integers become floats first."""

    promotes = True
    floats = True


class Binary(Elementwise):
    """An elementwise function of two operands that broadcast and meet in one dtype."""

    promotes = True

    def infer(self, x: Spec, y: Spec) -> Spec:
        shape = shapes.broadcast(x.shape, y.shape)
        return Spec(shape, self.result(x.dtype), self.values(x, y))

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return getattr(xp, self.name)(x, y)

    def values(self, x: Spec, y: Spec) -> tuple[int | None, ...] | None:
        """Return what is known of an integer result: nothing, unless overridden."""
        return None


# -- size and sign ---------------------------------------------------------------------


class Neg(Unary, name="negative"):
    """y = -x."""

    result = numbers_only

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-g,)


def negative(x: Any) -> Tensor:
    """Return -x."""
    return Neg()(x)


class Abs(Unary, name="absolute"):
    """y = |x|, dy/dx = sign(x): 0 at 0, as in TensorFlow."""

    def result(self, dtype: DType) -> DType:
        return dtype.real

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        if x.dtype.is_complex:
            return (conjugate(x) * find("divide_no_nan")()(g, y),)
        return (g * sign(x),)


def absolute(x: Any) -> Tensor:
    """Return |x|."""
    return Abs()(x)


class Sign(Unary, name="sign"):
    """y = -1, 0 or 1: a step function, so its gradient is none."""

    vjp = no_gradient
    result = numbers_only


def sign(x: Any) -> Tensor:
    """Return -1 where x is negative, 1 where it is positive, and 0 where it is 0."""
    return Sign()(x)


class Conj(Unary, name="conjugate"):
    """y = x with the sign of its imaginary part changed."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (conjugate(g),)


def conjugate(x: Any) -> Tensor:
    """Return x with the sign of its imaginary part changed."""
    return Conj()(x)


# -- powers and roots ------------------------------------------------------------------


class Square(Unary, name="square"):
    """y = x²."""

    promotes = True
    meeting_dtype = truth_as_integers

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * (2 * x),)


def square(x: Any) -> Tensor:
    """Return x²."""
    return Square()(x)


class Sqrt(FloatUnary, name="sqrt"):
    """y = √x, dy/dx = 1 / 2y."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * 0.5 / y,)


def sqrt(x: Any) -> Tensor:
    """Return the square root of x; NaN where x is negative."""
    return Sqrt()(x)


class Rsqrt(FloatUnary, name="rsqrt"):
    """y = 1 / √x, dy/dx = -y³ / 2."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return 1 / xp.sqrt(x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * -0.5 * y * y * y,)


def rsqrt(x: Any) -> Tensor:
    """Return 1 / √x."""
    return Rsqrt()(x)


class Reciprocal(FloatUnary, name="reciprocal"):
    """y = 1 / x, dy/dx = -y²."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-g * y * y,)


def reciprocal(x: Any) -> Tensor:
    """Return 1 / x."""
    return Reciprocal()(x)


# -- exponentials and logarithms -------------------------------------------------------


class Exp(FloatUnary, name="exp"):
    """y = e^x, its own derivative."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * y,)


def exp(x: Any) -> Tensor:
    """Return e^x."""
    return Exp()(x)


class Expm1(FloatUnary, name="expm1"):
    """y = e^x - 1, without loss of digits near 0."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * (y + 1),)


def expm1(x: Any) -> Tensor:
    """Return e^x - 1, precise near 0."""
    return Expm1()(x)


class Log(FloatUnary, name="log"):
    """y = ln x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / x,)


def log(x: Any) -> Tensor:
    """Return the natural logarithm of x: -inf at 0, NaN below."""
    return Log()(x)


class Log1p(FloatUnary, name="log1p"):
    """y = ln(1 + x), without loss of digits near 0."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (1 + x),)


def log1p(x: Any) -> Tensor:
    """Return ln(1 + x), precise near 0."""
    return Log1p()(x)


class Log2(FloatUnary, name="log2"):
    """y = ln x / ln 2."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (x * math.log(2)),)


def log2(x: Any) -> Tensor:
    """Return the logarithm of x to base 2."""
    return Log2()(x)


class Log10(FloatUnary, name="log10"):
    """y = ln x / ln 10."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (x * math.log(10)),)


def log10(x: Any) -> Tensor:
    """Return the logarithm of x to base 10."""
    return Log10()(x)


class Erf(FloatUnary, name="erf"):
    """y = 2/√π times the integral of exp(-t²) from 0 to x."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return erf_kernel(xp, x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * exp(-x * x) * (2 / math.sqrt(math.pi)),)


def erf(x: Any) -> Tensor:
    """Return the error function of x, the odd step from -1 to 1 of the normal curve."""
    return Erf()(x)


# -- rounding: step functions, so their gradient is none -------------------------------


class Floor(FloatUnary, name="floor"):
    """y = the largest integer that is not above x, as a float."""

    vjp = no_gradient


def floor(x: Any) -> Tensor:
    """Return x rounded down."""
    return Floor()(x)


class Ceil(FloatUnary, name="ceil"):
    """y = the smallest integer that is not below x, as a float."""

    vjp = no_gradient


def ceil(x: Any) -> Tensor:
    """Return x rounded up."""
    return Ceil()(x)


class Round(Unary, name="round"):
    """y = x to so many decimals; halves go to the even neighbor."""

    decimals: int = 0
    vjp = no_gradient

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.round(x, self.decimals)


def round(x: Any, decimals: int = 0) -> Tensor:
    """Return x to so many `decimals`; halves go to the even neighbor."""
    return Round(decimals)(x)


class Trunc(Unary, name="trunc"):
    """y = x without its fraction."""

    vjp = no_gradient

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.trunc(x) if x.dtype.kind in "fV" else x  # V: bfloat16


def trunc(x: Any) -> Tensor:
    """Return x rounded towards 0."""
    return Trunc()(x)


# -- questions -------------------------------------------------------------------------


class Question(Unary):
    """A property of each element."""

    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return as_dtype("bool")


class IsNan(Question, name="isnan"):
    """y = whether x is not a number."""


def isnan(x: Any) -> Tensor:
    """Return where x is not a number."""
    return IsNan()(x)


class IsInf(Question, name="isinf"):
    """y = whether x is infinite."""


def isinf(x: Any) -> Tensor:
    """Return where x is infinite, positive or negative."""
    return IsInf()(x)


class IsFinite(Question, name="isfinite"):
    """y = whether x is a finite number."""


def isfinite(x: Any) -> Tensor:
    """Return where x is neither infinite nor NaN."""
    return IsFinite()(x)

"""Arithmetic of two operands, which broadcast as NumPy's do and meet in one dtype."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.comparison import equal, where
from minikeras.engine.ops.elementwise import (
    Binary,
    exp,
    log,
    numbers_only,
    truth_as_integers,
)
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.spec import Array, Spec

__all__ = [
    "add",
    "add_n",
    "divide",
    "divide_no_nan",
    "floor_divide",
    "logaddexp",
    "mod",
    "multiply",
    "power",
    "squared_difference",
    "subtract",
]


class ExactBinary(Binary):
    """A binary function that shapes are computed with, such as ``shape(x)[0] * 2``."""

    def values(self, x: Spec, y: Spec) -> tuple[int | None, ...] | None:
        if x.value is None or y.value is None or not x.dtype.is_integer:
            return None
        size = max(len(x.value), len(y.value))
        left, right = (v * size if len(v) == 1 else v for v in (x.value, y.value))
        limit = 1 << (8 * x.dtype.size - 1)
        return tuple(
            None
            if a is None or b is None or not _fits(z := self.exact(a, b), limit)
            else z
            for a, b in zip(left, right, strict=True)
        )

    def exact(self, x: int, y: int) -> int | None:
        """Return the result for two integers."""
        raise NotImplementedError


def _fits(z: int | None, limit: int) -> bool:
    """Whether a known result does not overflow; if it does, the run shows how."""
    return z is not None and -limit <= z < limit


class Add(ExactBinary, name="add"):
    """z = x + y."""

    def exact(self, x: int, y: int) -> int:
        return x + y

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(g, y)


def add(x: Any, y: Any) -> Tensor:
    """Return x + y."""
    return Add()(x, y)


class Sub(ExactBinary, name="subtract"):
    """z = x - y."""

    result = numbers_only

    def exact(self, x: int, y: int) -> int:
        return x - y

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(-g, y)


def subtract(x: Any, y: Any) -> Tensor:
    """Return x - y."""
    return Sub()(x, y)


class Mul(ExactBinary, name="multiply"):
    """z = x y."""

    def exact(self, x: int, y: int) -> int:
        return x * y

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g * y, x), sum_like(g * x, y)


def multiply(x: Any, y: Any) -> Tensor:
    """Return x y, elementwise."""
    return Mul()(x, y)


class RealDiv(Binary, name="divide"):
    """z = x / y; integers become floats first."""

    floats = True

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        q = g / y
        return sum_like(q, x), sum_like(-q * z, y)


def divide(x: Any, y: Any) -> Tensor:
    """Return x / y; integers become floats first."""
    return RealDiv()(x, y)


class DivNoNan(Binary, name="divide_no_nan"):
    """z = x / y, but 0 where y is 0; so are its derivatives."""

    floats = True

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        z = xp.divide(x, y)
        return xp.where(y == 0, xp.zeros_like(z), z)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        q = divide_no_nan(g, y)
        return sum_like(q, x), sum_like(-q * z, y)


def divide_no_nan(x: Any, y: Any) -> Tensor:
    """Return x / y, but 0 where y is 0."""
    return DivNoNan()(x, y)


class FloorDiv(ExactBinary, name="floor_divide"):
    """z = floor(x / y): a step function, so its gradient is none."""

    vjp = no_gradient
    meeting_dtype = truth_as_integers

    def exact(self, x: int, y: int) -> int | None:
        return x // y if y else None


def floor_divide(x: Any, y: Any) -> Tensor:
    """Return floor(x / y)."""
    return FloorDiv()(x, y)


class FloorMod(ExactBinary, name="mod"):
    """z = x - y floor(x / y): the sign of y, as in Python."""

    meeting_dtype = truth_as_integers

    def exact(self, x: int, y: int) -> int | None:
        return x % y if y else None

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(-g * floor_divide(x, y), y)


def mod(x: Any, y: Any) -> Tensor:
    """Return the remainder of x / y, with the sign of y."""
    return FloorMod()(x, y)


class Pow(Binary, name="power"):
    """z = x^y, dz/dx = y x^(y-1), dz/dy = z ln x.

    Where ln x does not exist, at x ≤ 0, dz/dy counts as 0, as in TensorFlow. So does
    dz/dx at 0^0, since x^0 is flat.
    """

    meeting_dtype = truth_as_integers

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        base = where(equal(x, 0) & equal(y, 0), 1, x)  # or else 0 times 1/0
        log_x = log(where(x > 0, x, 1))
        return sum_like(g * y * power(base, y - 1), x), sum_like(g * z * log_x, y)


def power(x: Any, y: Any) -> Tensor:
    """Return x^y; the power of integers is an integer."""
    return Pow()(x, y)


class SquaredDifference(Binary, name="squared_difference"):
    """z = (x - y)²."""

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.square(x - y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        slope = g * (2 * (x - y))
        return sum_like(slope, x), sum_like(-slope, y)


def squared_difference(x: Any, y: Any) -> Tensor:
    """Return (x - y)²."""
    return SquaredDifference()(x, y)


class LogAddExp(Binary, name="logaddexp"):
    """z = ln(e^x + e^y), without overflow on the way."""

    floats = True

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g * exp(x - z), x), sum_like(g * exp(y - z), y)


def logaddexp(x: Any, y: Any) -> Tensor:
    """Return ln(e^x + e^y): the sum of two probabilities, given and as logarithms."""
    return LogAddExp()(x, y)


class AddN(Op, name="add_n"):
    """y = the sum of all inputs, which have one shape and dtype."""

    any_rank = True
    promotes = True

    def infer(self, *xs: Spec) -> Spec:
        shape = xs[0].shape
        for x in xs[1:]:
            shape = shapes.merge(shape, x.shape)
        return Spec(shape, xs[0].dtype)

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        total = xs[0]
        for x in xs[1:]:
            total = xp.add(total, x)
        return total

    def vjp(self, g: Tensor, y: Tensor, *xs: Tensor) -> Sequence[Tensor]:
        return (g,) * len(xs)


def add_n(inputs: Sequence[Any]) -> Tensor:
    """Return the sum of all `inputs`, which have one shape."""
    return AddN()(*inputs)

"""Arithmetic of two operands, which broadcast as NumPy's do and meet in one dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.spec import Array, Spec

__all__ = [
    "add",
    "add_n",
    "divide",
    "floor_divide",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "subtract",
]


class Binary(Op):
    """An elementwise function of two operands."""

    promotes = True
    any_rank = True

    def infer(self, x: Spec, y: Spec) -> Spec:
        return Spec(shapes.broadcast(x.shape, y.shape), x.dtype, self.values(x, y))

    def values(self, x: Spec, y: Spec) -> tuple[int | None, ...] | None:
        """Return what is known of an integer result: nothing, unless overridden."""
        return None


class ExactBinary(Binary):
    """A binary function that shapes are computed with, such as ``shape(x)[0] * 2``."""

    def values(self, x: Spec, y: Spec) -> tuple[int | None, ...] | None:
        if x.value is None or y.value is None or not x.dtype.is_integer:
            return None
        size = max(len(x.value), len(y.value))
        left, right = (v * size if len(v) == 1 else v for v in (x.value, y.value))
        return tuple(
            None if a is None or b is None else self.exact(a, b)
            for a, b in zip(left, right, strict=True)
        )

    def exact(self, x: int, y: int) -> int | None:
        """Return the result for two integers."""
        raise NotImplementedError


@dataclass(frozen=True)
class Add(ExactBinary, name="add"):
    """z = x + y."""

    def exact(self, x: int, y: int) -> int:
        return x + y

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.add(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(g, y)


def add(x: Any, y: Any) -> Tensor:
    """Return x + y."""
    return Add()(x, y)


@dataclass(frozen=True)
class Sub(ExactBinary, name="subtract"):
    """z = x - y."""

    def exact(self, x: int, y: int) -> int:
        return x - y

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.subtract(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(-g, y)


def subtract(x: Any, y: Any) -> Tensor:
    """Return x - y."""
    return Sub()(x, y)


@dataclass(frozen=True)
class Mul(ExactBinary, name="multiply"):
    """z = x y."""

    def exact(self, x: int, y: int) -> int:
        return x * y

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.multiply(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g * y, x), sum_like(g * x, y)


def multiply(x: Any, y: Any) -> Tensor:
    """Return x y, elementwise."""
    return Mul()(x, y)


@dataclass(frozen=True)
class RealDiv(Binary, name="divide"):
    """z = x / y; integers become floats first."""

    floats = True

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.divide(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        q = g / y
        return sum_like(q, x), sum_like(-q * z, y)


def divide(x: Any, y: Any) -> Tensor:
    """Return x / y; integers become floats first."""
    return RealDiv()(x, y)


@dataclass(frozen=True)
class FloorDiv(ExactBinary, name="floor_divide"):
    """z = floor(x / y): a step function, so its gradient is none."""

    vjp = no_gradient

    def exact(self, x: int, y: int) -> int | None:
        return x // y if y else None

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.floor_divide(x, y)


def floor_divide(x: Any, y: Any) -> Tensor:
    """Return floor(x / y)."""
    return FloorDiv()(x, y)


@dataclass(frozen=True)
class FloorMod(ExactBinary, name="mod"):
    """z = x - y floor(x / y): the sign of y, as in Python."""

    def exact(self, x: int, y: int) -> int | None:
        return x % y if y else None

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.mod(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(-g * floor_divide(x, y), y)


def mod(x: Any, y: Any) -> Tensor:
    """Return the remainder of x / y, with the sign of y."""
    return FloorMod()(x, y)


@dataclass(frozen=True)
class Maximum(ExactBinary, name="maximum"):
    """z = max(x, y); a tie sends its gradient to x, as in TensorFlow."""

    def exact(self, x: int, y: int) -> int:
        return max(x, y)

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.maximum(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return _split(g, x >= y, x, y)


def maximum(x: Any, y: Any) -> Tensor:
    """Return the larger of x and y, elementwise; NaN if either is."""
    return Maximum()(x, y)


@dataclass(frozen=True)
class Minimum(ExactBinary, name="minimum"):
    """z = min(x, y); a tie sends its gradient to x, as in TensorFlow."""

    def exact(self, x: int, y: int) -> int:
        return min(x, y)

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.minimum(x, y)

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return _split(g, x <= y, x, y)


def minimum(x: Any, y: Any) -> Tensor:
    """Return the smaller of x and y, elementwise; NaN if either is."""
    return Minimum()(x, y)


def _split(g: Tensor, first: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Send `g` to x where `first` holds, to y elsewhere."""
    zero = g * 0
    return sum_like(where(first, g, zero), x), sum_like(where(first, zero, g), y)


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Power(Binary, name="power"):
    """z = x^y."""

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.power(x, y)

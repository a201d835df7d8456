"""Circular and hyperbolic functions; angles are in radians."""

from __future__ import annotations

from typing import Any

from minikeras.engine.graph import Tensor
from minikeras.engine.ops.elementwise import Binary, FloatUnary, rsqrt
from minikeras.engine.ops.reduction import sum_like

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "hypot",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


class Sin(FloatUnary, name="sin"):
    """y = sin x, dy/dx = cos x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * cos(x),)


def sin(x: Any) -> Tensor:
    """Return the sine of x."""
    return Sin()(x)


class Cos(FloatUnary, name="cos"):
    """y = cos x, dy/dx = -sin x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-g * sin(x),)


def cos(x: Any) -> Tensor:
    """Return the cosine of x."""
    return Cos()(x)


class Tan(FloatUnary, name="tan"):
    """y = tan x, dy/dx = 1 + y²."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * (1 + y * y),)


def tan(x: Any) -> Tensor:
    """Return the tangent of x."""
    return Tan()(x)


class Asin(FloatUnary, name="arcsin"):
    """y = arcsin x, dy/dx = 1 / √(1 - x²)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * rsqrt(1 - x * x),)


def arcsin(x: Any) -> Tensor:
    """Return the angle from -π/2 to π/2 whose sine is x."""
    return Asin()(x)


class Acos(FloatUnary, name="arccos"):
    """y = arccos x, dy/dx = -1 / √(1 - x²)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-g * rsqrt(1 - x * x),)


def arccos(x: Any) -> Tensor:
    """Return the angle from 0 to π whose cosine is x."""
    return Acos()(x)


class Atan(FloatUnary, name="arctan"):
    """y = arctan x, dy/dx = 1 / (1 + x²)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (1 + x * x),)


def arctan(x: Any) -> Tensor:
    """Return the angle from -π/2 to π/2 whose tangent is x."""
    return Atan()(x)


class Sinh(FloatUnary, name="sinh"):
    """y = sinh x, dy/dx = cosh x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * cosh(x),)


def sinh(x: Any) -> Tensor:
    """Return the hyperbolic sine of x."""
    return Sinh()(x)


class Cosh(FloatUnary, name="cosh"):
    """y = cosh x, dy/dx = sinh x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * sinh(x),)


def cosh(x: Any) -> Tensor:
    """Return the hyperbolic cosine of x."""
    return Cosh()(x)


class Tanh(FloatUnary, name="tanh"):
    """y = tanh x, dy/dx = 1 - y²."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * (1 - y * y),)


def tanh(x: Any) -> Tensor:
    """Return the hyperbolic tangent of x."""
    return Tanh()(x)


class Asinh(FloatUnary, name="arcsinh"):
    """y = arcsinh x, dy/dx = 1 / √(x² + 1)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * rsqrt(x * x + 1),)


def arcsinh(x: Any) -> Tensor:
    """Return the number whose hyperbolic sine is x."""
    return Asinh()(x)


class Acosh(FloatUnary, name="arccosh"):
    """y = arccosh x, dy/dx = 1 / √(x² - 1)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * rsqrt(x * x - 1),)


def arccosh(x: Any) -> Tensor:
    """Return the number, 0 or above, whose hyperbolic cosine is x."""
    return Acosh()(x)


class Atanh(FloatUnary, name="arctanh"):
    """y = arctanh x, dy/dx = 1 / (1 - x²)."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (1 - x * x),)


def arctanh(x: Any) -> Tensor:
    """Return the number whose hyperbolic tangent is x."""
    return Atanh()(x)


class Atan2(Binary, name="arctan2"):
    """z = the angle of the point (y, x), dz/dx = y / (x² + y²), dz/dy = -x / (x² + y²).

    The operands are called as elsewhere here: x is the point's height, y its width.
    """

    floats = True

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        share = g / (x * x + y * y)
        return sum_like(share * y, x), sum_like(-share * x, y)


def arctan2(x1: Any, x2: Any) -> Tensor:
    """Return the angle, from -π to π, of the point at width `x2` and height `x1`."""
    return Atan2()(x1, x2)


class Hypot(Binary, name="hypot"):
    """z = √(x² + y²), without overflow on the way."""

    floats = True

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        share = g / z
        return sum_like(share * x, x), sum_like(share * y, y)


def hypot(x1: Any, x2: Any) -> Tensor:
    """Return the hypotenuse of a right triangle with sides `x1` and `x2`."""
    return Hypot()(x1, x2)

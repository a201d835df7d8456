"""Special functions: of the error function's family, and Bessel's.

The derivatives of Bessel functions are those of neighboring orders. So one op for each
kind, with its order as a field, has derivatives of any order, exact at 0, too.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import special
from minikeras.engine.ops.arithmetic import multiply
from minikeras.engine.ops.elementwise import FloatUnary, exp
from minikeras.engine.spec import Array

__all__ = ["cbrt", "erfc", "erfinv", "i0", "sinc"]


class Cbrt(FloatUnary, name="cbrt"):
    """y = x^(1/3), dy/dx = 1 / 3y²."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / (3 * y * y),)


def cbrt(x: Any) -> Tensor:
    """Return the cube root of x, which is negative where x is."""
    return Cbrt()(x)


class Erfc(FloatUnary, name="erfc"):
    """y = 1 - erf x, dy/dx = -2/√π exp(-x²)."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return special.erfc(xp, x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * exp(-x * x) * (-2 / math.sqrt(math.pi)),)


def erfc(x: Any) -> Tensor:
    """Return 1 - erf(x), precise where that is close to 0."""
    return Erfc()(x)


class Erfinv(FloatUnary, name="erfinv"):
    """erf y = x, dy/dx = √π/2 exp(y²)."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return special.erfinv(xp, x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * exp(y * y) * (math.sqrt(math.pi) / 2),)


def erfinv(x: Any) -> Tensor:
    """Return the number whose error function is x, of x from -1 to 1."""
    return Erfinv()(x)


class BesselI(FloatUnary, name="bessel_i"):
    """y = I_n(x), dy/dx = (I_(n-1) + I_(n+1)) / 2, where I_(-1) = I_1."""

    order: int = 0

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return special.bessel_i(xp, x, self.order)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        before, after = (BesselI(abs(self.order + i))(x) for i in (-1, 1))
        return (g * (before + after) / 2,)


def i0(x: Any) -> Tensor:
    """Return the modified Bessel function of the first kind, of order 0."""
    return BesselI()(x)


class SphericalBessel(FloatUnary, name="spherical_bessel"):
    """y = j_n(x), dy/dx = (n j_(n-1) - (n+1) j_(n+1)) / (2n+1)."""

    order: int = 0

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return special.spherical_bessel(xp, x, self.order)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        n = self.order
        slope = -(n + 1) * SphericalBessel(n + 1)(x)
        if n:
            slope = n * SphericalBessel(n - 1)(x) + slope
        return (g * slope / (2 * n + 1),)


def sinc(x: Any) -> Tensor:
    """Return sin(πx) / πx, which is 1 at 0."""
    return SphericalBessel()(multiply(x, math.pi))

"""Division of whole numbers and what it leaves: remainders, common divisors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine.errors import DTypeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import no_gradient
from minikeras.engine.ops.elementwise import Binary, numbers_only, trunc
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.spec import Array

__all__ = ["fmod", "gcd", "lcm"]


class Fmod(Binary, name="fmod"):
    """z = x - y trunc(x / y): the sign of x, as in C."""

    result = numbers_only

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return sum_like(g, x), sum_like(-g * trunc(x / y), y)


def fmod(x1: Any, x2: Any) -> Tensor:
    """Return the remainder of x1 / x2, with the sign of `x1`."""
    return Fmod()(x1, x2)


class _OfIntegers(Binary):
    """A function of integers alone.

    As in Keras, where tensors are floats unless it is said otherwise, this is not
    checked before it is computed.
    """

    vjp = no_gradient

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        if x.dtype.kind not in "iu":
            raise DTypeError(f"{self.name}: integers are wanted; got {x.dtype}")
        return super().kernel(xp, x, y)


class Gcd(_OfIntegers, name="gcd"):
    """z = the greatest integer that divides x and y."""


def gcd(x1: Any, x2: Any) -> Tensor:
    """Return the greatest common divisor of `x1` and `x2`."""
    return Gcd()(x1, x2)


class Lcm(_OfIntegers, name="lcm"):
    """z = the least integer, 0 or above, which both x and y divide."""


def lcm(x1: Any, x2: Any) -> Tensor:
    """Return the least common multiple of `x1` and `x2`."""
    return Lcm()(x1, x2)

"""Complex numbers, and the two real ones of which each is made.

Gradients are those of JAX: that of a real y by ``x = a + ib`` is ``dy/da - i dy/db``,
so that it is multiplied by the derivative of a complex function, never conjugated.
TensorFlow's is the conjugate. By real numbers they are the same.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, dtype_of
from minikeras.engine.errors import DTypeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.comparison import equal
from minikeras.engine.ops.elementwise import Unary, negative
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.ops.state import cast, stop_gradient
from minikeras.engine.ops.trigonometry import arctan2
from minikeras.engine.spec import Array, Spec

__all__ = ["angle", "complex", "imag", "isreal", "real"]


class Complex(Op, name="complex"):
    """z = x + iy."""

    promotes = True
    floats = True
    any_rank = True

    def infer(self, x: Spec, y: Spec) -> Spec:
        if x.dtype.is_complex:
            raise DTypeError(f"complex: the parts must be real; got {x.dtype}")
        return Spec(shapes.broadcast(x.shape, y.shape), x.dtype.complex)

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        shape = xp.broadcast_shapes(x.shape, y.shape)
        z = xp.empty(shape, xp.result_type(x.dtype, "complex64"))
        z.real, z.imag = x, y
        return z

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        to_x, to_y = cast(real(g), x.dtype), cast(negative(imag(g)), y.dtype)
        return sum_like(to_x, x), sum_like(to_y, y)


def complex(real: Any, imag: Any) -> Tensor:
    """Return the complex numbers with these real and imaginary parts."""
    return Complex()(real, imag)


class _PartOf(Unary):
    """One of the two parts of complex numbers."""

    def result(self, dtype: DType) -> DType:
        return dtype.real

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return getattr(x, self.name).copy()


class Real(_PartOf, name="real"):
    """y = Re x."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (cast(g, x.dtype),)


def real(x: Any) -> Tensor:
    """Return the real part of `x`: itself, if it is not complex."""
    x = operand(x)
    return Real()(x) if dtype_of(x).is_complex else x


class Imag(_PartOf, name="imag"):
    """y = Im x = Re -ix."""

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (complex(zeros_like(g), negative(g)),)


def imag(x: Any) -> Tensor:
    """Return the imaginary part of `x`: zeros, if it is not complex."""
    x = operand(x)
    return Imag()(x) if dtype_of(x).is_complex else zeros_like(x)


def angle(x: Any) -> Tensor:
    """Return the angle, from -π to π, of each number in the complex plane.

    That of a real number is 0 or π: a step function, through which no gradient flows.
    """
    x = operand(x)
    if not dtype_of(x).is_complex:
        x = stop_gradient(x)
    return arctan2(imag(x), real(x))


def isreal(x: Any) -> Tensor:
    """Return where the imaginary part of `x` is 0."""
    return equal(imag(x), 0)

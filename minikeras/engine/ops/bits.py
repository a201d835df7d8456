"""Numbers as the computer holds them: signs, neighbors, bytes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import dtypes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.elementwise import Binary, Question
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["nextafter", "signbit", "view"]


class SignBit(Question, name="signbit"):
    """y = whether x has a minus sign; -0.0 has one."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x < 0 if x.dtype.kind in "biu" else xp.signbit(x)


def signbit(x: Any) -> Tensor:
    """Return where x has a minus sign, as -0.0 has."""
    return SignBit()(x)


class NextAfter(Binary, name="nextafter"):
    """z = the number next to x in the direction of y: x, but for its last bit."""

    floats = True

    def vjp(self, g: Tensor, z: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, None]:
        return sum_like(g, x), None


def nextafter(x1: Any, x2: Any) -> Tensor:
    """Return the floating-point number next to `x1` in the direction of `x2`."""
    return NextAfter()(x1, x2)


class Bitcast(Op, name="view"):
    """y has the bytes of x, read as numbers of another dtype along the last axis."""

    dtype: DType
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec(self.resized(x), self.dtype)

    def infer_any_rank(self, x: Spec) -> Spec:
        return Spec(None, self.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        dtype = self.dtype.as_numpy_dtype
        return xp.array(x, order="C").view(dtype)

    def resized(self, x: Spec) -> Shape:
        """Return the shape of the result."""
        old, new = x.dtype.size, self.dtype.size
        if old == new:
            return x.known
        if not x.known:
            raise ShapeError(
                "view: a scalar cannot be read as a dtype of another item size: "
                f"{x.dtype} has {old} bytes, {self.dtype} {new}"
            )
        *others, n = x.known
        if n is not None and n * old % new:
            raise ShapeError(
                f"view: the last axis of shape {x.known} has {n * old} bytes, which is "
                f"not divisible by the {new} of {self.dtype}"
            )
        return (*others, None if n is None else n * old // new)


def view(x: Any, dtype: Any = None) -> Tensor:
    """Return the bytes of `x` read as numbers of another dtype.

    Args:
        x: numbers.
        dtype: of the result, by default that of `x`. If its numbers take more or less
            memory, there are fewer or more of them along the last axis.

    Raises:
        ShapeError: if the last axis does not hold a whole number of them.
    """
    return Bitcast(dtypes.as_dtype(dtype or dtypes.dtype_of(x)))(x)

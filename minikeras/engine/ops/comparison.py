"""Comparing two operands, and choosing between two by a third."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient, promoted
from minikeras.engine.ops.elementwise import Binary
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "less",
    "less_equal",
    "not_equal",
    "where",
]


class Comparison(Binary):
    """A yes or no of two operands: a step function, so its gradient is none."""

    vjp = no_gradient

    def result(self, dtype: DType) -> DType:
        return as_dtype("bool")


class Equal(Comparison, name="equal"):
    """z = whether x = y."""


def equal(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` equals `x2`; NaN equals nothing."""
    return Equal()(x1, x2)


class NotEqual(Comparison, name="not_equal"):
    """z = whether x ≠ y."""


def not_equal(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` differs from `x2`."""
    return NotEqual()(x1, x2)


class Less(Comparison, name="less"):
    """z = whether x < y."""


def less(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` is below `x2`."""
    return Less()(x1, x2)


class LessEqual(Comparison, name="less_equal"):
    """z = whether x ≤ y."""


def less_equal(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` is not above `x2`."""
    return LessEqual()(x1, x2)


class Greater(Comparison, name="greater"):
    """z = whether x > y."""


def greater(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` is above `x2`."""
    return Greater()(x1, x2)


class GreaterEqual(Comparison, name="greater_equal"):
    """z = whether x ≥ y."""


def greater_equal(x1: Any, x2: Any) -> Tensor:
    """Return where `x1` is not below `x2`."""
    return GreaterEqual()(x1, x2)


class IsClose(Comparison, name="isclose"):
    """z = whether |x - y| ≤ atol + rtol |y|."""

    rtol: float = 1e-5
    atol: float = 1e-8
    equal_nan: bool = False

    def kernel(self, xp: ModuleType, x: Array, y: Array) -> Array:
        return xp.isclose(x, y, self.rtol, self.atol, self.equal_nan)


def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Return where `x1` equals `x2` up to ``atol + rtol * |x2|``.

    Args:
        x1: the one number.
        x2: the other, relative to which `rtol` counts.
        rtol: relative tolerance, 0 or above.
        atol: absolute tolerance, 0 or above.
        equal_nan: whether NaN counts as equal to NaN.
    """
    return IsClose(rtol, atol, equal_nan)(x1, x2)


class Select(Op, name="where"):
    """z = x where the condition holds, y elsewhere."""

    any_rank = True

    def infer(self, condition: Spec, x: Spec, y: Spec) -> Spec:
        return Spec(shapes.broadcast(condition.shape, x.shape, y.shape), x.dtype)

    def kernel(self, xp: ModuleType, condition: Array, x: Array, y: Array) -> Array:
        return xp.where(condition, x, y)

    def vjp(
        self, g: Tensor, z: Tensor, condition: Tensor, x: Tensor, y: Tensor
    ) -> tuple[None, Tensor, Tensor]:
        to_x, to_y = where(condition, g, 0), where(condition, 0, g)
        return None, sum_like(to_x, x), sum_like(to_y, y)


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """Return `x1` where `condition` holds and `x2` elsewhere; all three broadcast.

    Both sides are computed everywhere. Where the side that is not chosen has an
    infinite derivative, its gradient is NaN (0 times infinity): choose a harmless
    operand first, as in ``where(x > 0, log(where(x > 0, x, 1)), 0)``.
    """
    dtype = promoted((x1, x2))
    return Select()(cast(condition, "bool"), cast(x1, dtype), cast(x2, dtype))

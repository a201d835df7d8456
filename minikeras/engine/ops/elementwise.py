"""Elementwise functions of one operand."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.spec import Array, Spec

__all__ = ["negative"]


class Unary(Op):
    """An elementwise function of one operand."""

    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, x.dtype)


class FloatUnary(Unary):
    """A unary function of real values: integers become floats first."""

    promotes = True
    floats = True


@dataclass(frozen=True)
class Neg(Unary, name="negative"):
    """y = -x."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.negative(x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (-g,)


def negative(x: Any) -> Tensor:
    """Return -x."""
    return Neg()(x)

"""Products of matrices, and the transposition that their gradients need."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.spec import Array, Spec

__all__ = ["matmul", "swap_last"]


@dataclass(frozen=True)
class MatMul(Op, name="matmul"):
    """c[..., i, k] = sum over j of a[..., i, j] * b[..., j, k]."""

    promotes = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        left, right = a.known, b.known
        if len(left) < 2 or len(right) < 2:
            raise ShapeError(
                "matmul: both operands need two axes or more; got shapes "
                f"{shapes.show(left)} and {shapes.show(right)}"
            )
        if not shapes.compatible(left[-1], right[-2]):
            raise ShapeError(
                f"matmul: inner sizes differ, {left[-1]} against {right[-2]}; the "
                f"shapes are {shapes.show(left)} and {shapes.show(right)}"
            )
        batch = shapes.broadcast(left[:-2], right[:-2])
        return Spec((*(batch or ()), left[-2], right[-1]), a.dtype)

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        return xp.matmul(a, b)

    def vjp(self, g: Tensor, c: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        # dL/da = g bT, dL/db = aT g; batch axes that were broadcast are summed back.
        return sum_like(g @ swap_last(b), a), sum_like(swap_last(a) @ g, b)


def matmul(a: Any, b: Any) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast."""
    return MatMul()(a, b)


@dataclass(frozen=True)
class SwapLast(Op, name="swap_last"):
    """y[..., j, i] = x[..., i, j]."""

    def infer(self, x: Spec) -> Spec:
        return Spec((*x.known[:-2], x.known[-1], x.known[-2]), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x.swapaxes(-1, -2)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (swap_last(g),)


def swap_last(x: Tensor) -> Tensor:
    """Return `x` with its last two axes exchanged."""
    return SwapLast()(x)

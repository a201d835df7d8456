"""Tensors made of one value or a sequence: zeros, ones, fill, range, eye."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.spec import Array, Spec

__all__ = ["ones_like", "zeros_like"]


class FilledLike(Op):
    """A constant of the shape and dtype of x."""

    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, x.dtype)


@dataclass(frozen=True)
class OnesLike(FilledLike, name="ones_like"):
    """y = 1 everywhere."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.ones_like(x)


def ones_like(x: Any) -> Tensor:
    """Return ones of the shape and dtype of `x`."""
    return OnesLike()(x)


@dataclass(frozen=True)
class ZerosLike(FilledLike, name="zeros_like"):
    """y = 0 everywhere."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.zeros_like(x)


def zeros_like(x: Any) -> Tensor:
    """Return zeros of the shape and dtype of `x`."""
    return ZerosLike()(x)

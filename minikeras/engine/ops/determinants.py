"""Determinants, and their logarithms, which do not overflow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine.dtypes import DType
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.matrices import MatrixFunction, Size, swapped
from minikeras.engine.ops.reduction import sum
from minikeras.engine.ops.reshaping import expand_dims
from minikeras.engine.ops.solving import inv
from minikeras.engine.spec import Array, Spec

__all__ = ["det", "logdet", "slogdet"]


def _scaled(factors: Tensor, matrices: Tensor) -> Tensor:
    return expand_dims(factors, (-2, -1)) * matrices


class Det(MatrixFunction, name="det"):
    """y = det x."""

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.linalg.det(x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (_scaled(g, Cofactors()(x)),)


class Cofactors(MatrixFunction, name="cofactors"):
    """y = d det x / dx, which is det(x) x⁻T where x has an inverse.

    From x = u s vT follows det(u) det(v) u c vT: c has the products of all singular
    values but one, and they need no division, so that any x will do.
    """

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((rows, columns), dtype)]

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        u, s, vt = xp.linalg.svd(x)
        own = xp.eye(s.shape[-1], dtype=bool)
        others = xp.where(own, s.dtype.type(1), s[..., None, :]).prod(-1)
        sign = xp.linalg.det(u) * xp.linalg.det(vt)
        return (u * (sign[..., None] * others)[..., None, :]) @ vt

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        inverse = inv(x)
        along = _scaled(sum(g * y, (-2, -1)), swapped(inverse))
        return (along - y @ swapped(inverse @ g),)


def det(x: Any) -> Tensor:
    """Return the determinants of square matrices.

    Raises:
        ShapeError: if they are not square.
    """
    return Det()(x)


class SlogDet(MatrixFunction, name="slogdet"):
    """sign, y, where det x = sign e^y."""

    square = True

    def core(self, rows: Size, columns: Size, dtype: DType) -> list[Spec]:
        return [Spec((), dtype)] * 2

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array]:
        sign, y = xp.linalg.slogdet(x)
        return sign, y

    def vjp(self, g: Any, y: Any, x: Tensor) -> tuple[Tensor | None]:
        return (None if g[1] is None else _scaled(g[1], swapped(inv(x))),)


def slogdet(x: Any) -> tuple[Tensor, Tensor]:
    """Return the signs of determinants and the logarithms of their sizes.

    Raises:
        ShapeError: if the matrices are not square.
    """
    return SlogDet()(x)


def logdet(x: Any) -> Tensor:
    """Return the logarithms of the sizes of determinants."""
    return slogdet(x)[1]

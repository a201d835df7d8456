"""Tensors to start from: placeholders, constants, zeros, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.backend.config import floatx
from minikeras.backend.introspection import standardize_dtype
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import arange, linspace
from minikeras.engine.shapes import Shape

__all__ = [
    "arange",
    "constant",
    "empty",
    "eye",
    "full",
    "full_like",
    "identity",
    "linspace",
    "ones",
    "ones_like",
    "placeholder",
    "zeros",
    "zeros_like",
]


def placeholder(
    shape: Shape | None = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return a tensor whose value a function's caller supplies.

    Args:
        shape: its sizes, None for one that may vary.
        ndim: number of axes, in place of `shape`: all sizes may vary.
        dtype: floatx by default.
        sparse: accepted; there are no sparse tensors here.
        name: of the node.

    Example:
        >>> placeholder(shape=(2, None)).shape, placeholder(ndim=2).shape
        ((2, None), (None, None))
    """
    if shape is None and ndim is not None:
        shape = (None,) * ndim
    return engine.placeholder(dtype or floatx(), shape, name or "Placeholder")


def constant(
    value: Any,
    dtype: Any = None,
    shape: Sequence[int] | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a tensor that always has this `value`: lazy, like a placeholder.

    Args:
        value: a number, nested lists of numbers, or an array.
        dtype: floatx by default.
        shape: to which `value` is reshaped, or filled if it is a number.
        name: of the node.
    """
    return engine.constant(value, dtype or floatx(), shape, name or "Const")


def identity(x: Any, name: str | None = None) -> Tensor:
    """Return a tensor of the same value: a node of its own."""
    return engine.identity(x)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros, floatx by default.

    Args:
        shape: sizes, which may be tensors.
        dtype: floatx by default.
        name: accepted. Keras 2 made a variable here; wrap the result in `variable`
            where one is needed.
    """
    return engine.zeros(shape, standardize_dtype(dtype))


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones; see `zeros`."""
    return engine.ones(shape, standardize_dtype(dtype))


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Return an array whose contents do not matter; they are zeros."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return an array of `shape` with `fill_value` everywhere, floatx by default."""
    return engine.full(shape, fill_value, standardize_dtype(dtype))


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros of the shape of `x`, and of its dtype by default."""
    return engine.zeros_like(x, dtype)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones of the shape of `x`, and of its dtype by default."""
    return engine.ones_like(x, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return `fill_value` in the shape of `x`, and in its dtype by default."""
    return engine.full_like(x, fill_value, dtype)


def eye(size: int, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return the identity matrix of `size` rows, floatx by default.

    Example:
        >>> eye(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return engine.eye(size, dtype=standardize_dtype(dtype))

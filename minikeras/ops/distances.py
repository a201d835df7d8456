"""Lengths of vectors, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager
from minikeras.ops.linalg import norm

__all__ = [
    "cdist",
    "normalize",
]

Axes = int | Sequence[int] | None


@eager
def normalize(
    x: Any, axis: Axes = -1, order: int = 2, epsilon: float | None = None
) -> Any:
    """Return `x` divided by its norm over `axis`, by `epsilon` at least.

    Raises:
        ValueError: if `order` is not a positive integer.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(
            f"Argument `order` must be an int >= 1. Received: order={order}"
        )
    least = K.epsilon() if epsilon is None else epsilon
    if order == 2:
        return engine.l2_normalize(x, axis, least**2)
    return K.divide(x, K.maximum(norm(x, order, axis, keepdims=True), least))


@eager
def cdist(x: Any, y: Any) -> Any:
    """Return the distance between each row of `x` and each of `y`.

    Shapes:
        x: (..., n, channels)
        y: (..., m, channels)
        returns: (..., n, m)
    """
    apart = K.subtract(K.expand_dims(x, -2), K.expand_dims(y, -3))
    return norm(apart, axis=-1)

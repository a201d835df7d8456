"""Activation functions: applied to each element, with or without parameters."""

from __future__ import annotations

from typing import Any

from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    elu,
    gelu,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
)

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
]


def relu(
    x: Any, alpha: Any = 0.0, max_value: float | None = None, threshold: Any = 0.0
) -> Tensor:
    """Return `x` above the threshold, ``alpha * (x - threshold)`` below it.

    Args:
        x: the input.
        alpha: slope below the threshold.
        max_value: upper bound of the result; None for no bound.
        threshold: where the slope becomes 1.

    Example:
        >>> relu(np.array([-1.0, 0.5, 8.0]), alpha=0.5, max_value=6.0)
        array([-0.5,  0.5,  6. ])
    """
    if threshold == 0:
        y = engine.relu(x) if alpha == 0 else engine.leaky_relu(x, alpha)
    else:
        below = engine.multiply(alpha, engine.subtract(x, threshold))
        y = engine.where(engine.greater(x, threshold), x, below)
    return y if max_value is None else engine.minimum(y, max_value)


# -- smooth ----------------------------------------------------------------------------


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return `x` where it is positive, else ``alpha * (exp(x / alpha) - 1)``.

    Source: Barron 2017, arXiv:1704.07483.
    """
    below = engine.expm1(engine.divide(engine.minimum(x, 0), alpha))
    return engine.add(engine.maximum(x, 0), engine.multiply(alpha, below))


def glu(x: Any, axis: int = -1) -> Tensor:
    """Return the first half of `x` along `axis`, times the sigmoid of the second.

    Source: Dauphin et al. 2017, arXiv:1612.08083.
    """
    a, b = engine.split(x, 2, axis)
    return engine.multiply(a, engine.sigmoid(b))


def squareplus(x: Any, b: float = 4) -> Tensor:
    """Return ``(x + sqrt(x² + b)) / 2``, a smooth relu without exponentials.

    Source: Barron 2021, arXiv:2112.11687.
    """
    root = engine.sqrt(engine.add(engine.square(x), b))
    return engine.divide(engine.add(x, root), 2)


def tanh_shrink(x: Any) -> Tensor:
    """Return ``x - tanh(x)``."""
    return engine.subtract(x, engine.tanh(x))


# -- piecewise -------------------------------------------------------------------------


def threshold(x: Any, threshold: Any, default_value: Any) -> Tensor:
    """Return `x` where it is above the threshold, else `default_value`."""
    return engine.where(engine.greater(x, threshold), x, default_value)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Return `x` where it is further from 0 than the threshold, else 0."""
    return engine.where(engine.greater(engine.absolute(x), threshold), x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Return `x` moved towards 0 by the threshold, and 0 what is nearer than that."""
    return engine.subtract(x, engine.clip(x, -threshold, threshold))


def sparse_plus(x: Any) -> Tensor:
    """Return 0 up to -1, ``(x + 1)² / 4`` from there to 1, and `x` above.

    Source: Martins, Astudillo 2016, arXiv:1602.02068.
    """
    curve = engine.divide(engine.square(engine.add(engine.clip(x, -1, 1), 1)), 4)
    return engine.add(curve, engine.relu(engine.subtract(x, 1)))


def sparse_sigmoid(x: Any) -> Tensor:
    """Return ``(x + 1) / 2``, limited to 0 from below and to 1 from above."""
    return engine.clip(engine.divide(engine.add(x, 1), 2), 0, 1)


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """Return the probabilities nearest to `x`: unlike those of `softmax`, many are 0.

    Source: Martins, Astudillo 2016, arXiv:1602.02068, algorithm 1.
    """
    ordered = engine.negative(engine.sort(engine.negative(x), axis))
    # The k largest are positive in the end; they exceed tau, and add up to 1 + k tau.
    rank = engine.cumsum(engine.ones_like(ordered), axis)
    excess = engine.subtract(engine.cumsum(ordered, axis), 1)
    positive = engine.greater(ordered, engine.divide(excess, rank))
    k = engine.count_nonzero(positive, axis, keepdims=True)
    total = engine.sum(engine.where(positive, ordered, 0), axis, keepdims=True)
    tau = engine.divide(engine.subtract(total, 1), k)
    return engine.relu(engine.subtract(x, tau))

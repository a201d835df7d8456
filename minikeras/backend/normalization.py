"""Normalization: to a mean of 0 and a variance of 1, or to a length of 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import layer_normalization, moments, rms_normalization

__all__ = [
    "batch_normalization",
    "l2_normalize",
    "layer_normalization",
    "moments",
    "normalize_batch_in_training",
    "rms_normalization",
]


def batch_normalization(
    x: Any,
    mean: Any,
    var: Any,
    beta: Any = None,
    gamma: Any = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """Return ``gamma * (x - mean) / sqrt(var + epsilon) + beta``, for each channel.

    Args:
        x: the input.
        mean: of each channel.
        var: variance of each channel.
        beta: offset of each channel; 0 if None.
        gamma: scale of each channel; 1 if None.
        axis: the axis of the channels.
        epsilon: added to the variance.

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167, algorithm 2.
    """
    return engine.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)


def normalize_batch_in_training(
    x: Any,
    gamma: Any,
    beta: Any,
    reduction_axes: Sequence[int],
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return `x` normalized by its own mean and variance, and these two.

    Args:
        x: the input.
        gamma: scale of each channel; 1 if None.
        beta: offset of each channel; 0 if None.
        reduction_axes: all axes but that of the channels.
        epsilon: added to the variance.
    """
    mean, var = engine.moments(x, reduction_axes)
    (axis,) = set(range(len(x.shape))) - {i % len(x.shape) for i in reduction_axes}
    return batch_normalization(x, mean, var, beta, gamma, axis, epsilon), mean, var


def l2_normalize(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """Return `x` divided by its length over `axis`, over all axes if None."""
    return engine.l2_normalize(x, axis)

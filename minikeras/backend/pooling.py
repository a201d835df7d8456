"""Pooling: the maximum or the mean of windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["average_pool", "max_pool", "pool2d", "pool3d"]

Sizes = int | Sequence[int]


def max_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the largest element of each window, channel by channel.

    Args:
        inputs: the images, or signals, or volumes.
        pool_size: the windows' size, along all axes or each.
        strides: elements from one window's start to the next one's; by default the
            windows' size, so that they do not overlap.
        padding: "valid": windows stay inside; "same": a window for every stride.
        data_format: "channels_last" or "channels_first".

    Shapes:
        inputs: (batch, spatial ..., channels), one to three spatial axes
        returns: (batch, windows ..., channels)
    """
    layout = standardize_data_format(data_format)
    return engine.max_pool(inputs, pool_size, strides, padding, layout)


def average_pool(
    inputs: Any,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the mean of each window, channel by channel.

    What lies outside of `inputs` does not count. The arguments are those of `max_pool`.
    """
    layout = standardize_data_format(data_format)
    return engine.average_pool(inputs, pool_size, strides, padding, layout)


def pool2d(
    x: Any,
    pool_size: Sizes,
    strides: Sizes = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return images pooled; unlike elsewhere, windows are 1 apart by default.

    Raises:
        ValueError: if `pool_mode` is neither ``"max"`` nor ``"avg"``.
    """
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(
    x: Any,
    pool_size: Sizes,
    strides: Sizes = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return volumes pooled; see `pool2d`."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode: str) -> Any:
    modes = {"max": max_pool, "avg": average_pool}
    if mode not in modes:
        raise ValueError(f"Invalid pooling mode: {mode}")
    return modes[mode]

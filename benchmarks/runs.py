"""How a side runs: epochs one after the other, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

OnEpoch = Callable[[Sequence], bool]  # takes an epoch's losses; whether to go on
Work = Callable[[int, OnEpoch], None]  # takes the steps of an epoch, and the above


def repeat(epoch: Callable[[int], Sequence]) -> Work:
    """Repeat a function from a number of steps to their losses."""

    def work(steps: int, on_epoch: OnEpoch) -> None:
        while on_epoch(epoch(steps)):
            pass

    return work


def calls(predict: Callable[[], np.ndarray]) -> Work:
    """Repeat a prediction; the mean of the last one stands for a loss."""
    return repeat(lambda steps: [[predict() for _ in range(steps)][-1].mean()])

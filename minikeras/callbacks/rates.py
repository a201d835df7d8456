"""The learning rate as epochs go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import say

__all__ = ["LearningRateScheduler"]


def learning_rates(model: Any) -> Logs:
    """Return the model's learning rate as logs.

    Raises:
        ValueError: if its optimizer has none that is a number.
    """
    try:
        return {"learning_rate": float(model.optimizer.learning_rate)}
    except (AttributeError, TypeError):
        raise ValueError('Optimizer must have a "learning_rate" attribute.') from None


def set_learning_rate(model: Any, rate: float) -> None:
    """Set the model's learning rate."""
    model.optimizer.learning_rate = rate


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch.

    Args:
        schedule: from the epoch's number, and the rate so far, to the rate.
        verbose: 1 to say what it sets.

    Raises:
        ValueError: in training, if `schedule` returns something else than a float.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        old = learning_rates(self.model)["learning_rate"]
        try:
            rate: Any = self.schedule(epoch, old)
        except TypeError:  # a function of the epoch alone
            rate = self.schedule(epoch)
        rate = rate.item() if hasattr(rate, "item") else rate
        if not isinstance(rate, float):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            )
        set_learning_rate(self.model, rate)
        if self.verbose:
            say(
                f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to "
                f"{rate}."
            )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            logs.update(learning_rates(self.model))

"""The learning rate as epochs go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import say

__all__ = ["LearningRateScheduler"]


def rated(model: Any) -> list[tuple[str, Any]]:
    """Return what of a model has a learning rate, with the name of each.

    That is its optimizer, without a name, or the several that are in it.
    """
    several = getattr(model.optimizer, "optimizers", None)
    return [(o.name, o) for o in several] if several else [("", model.optimizer)]


def rate_of(optimizer: Any) -> float:
    """Return an optimizer's learning rate.

    Raises:
        ValueError: if it has none that is a number.
    """
    try:
        return float(optimizer.learning_rate)
    except (AttributeError, TypeError):
        raise ValueError('Optimizer must have a "learning_rate" attribute.') from None


def learning_rates(model: Any) -> Logs:
    """Return the model's learning rate as logs, or those of its several optimizers."""
    return {
        "_".join(filter(None, ("learning_rate", name))): rate_of(optimizer)
        for name, optimizer in rated(model)
    }


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
        for name, optimizer in rated(self.model):
            optimizer.learning_rate = rate = self._rate(epoch, rate_of(optimizer))
            if self.verbose:
                say(
                    f"\nEpoch {epoch + 1}: LearningRateScheduler setting "
                    f"{name and name + ' '}learning rate to {rate}."
                )

    def _rate(self, epoch: int, old: float) -> float:
        try:
            rate: Any = self.schedule(epoch, old)
        except TypeError:  # a function of the epoch alone
            rate = self.schedule(epoch)
        rate = rate.item() if hasattr(rate, "item") else rate
        if not isinstance(rate, float):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {rate}"
            )
        return rate

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            logs.update(learning_rates(self.model))

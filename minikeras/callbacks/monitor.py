"""Callbacks that watch one value for improvement: stop early, or slow down."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from minikeras import ops
from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import say
from minikeras.callbacks.rates import learning_rates, rate_of, rated

__all__ = ["EarlyStopping", "MonitorCallback", "ReduceLROnPlateau"]

Mode = Literal["auto", "min", "max"]


class MonitorCallback(Callback):
    """Base of callbacks that ask whether a value has improved.

    Args:
        monitor: name of the value in the logs.
        mode: whether ``"min"`` or ``"max"`` is better; ``"auto"`` asks the metric.
        baseline: what the first value must improve on; None if any is an improvement.
        min_delta: a change up to this is none; above or equal to 0.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: Mode = "auto",
        baseline: float | None = None,
        min_delta: float = 0.0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            name = type(self).__name__
            warnings.warn(
                f"{name} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference`, by more than `min_delta`."""
        if reference is None or np.isnan(reference):
            return True
        gain = value - reference if self.direction() == "max" else reference - value
        return gain > self.min_delta

    def direction(self) -> str:
        """Return ``"min"`` or ``"max"``: what is better.

        Raises:
            ValueError: if `mode` is ``"auto"`` and the metric does not say.
        """
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in getattr(self.model, "metrics", ()):
            for part in getattr(metric, "metrics", [metric]):
                direction = getattr(part, "_direction", None)
                if part.name == name and direction:
                    return "max" if direction == "up" else "min"
        raise ValueError(
            f"{type(self).__name__} callback received monitor={self.monitor}, and it "
            "is not known whether that should be maximized or minimized: pass "
            "`mode='max'` or `mode='min'`"
        )

    @property
    def monitor_op(self) -> Any:
        """How a better value compares to another: `ops.less` or `ops.greater`."""
        return ops.greater if self.direction() == "max" else ops.less

    def get_monitor_value(self, logs: Logs) -> float | None:
        """Return the monitored value; warn if it is not there."""
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__}: metric `{self.monitor}` is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
        return logs.get(self.monitor)


class EarlyStopping(MonitorCallback):
    """Stop training when a value has stopped improving.

    Args:
        monitor: name of the value in the logs.
        min_delta: a change up to this is none.
        patience: epochs without improvement after which training stops.
        verbose: 1 to say when it acts.
        mode: whether ``"min"`` or ``"max"`` is better; ``"auto"`` asks the metric.
        baseline: what the value must improve on as well.
        restore_best_weights: whether the model ends with the weights of its best epoch,
            not of its last.
        start_from_epoch: epochs to let pass before watching.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, None, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what earlier trainings have reached."""
        self.best = None
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Stop the training if the value has not improved for too long."""
        value = self.get_monitor_value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.is_improvement(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say that it stopped, and bring the best weights back."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                best = self.best_epoch + 1
                say(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Make the learning rate smaller when a value has stopped improving.

    Args:
        monitor: name of the value in the logs.
        factor: by which the rate is multiplied; below 1.
        patience: epochs without improvement after which that happens.
        verbose: 1 to say when it acts.
        mode: whether ``"min"`` or ``"max"`` is better; ``"auto"`` asks the metric.
        min_delta: a change up to this is none.
        cooldown: epochs to wait after a reduction before watching again.
        min_lr: the smallest rate.

    Raises:
        ValueError: if `factor` is not below 1.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, None, kwargs.pop("epsilon", min_delta))
        if factor >= 1.0:
            raise ValueError(
                "ReduceLROnPlateau does not support a factor >= 1.0. "
                f"Received factor={factor}"
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what earlier trainings have reached."""
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was so recent that the value is not watched."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Reduce the rate if the value has not improved for too long."""
        logs = {} if logs is None else logs
        logs.update(learning_rates(self.model))
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        for name, optimizer in rated(self.model):
            old = rate_of(optimizer)
            new = max(old * self.factor, self.min_lr)
            if new >= old:
                continue
            optimizer.learning_rate = new
            if self.verbose:
                say(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing "
                    f"{name and name + ' '}learning rate to {new}."
                )
            self.cooldown_counter = self.cooldown
            self.wait = 0

"""`History`: what `fit` returns."""

from __future__ import annotations

from typing import Any

from minikeras.callbacks.base import Callback, Logs

__all__ = ["History"]


class History(Callback):
    """The values of loss and metrics, epoch by epoch; `fit` returns one.

    Attributes:
        history: from name to a list of values, one per epoch.
        epoch: the epochs' numbers, from 0.
        params: ``verbose``, ``epochs`` and ``steps`` of `fit`.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.epoch = []
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add an epoch's values."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

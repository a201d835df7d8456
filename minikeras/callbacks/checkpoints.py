"""`ModelCheckpoint`: the model in a file, as it goes, or at its best."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from typing import Any

from minikeras.callbacks.base import Logs
from minikeras.callbacks.console import say
from minikeras.callbacks.frequency import Frequency
from minikeras.callbacks.monitor import Mode, MonitorCallback

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(MonitorCallback):
    """Save the model, or its weights, as training goes on.

    Args:
        filepath: of the file; ``{epoch}``, ``{batch}`` and the names of logs in braces
            stand for their values. It ends in ``.keras`` or ``.h5``, for weights in
            ``.weights.h5``.
        monitor: name of the value in the logs.
        verbose: 1 to say when it acts.
        save_best_only: whether to save only when the value has improved.
        save_weights_only: whether to save the weights alone.
        mode: whether ``"min"`` or ``"max"`` is better; ``"auto"`` asks the metric.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: what the first value must improve on.

    Raises:
        ValueError: if the path has another ending, or `save_freq` is something else.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._frequency = Frequency(save_freq)
        self._current_epoch = 0
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                "When using `save_weights_only=True` in `ModelCheckpoint`, the "
                "filepath provided must end in `.weights.h5` (Keras weights format). "
                f"Received: filepath={self.filepath}"
            )
        if not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(
                "The filepath provided must end in `.keras` (Keras model format). "
                f"Received: filepath={self.filepath}"
            )

    def due(self, batch: int) -> bool:
        """Whether to save after this batch."""
        return self._frequency.is_due(batch)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._current_epoch = epoch
        self._frequency.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after so many batches."""
        if self.due(batch):
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch."""
        if self._frequency.per_epoch:
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        if not self._is_to_be_saved(epoch, logs, path):
            return
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            if self.save_weights_only:
                self.model.save_weights(path, overwrite=True)
            else:
                self.model.save(path, overwrite=True)
        except IsADirectoryError as error:
            raise OSError(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath "
                f"used is an existing directory: {path}"
            ) from error
        self._say(epoch, f"finished saving model to {path}")

    def _is_to_be_saved(self, epoch: int, logs: Logs, path: str) -> bool:
        """Whether the model is better than before, or nobody asks whether it is."""
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available.", stacklevel=2
            )
            return True
        if getattr(value, "ndim", 0):
            warnings.warn(
                "Can save best model only when `monitor` is a scalar value. Received: "
                f"{value}. Falling back to `save_best_only=False`.",
                stacklevel=2,
            )
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.is_improvement(value, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        to = f"{best} to {value:.5f}"
        self._say(epoch, f"{self.monitor} improved from {to}, saving model to {path}")
        self.best = value
        return True

    def _say(self, epoch: int, message: str) -> None:
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: {message}")

    def _path(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> str:
        """Return the path with values in place of names.

        Raises:
            KeyError: if there is no such value.
        """
        values: Logs = {"epoch": epoch + 1}
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return self.filepath.format(**{**values, **logs})
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". '
                f"Reason: {error}"
            ) from error

    def _checkpoint_exists(self, filepath: str) -> bool:
        return os.path.exists(filepath)

    def _get_most_recently_modified_file_matching_pattern(
        self, pattern: str
    ) -> str | None:
        """Return the latest file whose path fits a pattern, the last of equals."""
        folder, name = os.path.split(pattern)
        wanted = re.compile(f"^{re.sub(r'{.*}', r'.*', name)}$")
        if not os.path.isdir(folder):
            return None
        paths = [os.path.join(folder, x) for x in os.listdir(folder) if wanted.match(x)]
        return max(paths, key=lambda p: (os.path.getmtime(p), p), default=None)

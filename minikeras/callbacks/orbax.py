"""`OrbaxCheckpoint`: checkpoints by the library that JAX's users have for them."""

from __future__ import annotations

import os
import warnings
from typing import Any

from minikeras.callbacks.base import Logs
from minikeras.callbacks.frequency import Frequency
from minikeras.callbacks.monitor import Mode, MonitorCallback
from minikeras.saving import orbax

__all__ = ["OrbaxCheckpoint"]


class OrbaxCheckpoint(MonitorCallback):
    """Save the model by Orbax as training goes on, in Keras's layout.

    `load_model` and `load_weights` take the folder. For one machine, `ModelCheckpoint`
    does the same with files that need no further library.

    Args:
        directory: the folder of all checkpoints.
        monitor: name of the value in the logs.
        verbose: accepted.
        save_best_only: whether to save only when the value has improved.
        mode: whether ``"min"`` or ``"max"`` is better; ``"auto"`` asks the metric.
        save_freq: ``"epoch"``, or a number of batches.
        initial_value_threshold: what the first value must improve on.
        max_to_keep: how many checkpoints to keep, the last ones; None for all.
        save_on_background: whether training goes on while one is written.
        save_weights_only: whether to save the weights alone.

    Raises:
        ImportError: if ``orbax-checkpoint`` is not installed.
        ValueError: if `save_freq` is something else.
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: Mode = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        training = orbax.library("OrbaxCheckpoint").training
        super().__init__(monitor, mode, initial_value_threshold)
        self.directory = os.fspath(directory)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._frequency = Frequency(save_freq)
        self._total_batches_seen = 0
        self._async_futures: list[Any] = []
        keep = training.preservation_policies.LatestN
        self.checkpointer = training.Checkpointer(
            directory=os.path.abspath(self.directory),
            preservation_policy=None if max_to_keep is None else keep(max_to_keep),
            save_decision_policy=training.save_decision_policies.FixedIntervalPolicy(1),
        )

    def set_model(self, model: Any) -> None:
        """Count batches on from those that the model has been trained for."""
        super().set_model(model)
        if getattr(model, "optimizer", None) is not None:
            self._total_batches_seen = int(model.optimizer.iterations)

    def is_multihost_enabled(self) -> bool:
        """Whether several machines write together: they do not."""
        return False

    def is_primary_host(self) -> bool:
        """Whether this process is the one that writes: it is."""
        return True

    def due(self, batch: int) -> bool:
        """Whether to save after this batch."""
        return self._frequency.is_due(batch)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Count batches from the first one."""
        self._frequency.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after so many batches."""
        if self.due(batch):
            self._total_batches_seen = int(self.model.optimizer.iterations)
            self._save(self._total_batches_seen, f"batch {batch}", logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch."""
        if self._frequency.per_epoch:
            self._save(epoch, f"epoch {epoch}", logs or {})

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Wait until all is written."""
        self.wait_until_finished()

    def on_exit(self) -> None:
        """Wait until all is written, after an error too."""
        self.wait_until_finished()

    def wait_until_finished(self) -> None:
        """Wait until all is written."""
        while self._async_futures:
            self._async_futures.pop(0).result()

    def _save(self, step: int, when: str, logs: Logs) -> None:
        if self.save_best_only and not self._improves(when, logs):
            return
        content = orbax.payload(self.model, self.save_weights_only)
        if self.save_on_background:
            save = self.checkpointer.save_checkpointables_async
            self._async_futures.append(save(step, content))
        else:
            self.checkpointer.save_checkpointables(step, content)

    def _improves(self, when: str, logs: Logs) -> bool:
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available, skipping "
                f"save at {when}.",
                stacklevel=3,
            )
            return False
        if not self.is_improvement(value, self.best):
            return False
        self.best = value
        return True

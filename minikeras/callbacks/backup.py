"""`BackupAndRestore`: training that was killed goes on as if it had not been."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.frequency import Frequency
from minikeras.data import Position
from minikeras.saving.durable import atomic_write
from minikeras.saving.files import opened_weights, restore_all, save_states
from minikeras.saving.states import Saved, collected

__all__ = ["BackupAndRestore"]

PLACE = "training"  # in the file: what goes beyond weights


class BackupAndRestore(Callback):
    """Back up the state of training, and take it up again after an interruption.

    When `fit` is called anew, with the same arguments, it goes on after the last batch
    that was backed up; losses and weights are, bit for bit, those that training without
    an interruption would have had. For that the backup has the weights and the state
    of the optimizer, and besides epoch and batch, the random generators, the sums in
    metrics, and the position in the data. The order of shuffled arrays is found again;
    a generator starts anew and is read up to the batch; of a `PyDataset`, the methods
    for the begin and the end of epochs are called as often as they were.

    Args:
        backup_dir: a folder for the backup alone.
        save_freq: ``"epoch"``, or a number of batches.
        double_checkpoint: whether to keep the backup before as well, for the case that
            the last one cannot be read.
        delete_checkpoint: whether to remove the folder when training has ended.

    Raises:
        ValueError: if there is no folder, or `save_freq` is something else.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                "Invalid value for argument `save_freq`. Received: "
                f"save_freq={save_freq}. Expected either 'epoch' or an integer value."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._frequency = Frequency(save_freq)
        self._current_epoch = 0
        self._weights_path = os.path.join(self.backup_dir, "latest.weights.h5")
        self._training_metadata_path = os.path.join(
            self.backup_dir, "training_metadata.json"
        )
        self._prev_weights_path = f"{self._weights_path}.bkp"
        self._prev_training_metadata_path = f"{self._training_metadata_path}.bkp"

    # -- when --------------------------------------------------------------------------

    def due(self, batch: int) -> bool:
        """Whether to back up after this batch."""
        return self._frequency.is_due(batch)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up training where a backup left it, if there is one."""
        paths = (self._weights_path, self._prev_weights_path)
        found = [path for path in paths if os.path.exists(path)]
        for path in found:
            try:
                self._restore(path)
            except (OSError, ValueError) as error:
                if path == found[-1]:
                    raise
                warnings.warn(
                    f"The backup before the last is used. {error}", stacklevel=2
                )
            else:
                return

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, and count its batches."""
        self._current_epoch = epoch
        self._frequency.begin_epoch()
        resumed = self.model.resumption
        if resumed is not None and resumed.epoch == epoch and resumed.batch:
            self._frequency.resume(resumed.batch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Back up after so many batches."""
        if self.due(batch):
            self._back_up(self._current_epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Back up after the epoch."""
        self._current_epoch = epoch + 1
        if self._frequency.per_epoch:
            self._back_up(epoch + 1, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup: training has ended."""
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            shutil.rmtree(self.backup_dir)

    # -- what --------------------------------------------------------------------------

    def _back_up(self, epoch: int, batch: int) -> None:
        """Write the state before this batch of this epoch."""
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for path in (self._weights_path, self._training_metadata_path):
                if os.path.exists(path):
                    os.replace(path, f"{path}.bkp")
        position = {
            "epoch": np.asarray(epoch),
            "batch": np.asarray(batch),
        }
        for kind, (rounds, taken, mark) in self.model.positions().items():
            position[kind] = np.asarray([rounds, taken])
            if mark is not None:
                position[f"{kind} mark"] = mark
        state = [variable.numpy() for variable in self._beyond_weights()]
        states = collected(self.model)
        states[PLACE] = Saved(None, position)
        states[f"{PLACE}/state"] = Saved(None, {str(i): v for i, v in enumerate(state)})
        save_states(states, self._weights_path)
        with atomic_write(self._training_metadata_path) as file:
            file.write(json.dumps({"epoch": epoch, "batch": batch}).encode())

    def _beyond_weights(self) -> list[K.Variable]:
        """Return the variables of training that files of weights do not have."""
        weights = set(self.model.weights)
        of_metrics = [v for metric in self.model.metrics for v in metric.variables]
        states = [v for v in self.model.variables if v not in weights]
        generator = K.global_seed_generator().state
        return list(dict.fromkeys([*states, *of_metrics, generator]))

    def _restore(self, path: str) -> None:
        """Give the model the weights of a backup, and let training go on from there."""
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        with closing(opened_weights(path)) as weights:
            position, state = dict(weights.at(PLACE)), weights.at(f"{PLACE}/state")
            values = [state[str(i)] for i in range(len(state))]
            restore_all(self.model, weights)
        self._resume(position, values)

    def _resume(self, position: Mapping[str, Any], state: Sequence[Any]) -> None:
        """Let `fit` begin at a position, and there have a state."""
        if not position:  # written by Keras
            with open(self._training_metadata_path, encoding="utf-8") as file:
                self.model.resume_at(json.load(file)["epoch"])
            return
        pairs = list(zip(self._beyond_weights(), state, strict=True))
        self.model.resume_at(
            int(position["epoch"]),
            int(position["batch"]),
            lambda: K.batch_set_value(pairs),
            {
                kind: _position_in(position, kind)
                for kind in ("train", "test")
                if kind in position
            },
        )


def _position_in(saved: Mapping[str, Any], kind: str) -> Position:
    """Return the position in data of a kind that was saved."""
    rounds, taken = saved[kind].tolist()
    return Position(rounds, taken, saved.get(f"{kind} mark"))

"""What a run of training did, bit for bit: its fingerprint, and a record of its steps.

Tensors are known by short hashes of their bytes. Two runs do the same if they have the
same hashes at every step, and where they part is the first step with another one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from minikeras import backend as K
from minikeras.callbacks.base import Callback, Logs

__all__ = ["RunRecorder", "fingerprint_of", "read_run"]

FORMAT = 1  # of the file


def state_of(model: Any) -> list[Any]:
    """Return all variables that training goes on from: the model's, the optimizer's."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer else ())]


def digests(variables: Iterable[Any]) -> list[str]:
    """Return a hash of each variable: of its dtype, its shape and its bytes."""
    return [_digest(value) for value in K.batch_get_value(list(variables))]


def _digest(value: Any) -> str:
    array = K.convert_to_numpy(value)
    found = hashlib.blake2b(f"{array.dtype} {array.shape}".encode(), digest_size=8)
    found.update(array.tobytes())
    return found.hexdigest()


def fingerprint_of(history: dict[str, list[Any]], model: Any) -> str:
    """Return the hash of the values of a history, and of a model's state."""
    values = {name: [*map(_number, column)] for name, column in history.items()}
    text = json.dumps([sorted(values.items()), digests(state_of(model))])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _number(value: Any) -> Any:
    """Return a value of logs for JSON, which keeps all bits of a number."""
    return K.convert_to_numpy(value).tolist()


class RunRecorder(Callback):
    """Write what each step of training did to a file, for ``minikeras diff``.

    A line in JSON for each step holds the values of loss and metrics and a hash of each
    tensor that training goes on from: weights, the state of random layers and of the
    optimizer. So ``minikeras diff RUN1 RUN2`` can name the first step and the first
    tensor in which two runs differ. A step takes longer by the time to hash them all,
    about a second for each gigabyte.

    Args:
        filepath: of the file, which is replaced.
        every: record every so many steps; the last one of an epoch always.

    Example:
        >>> recorder = RunRecorder("run.jsonl", every=100)

    Raises:
        ValueError: if `every` is less than 1.
    """

    def __init__(self, filepath: str | os.PathLike[str], every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"`every` must be 1 or more. Received: every={every}")
        self.filepath = Path(filepath)
        self.every = every
        self._file: IO[str] | None = None
        self._step = self._epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write of which tensors, and what they are before the first step."""
        self.on_exit()
        self._file = self.filepath.open("w", encoding="utf-8")
        self._step = 0
        tensors = [
            {"name": x.path, "shape": [*x.shape], "dtype": str(x.dtype)}
            for x in self._state()
        ]
        self._write({"minikeras_run": FORMAT, "tensors": tensors})
        self._record("start", 0, None)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch's number."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Record a step, if its turn has come."""
        self._step += 1
        if self._step % self.every == 0:
            self._record("step", batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record what the epoch ended with, validation included."""
        self._record("epoch", None, logs)

    def on_exit(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _state(self) -> list[Any]:
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        return state_of(self.model)

    def _record(self, kind: str, batch: int | None, logs: Logs | None) -> None:
        self._write(
            {
                "kind": kind,
                "step": self._step,
                "epoch": self._epoch,
                "batch": batch,
                "logs": {name: _number(x) for name, x in (logs or {}).items()},
                "hashes": digests(state_of(self.model)),
            }
        )

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def read_run(path: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return of a file of `RunRecorder` its tensors and its records.

    A line that was cut short at the end is left out.

    Raises:
        ValueError: if it is not such a file.
    """
    lines: list[Any] = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                lines.append(json.loads(text))
            except ValueError:
                break
    head = lines[0] if lines else None
    if not isinstance(head, dict) or head.get("minikeras_run") != FORMAT:
        raise ValueError(
            f"{path} is not the record of a run: "
            "`fit(callbacks=[keras.callbacks.RunRecorder(path)])` writes one"
        )
    return head["tensors"], lines[1:]

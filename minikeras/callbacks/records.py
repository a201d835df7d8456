"""Callbacks that keep watch and keep books: stop at NaN, write a table."""

from __future__ import annotations

import csv
import io
import math
import os
from pathlib import Path
from typing import IO, Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import say

__all__ = ["CSVLogger", "TerminateOnNaN"]

_BLOCK = 1 << 16  # bytes read at a time


class TerminateOnNaN(Callback):
    """Stop training when the loss is NaN or infinite.

    Args:
        raise_error: whether to raise an error, in place of ending training in order.

    Raises:
        RuntimeError: in training, if asked to.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss so far."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class CSVLogger(Callback):
    """Write each epoch's values as a row of a CSV file.

    A row is written in one piece. Of a process that was killed even so while it wrote,
    or that ran out of space, half a row may be left: whoever continues the file drops
    it first.

    Args:
        filename: of the file.
        separator: between values.
        append: whether to continue a file that exists, rather than to replace it.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        separator: str = ",",
        append: bool = False,
    ) -> None:
        self.filename = Path(filename)
        self.sep = separator
        self.append = append
        self._file: IO[str] | None = None
        self._names: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self.on_exit()
        mode = "a" if self.append else "w"
        if self.append and self.filename.exists():
            _drop_half_a_row(self.filename)
        self._file = self.filename.open(mode, encoding="utf-8", newline="")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a row, and the header before the first one."""
        logs = logs or {}
        if self._file is None:
            return
        if not self._names:
            names = sorted(logs)
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]  # of later epochs, it may be
            self._names = ["epoch", *names]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._names, "NA", "ignore", delimiter=self.sep)
        if not self._file.tell():
            writer.writeheader()
        writer.writerow({"epoch": epoch, **{k: _cell(v) for k, v in logs.items()}})
        self._file.write(text.getvalue())
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self.on_exit()

    def on_exit(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._names = None, []


def _drop_half_a_row(path: Path) -> None:
    """Cut a file after its last whole line."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK)
            file.seek(start)
            whole = file.read(end - start).rfind(b"\n") + 1
            end = start + whole
            if whole:
                break
        file.truncate(end)


def _cell(value: Any) -> Any:
    """Return a value as it is written: several numbers in brackets."""
    if getattr(value, "ndim", 0) or isinstance(value, (list, tuple)):
        return f'"[{", ".join(map(str, value))}]"'
    return value

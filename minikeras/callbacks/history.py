"""`History`: what `fit` returns."""

from __future__ import annotations

from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.recorder import fingerprint_of

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
        self._fingerprint: str | None = None
        self._last_step: int | None = None

    @property
    def fingerprint(self) -> str:
        """The hash of a run: 32 hexadecimal digits, equal if it did the same.

        It is taken of all bits of the values in `history`, of the model's weights, and
        of the state of its random layers and its optimizer: whatever a batch did
        differently is in these. Names do not count. After
        ``keras.utils.set_random_seed(1)`` the same program has the same fingerprint
        again, on the same machine with the same libraries.

        It is computed when it is first asked for, of the model as it is then, so that
        `fit` does not take longer. `RunRecorder` keeps more: where two runs part.

        Raises:
            RuntimeError: if the model has been trained on since.
        """
        if self._fingerprint is None:
            if self.model is None or self._last_step != _steps(self.model):
                raise RuntimeError(
                    "`fingerprint` is of the model as it was after `fit`, and this one "
                    "has been trained since, or never. Ask for it before training on."
                )
            self._fingerprint = fingerprint_of(self.history, self.model)
        return self._fingerprint

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew."""
        self.epoch = []
        self._fingerprint = self._last_step = None
        self.model.history = self

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add an epoch's values."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Note how many steps there have been."""
        self._last_step = _steps(self.model)


def _steps(model: Any) -> int | None:
    """Return how many steps a model's optimizer has taken."""
    optimizer = getattr(model, "optimizer", None)
    return None if optimizer is None else int(optimizer.iterations)

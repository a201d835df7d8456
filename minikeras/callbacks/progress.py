"""What `fit`, `evaluate` and `predict` print: a bar, or one line at the end."""

from __future__ import annotations

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import is_interactive, say
from minikeras.callbacks.progbar import Progbar

__all__ = ["ProgbarLogger"]

INTERVAL = 0.05  # seconds between two drawings


class ProgbarLogger(Callback):
    """Print progress in Keras's form.

    As its parameter ``verbose`` says: 1 for a bar that is redrawn, 2 for one line an
    epoch, 0 for nothing; ``"auto"`` means 1 on a terminal or in a notebook, else 2.
    """

    def __init__(self) -> None:
        self.verbose: int = 1
        self.epochs: int = 1
        self.target: int | None = None
        self._in_fit = False
        self._silent = False  # during validation
        self._begin()

    def set_params(self, params: Logs) -> None:
        """Take ``verbose``, ``epochs`` and ``steps``."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        if verbose == "auto":
            verbose = 1 if is_interactive() else 2
        self.verbose = int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def due(self, batch: int) -> bool:
        """Whether the bar is to be redrawn after this batch, which is not the last."""
        if self._silent or self.verbose == 0:
            return False
        return self.progress.due(batch + 1)

    # -- hooks -------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Be silent about validation."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Speak about evaluation again."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Print which epoch begins."""
        self._begin()
        if self.verbose and self.epochs > 1:
            say(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Redraw the bar."""
        self.progress.draw(logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Print the epoch's values."""
        self._finish(logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._silent = self._in_fit
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Redraw the bar."""
        self.progress.draw(logs or {})

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Print the values."""
        if not self._silent:
            self._finish(logs or {})
        self._silent = False

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Redraw the bar."""
        self.progress.draw({})

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Print the time it took."""
        self._finish({})

    def on_exit(self) -> None:
        """End the line, if an error interrupted it."""
        self.progress.close()

    def _begin(self) -> None:
        self.progress = Progbar(self.target, verbose=self.verbose, interval=INTERVAL)

    def _finish(self, logs: Logs) -> None:
        """Print the last line; now the number of steps is known."""
        self.progress.finish(logs)
        self.target = self.progress.target

"""What `fit`, `evaluate` and `predict` print: a bar, or one line at the end."""

from __future__ import annotations

import importlib
import time
from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.console import is_interactive, say

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
        self._bar: Any = None
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
        now = time.perf_counter()
        self.seen = min(batch + 1, self.target or batch + 1)
        self._first = self._first or (now, self.seen)
        late = now - self._drawn >= INTERVAL
        return late and self.verbose == 1 and self.seen != self.target

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
        self._draw(logs or {})

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
        self._draw(logs or {})

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
        self._draw({})

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Print the time it took."""
        self._finish({})

    def on_exit(self) -> None:
        """End the line, if an error interrupted it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    # -- drawing -----------------------------------------------------------------------

    def _begin(self) -> None:
        self.seen = 0
        self._start = time.perf_counter()
        self._drawn = 0.0
        self._first: tuple[float, int] | None = None

    def _draw(self, logs: Logs) -> None:
        """Redraw the bar in the middle of an epoch, with the time left."""
        self._drawn = now = time.perf_counter()
        pace = self._seconds_per_step(now)
        taken = _whole(now - self._start)
        left = duration(pace * (self.target - self.seen)) if self.target else taken
        self._show(f" {left} {per_step(pace)}{values(logs)}")
        self._bar.refresh()

    def _show(self, rest: str) -> None:
        if self._bar is None:
            bars = importlib.import_module("minikeras.callbacks.bar")
            self._bar = bars.Bar()
        self._bar.show(self.seen, self.target, self._count(), rest)

    def _finish(self, logs: Logs) -> None:
        """Print the last line, with the time it took."""
        if not self.verbose:
            return
        now = time.perf_counter()
        self.seen = self.target = self.target or self.seen
        taken = _whole(now - self._start)
        rest = f"{per_step(self._seconds_per_step(now))}{values(logs)}"
        if self.verbose == 1:
            self._show(f" {taken} {rest}")
            self._bar.ncols = None  # the whole line, however wide the terminal is
            self.on_exit()
        else:
            say(f"{self._count()} - {taken} - {rest}")

    def _count(self) -> str:
        if self.target is None:
            return f"{self.seen:7d}/Unknown"
        return f"{self.seen:{len(str(self.target))}d}/{self.target}"

    def _seconds_per_step(self, now: float) -> float:
        """Return the mean time of a step, the first one, which compiles, aside."""
        since, done = self._first or (self._start, 0)
        if self.seen == done:
            since, done = self._start, 0
        return (now - since) / (self.seen - done) if self.seen > done else 0.0


def _whole(seconds: float) -> str:
    return f"{seconds:.0f}s"


def duration(seconds: float) -> str:
    """Return a time as ``59s``, ``1:00`` or ``1:00:00``.

    Example:
        >>> duration(5.9), duration(75.0), duration(3675.0)
        ('5s', '1:15', '1:01:15')
    """
    if seconds <= 60:
        return f"{int(seconds)}s"
    minutes, left = divmod(int(seconds), 60)
    if seconds <= 3600:
        return f"{minutes}:{left:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{left:02d}"


def per_step(seconds: float) -> str:
    """Return a step's time in the unit that suits it.

    Example:
        >>> per_step(2.0), per_step(0.004), per_step(0.00005)
        ('2s/step', '4ms/step', '50us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def values(logs: Logs) -> str:
    """Return logs as they are printed: four decimals, or an exponent for small numbers.

    Example:
        >>> values({"loss": 0.25, "mae": 0.0002})
        ' - loss: 0.2500 - mae: 2.0000e-04'
    """
    return "".join(f" - {name}: {_shown(value)}" for name, value in logs.items())


def _shown(value: Any) -> str:
    number = value if isinstance(value, (int, float)) else value.mean()
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"

"""`Progbar`: how far a loop is, how fast it goes, and how it does, on one line."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minikeras.backend import is_interactive_logging_enabled
from minikeras.callbacks.console import say

__all__ = ["Progbar"]


class Progbar:
    """A progress bar that is redrawn, or one line at the end.

    Args:
        target: how many steps there are, None if that is not known.
        width: of the bar, in characters.
        verbose: 1 for a bar, 2 for one line at the end, 0 for nothing.
        interval: seconds between two drawings.
        stateful_metrics: names of the values that are shown as they are, the others
            being averaged over steps.
        stateless_metrics: the other way round: names of those that are averaged.
        unit_name: what a step is called.

    Raises:
        ValueError: if both kinds of metrics are named.

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.update(1, [("loss", 3.0)])
        >>> bar.update(2, [("loss", 1.0)])
        2/2 - 0s - ...s/step - loss: 1.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be "
                "provided: the values that are not named are of the other kind."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._named = set(stateful_metrics or stateless_metrics or ())
        self._averages_named = stateless_metrics is not None
        self._sums: dict[str, tuple[Any, float]] = {}  # of values, and their weights
        self._bar: Any = None
        self.seen = 0
        self._start = time.perf_counter()
        self._drawn = 0.0
        self._first: tuple[float, int] | None = None

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Say that `current` steps are done.

        Args:
            current: number of steps.
            values: pairs of a name and the value of the last step.
            finalize: whether this is the end; by default if the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._add(name, value, 0 if finalize else max(current - self.seen, 1))
        due = self.due(current)
        if finalize:
            self.finish(self._means())
        elif due:
            self.draw(self._means())

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Say that `n` more steps are done."""
        self.update(self.seen + n, values)

    def _add(self, name: str, value: Any, steps: int) -> None:
        mean = np.mean(value)
        total, weight = self._sums.get(name, (0.0, 0))
        if steps and self._averages_named == (name in self._named):
            self._sums[name] = total + mean * steps, weight + steps
        else:
            self._sums[name] = mean, 1

    def _means(self) -> dict[str, Any]:
        return {name: total / n for name, (total, n) in self._sums.items()}

    def due(self, current: int) -> bool:
        """Note that `current` steps are done; return whether to draw them.

        The last step is none of those: it ends the bar.
        """
        now = time.perf_counter()
        self.seen = min(current, self.target or current)
        self._first = self._first or (now, self.seen)
        late = now - self._drawn >= self.interval
        return late and self._redraws() and self.seen != self.target

    def _redraws(self) -> bool:
        return self.verbose == 1 and is_interactive_logging_enabled()

    def draw(self, logs: Mapping[str, Any]) -> None:
        """Redraw the bar, with the time left."""
        self._drawn = now = time.perf_counter()
        pace = self._seconds_per_step(now)
        taken = _whole(now - self._start)
        left = duration(pace * (self.target - self.seen)) if self.target else taken
        self._show(f" {left} {per_step(pace, self.unit_name)}{shown(logs)}")
        self._bar.refresh()

    def finish(self, logs: Mapping[str, Any]) -> None:
        """Print the last line, with the time it took."""
        if not self.verbose:
            return
        now = time.perf_counter()
        self.seen = self.target = self.target or self.seen
        taken = _whole(now - self._start)
        pace = per_step(self._seconds_per_step(now), self.unit_name)
        if self._redraws():
            self._show(f" {taken} {pace}{shown(logs)}")
            self._bar.ncols = None  # the whole line, however wide the terminal is
            self.close()
        else:
            say(f"{self._count()} - {taken} - {pace}{shown(logs)}")

    def close(self) -> None:
        """End the line, if it has been drawn."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, rest: str) -> None:
        if self._bar is None:
            bars = importlib.import_module("minikeras.callbacks.bar")
            self._bar = bars.Bar(self.width)
        self._bar.show(self.seen, self.target, self._count(), rest)

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


def per_step(seconds: float, unit: str = "step") -> str:
    """Return a step's time in the unit that suits it.

    Example:
        >>> per_step(2.0), per_step(0.004), per_step(0.00005)
        ('2s/step', '4ms/step', '50us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def shown(logs: Mapping[str, Any]) -> str:
    """Return logs as they are printed: four decimals, or an exponent for small numbers.

    Example:
        >>> shown({"loss": 0.25, "mae": 0.0002})
        ' - loss: 0.2500 - mae: 2.0000e-04'
    """
    return "".join(f" - {name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    number = value if isinstance(value, (int, float)) else value.mean()
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"

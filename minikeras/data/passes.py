"""Passes over a source of batches: the whole of it each time, or so many batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

__all__ = ["Passes"]

_END = object()


class Passes:
    """One pass after another over a source of batches.

    Args:
        source: what yields batches. A list or a loader starts anew at each pass; a
            generator, which can do so only once, goes on where it was.
        steps: batches per pass, which then begins where the last one ended; by default
            a pass ends when the source does.
        prepare: is applied to each batch.

    Example:
        >>> counting = Passes(iter(range(10)), steps=3)
        >>> list(counting), list(counting)
        ([0, 1, 2], [3, 4, 5])
    """

    def __init__(
        self,
        source: Iterable[Any],
        steps: int | None = None,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        self.source = source
        self.steps = steps
        self.prepare = prepare
        self._rest: Iterator[Any] | None = None

    @property
    def length(self) -> int | None:
        """Batches per pass, None if only the source knows."""
        if self.steps is not None or not hasattr(self.source, "__len__"):
            return self.steps
        try:
            return len(self.source)  # type: ignore[arg-type]
        except TypeError:  # as TensorFlow's and torch's data sets without an end say
            return None

    def peek(self) -> Any:
        """Return the batch that comes next, as the source yields it, without taking it.

        Raises:
            StopIteration: if there is none.
        """
        rest = self._batches()
        batch = next(rest)
        if rest is self.source:
            self.source = chain([batch], rest)
        else:
            self._rest = chain([batch], rest)
        return batch

    def restart(self) -> None:
        """Let the next pass begin at the beginning, if the source can."""
        self._rest = None

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of the next pass."""
        batches = self._next_pass()
        return batches if self.prepare is None else map(self.prepare, batches)

    def _next_pass(self) -> Iterator[Any]:
        rest = self._batches()
        if self.steps is None:
            self._rest = None
            yield from rest
            return
        self._rest = rest
        for done in range(self.steps):
            batch = next(rest, _END)
            if batch is _END:
                self._rest = None
                if done:
                    self._warn(done)
                    return
                rest = self._rest = self._batches()
                batch = next(rest, _END)
                if batch is _END:
                    return
            yield batch

    def _batches(self) -> Iterator[Any]:
        """Return what is left of the source, all of it if a pass has ended it."""
        return iter(self.source) if self._rest is None else self._rest

    def _warn(self, done: int) -> None:
        warnings.warn(
            f"Your input ran out of data after {done} of {self.steps} steps. Make sure "
            "that it can generate at least `steps_per_epoch * epochs` batches.",
            stacklevel=3,
        )

"""Passes over a source of batches: the whole of it each time, or so many batches."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

__all__ = ["Passes", "Position"]

_END = object()


class Position(NamedTuple):
    """How far passes have come through a source.

    Args:
        rounds: how often it has been gone through to its end.
        taken: batches taken since; of a source that cannot start anew, all of them.
        mark: what `Passes.mark` returned when this round began.
    """

    rounds: int = 0
    taken: int = 0
    mark: Any = None


class Passes:
    """One pass after another over a source of batches.

    Args:
        source: what yields batches. A list or a loader starts anew at each pass; a
            generator, which can do so only once, goes on where it was.
        steps: batches per pass, which then begins where the last one ended; by default
            a pass ends when the source does.
        prepare: is applied to each batch.

    Attributes:
        mark: is asked when a round through the source begins, for what the order of its
            batches depends on.

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
        self.mark: Callable[[], Any] = lambda: None
        self._rest: Iterator[Any] | None = None
        self._position = Position()
        self._done = 0  # batches that the next pass has had already

    @property
    def position(self) -> Position:
        """How far the passes have come."""
        return self._position

    @property
    def _starts_anew(self) -> bool:
        """Whether the source can: a generator cannot."""
        return not isinstance(self.source, Iterator)

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
            for batch in rest:
                yield self._taken(batch)
            self._end_round()
            return
        self._rest = rest
        begun, self._done = self._done, 0
        for done in range(begun, self.steps):
            batch = next(rest, _END)
            if batch is _END:
                self._rest = None
                self._end_round()
                if done:
                    self._warn(done)
                    return
                rest = self._rest = self._batches()
                batch = next(rest, _END)
                if batch is _END:
                    return
            yield self._taken(batch)

    def go_to(
        self, position: Position, return_to: Callable[[Any], None], done: int = 0
    ) -> None:
        """Let the next pass begin where passes over such a source had come to.

        Args:
            position: where that is.
            return_to: is called with its mark, before batches are passed over.
            done: how many batches the next pass has had already.
        """
        rounds, taken, mark = position
        begun = self._rest is not None  # one batch has been looked at
        for number in range(rounds if hasattr(self.source, "on_epoch_end") else 0):
            if number or not begun:
                self.source.on_epoch_begin()  # type: ignore[attr-defined]
            self.source.on_epoch_end()  # type: ignore[attr-defined]
        if rounds and self._starts_anew:
            self._rest = None
        if taken:
            return_to(mark)
            rest = self._batches()
            deque(islice(rest, taken), maxlen=0)
            self._rest = rest
        self._position = position
        self._done = done

    def _taken(self, batch: Any) -> Any:
        """Return a batch, and count it."""
        rounds, taken, mark = self._position
        self._position = Position(rounds, taken + 1, mark)
        return batch

    def _end_round(self) -> None:
        rounds, taken, mark = self._position
        left = 0 if self._starts_anew else taken
        self._position = Position(rounds + 1, left, mark)

    def _batches(self) -> Iterator[Any]:
        """Return what is left of the source, all of it if a pass has ended it."""
        if self._rest is not None:
            return self._rest
        if self._starts_anew:
            self._position = Position(self._position.rounds, 0, self.mark())
        return iter(self.source)

    def _warn(self, done: int) -> None:
        warnings.warn(
            f"Your input ran out of data after {done} of {self.steps} steps. Make sure "
            "that it can generate at least `steps_per_epoch * epochs` batches.",
            stacklevel=3,
        )

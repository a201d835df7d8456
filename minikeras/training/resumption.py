"""Where training goes on that was interrupted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

__all__ = ["Resumption"]


class Resumption(NamedTuple):
    """A position in training, and what is to be restored there.

    Attributes:
        epoch: from 0.
        batch: how many batches of it are done.
        restore: is called when these have been passed over, None for nothing.
    """

    epoch: int
    batch: int = 0
    restore: Callable[[], Any] | None = None

    def enter(self, batches: Iterator[Any]) -> int:
        """Pass over the batches that are done; return their number."""
        if self.batch:
            deque(islice(batches, self.batch), maxlen=0)
            if self.restore is not None:
                self.restore()
        return self.batch

"""Where training goes on that was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras.data import Passes, Position

__all__ = ["Resumption"]


class Resumption(NamedTuple):
    """A position in training, and what is to be restored there.

    Attributes:
        epoch: from 0.
        batch: how many batches of it are done.
        restore: is called when the position is reached, None for nothing.
        positions: in the data to train on, ``"train"``, and in those held out,
            ``"test"``; by default the first have been read from their start.
    """

    epoch: int
    batch: int = 0
    restore: Callable[[], Any] | None = None
    positions: Mapping[str, Position] | None = None

    def enter(self, passes: Mapping[str, Passes]) -> None:
        """Let passes over data go on from here."""
        positions = self.positions or {"train": Position(taken=self.batch)}
        for kind, position in positions.items():
            if kind in passes:
                done = self.batch if kind == "train" else 0
                passes[kind].go_to(position, _return_to, done)
        if self.restore is not None:
            self.restore()

    def begin(self) -> int:
        """Restore what beginning an epoch has changed; return the batches done."""
        if self.batch and self.restore is not None:
            self.restore()
        return self.batch


def _return_to(random_state: Any) -> None:
    """Let rows be drawn in the order in which they were."""
    if random_state is not None:
        K.global_seed_generator().state.assign(random_state)

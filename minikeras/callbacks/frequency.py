"""How often a callback saves: after every epoch, or after so many batches."""

from __future__ import annotations

__all__ = ["Frequency"]


class Frequency:
    """Counts batches, those of all epochs.

    Args:
        save_freq: ``"epoch"``, or a number of batches.

    Raises:
        ValueError: if it is neither.
    """

    def __init__(self, save_freq: int | str) -> None:
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' "
                f"or integer values. Received: save_freq={save_freq}"
            )
        self.per_epoch = save_freq == "epoch"
        self._every = save_freq if isinstance(save_freq, int) else 0
        self._since = 0  # batches since the last one that was due
        self._last = -1  # the batch that was asked for last, in this epoch
        self._was_due = False

    def begin_epoch(self) -> None:
        """Count batches of a new epoch, from 0."""
        self._last = -1

    def is_due(self, batch: int) -> bool:
        """Whether to save after this batch of the epoch.

        With several steps to an execution, not every batch is asked for.
        """
        if self._every and batch != self._last:
            self._since += batch - self._last
            self._last = batch
            self._was_due = self._since >= self._every
            if self._was_due:
                self._since = 0
        return self._was_due

    def resume(self, batches: int) -> None:
        """Count on in an epoch of which so many batches are done and saved."""
        self._last, self._since = batches - 1, 0

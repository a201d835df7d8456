"""What there is to know of a loop's instructions before their values are placed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minikeras.engine.blocked.geometry import Blocks
from minikeras.engine.blocked.lowering import lowered, varying
from minikeras.engine.blocked.places import Array
from minikeras.engine.loops import Loop

__all__ = ["Analysis"]


class Analysis:
    """Facts on a loop divided in blocks, by the numbers of its lowered instructions.

    Attributes:
        steps: the lowered instructions.
        varies: for each the dimensions in which its value varies.
        stored: for each value that is, the operands to which it is.
    """

    def __init__(self, loop: Loop, views: Sequence[Array], blocks: Blocks) -> None:
        self.steps = lowered(loop)
        self.varies = varying(loop, self.steps)
        self.stored: dict[int, list[int]] = {}
        self._views = views
        self._blocks = blocks
        self._last = list(range(len(self.steps)))  # where each value is last used
        for number, step in enumerate(self.steps):
            for i in step.inputs:
                self._last[i] = number
            if step.name == "store":
                self.stored.setdefault(step.inputs[0], []).append(step.attribute)
        for value in self.stored:
            self._last[value] = len(self.steps)
        self._loads = [n for n, step in enumerate(self.steps) if step.name == "load"]
        self._targets = {value: self._target(value) for value in self.stored}

    # -- when a value is known ---------------------------------------------------------

    def fixed(self, number: int) -> bool:
        """Return whether all blocks share the value."""
        if self._blocks.axis < 0 or self.crosses(number):
            return False
        return not any(self.varies[number][: self._blocks.axis + 1])

    def crosses(self, number: int) -> bool:
        """Return whether it is a total to which several blocks contribute."""
        step = self.steps[number]
        return step.name == "total" and any(
            axis <= self._blocks.axis for axis in step.attribute[1]
        )

    def late(self, number: int) -> bool:
        """Return whether the value is stored when all blocks are done."""
        return self.fixed(number) or self.crosses(number)

    # -- what may be overwritten -------------------------------------------------------

    def ending(self, number: int) -> set[int]:
        """Return the values that an instruction is the last to use."""
        return {i for i in self.steps[number].inputs if self._last[i] == number}

    def overwritten(self, number: int) -> set[int]:
        """Return those of them in whose memory its own value may be written."""
        step, varies = self.steps[number], self.varies[number]
        if step.name in ("cast", "load", "total") or not any(varies):
            return set()  # not element by element; or of one, which would take longer
        size = step.dtype.itemsize
        return {
            i
            for i in self.ending(number)
            if self.varies[i] == varies and self.steps[i].dtype.itemsize == size
        }

    def copied(self, number: int) -> bool:
        """Return whether a load makes a copy.

        It does if it is stored at the end of a block, when another store may have
        overwritten it; and for a total by rows if they do not lie in memory by rows,
        since NumPy adds in the order of memory.
        """
        view = self._views[self.steps[number].attribute]
        if self._last[number] == len(self.steps) and any(
            np.may_share_memory(view, self._views[k])
            for operands in self.stored.values()
            for k in operands
        ):
            return True
        row = (len(view.shape) - 1,)
        return not _lies_by_rows(view) and any(
            step.name == "total"
            and step.inputs == (number,)
            and step.attribute[1] == row
            for step in self.steps
        )

    def target(self, number: int) -> int | None:
        """Return the operand into which the value is written as it is computed."""
        return self._targets.get(number)

    def _target(self, number: int) -> int | None:
        name = self.steps[number].name
        aside = name == "constant" or (name == "load" and not self.copied(number))
        if aside or self.fixed(number):
            return None
        return next((k for k in self.stored[number] if self._fits(number, k)), None)

    def _fits(self, number: int, k: int) -> bool:
        """Return whether operand `k` can take the value, and nothing needs it later."""
        view, varies = self._views[k], self.varies[number]
        if view.dtype != self.steps[number].dtype:
            return False
        if tuple([n != 1 for n in view.shape]) != varies:
            return False
        over = [
            load
            for load in self._loads
            if np.may_share_memory(self._views[self.steps[load].attribute], view)
        ]
        if over and (self.late(number) or not any(varies)):  # of one: see `overwritten`
            return False
        return all(self._last[x] <= number and not self.fixed(x) for x in over)

    # -- totals ------------------------------------------------------------------------

    def head(self, number: int) -> int:
        """Return how many dimensions are the rows of a running total over the value.

        0 if there is no such total, or it is made in another way.
        """
        if self._blocks.axis < 0:
            return 0
        varies = self.varies[number]
        for total, step in enumerate(self.steps):
            if step.inputs == (number,) and self.crosses(total):
                rows = len(step.attribute[1])
                leading = step.attribute[1] == tuple(range(rows))
                if leading and rows < len(varies) and all(varies[:rows]) and varies[-1]:
                    return rows
        return 0


def _lies_by_rows(view: Array) -> bool:
    """Return whether the last dimension is the innermost in memory."""
    steps = [abs(s) for s, n in zip(view.strides, view.shape, strict=True) if n != 1]
    return view.shape[-1] == 1 or steps[-1] == min(steps)

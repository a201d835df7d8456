"""Running a plan: one loop over its calls, and nowhere else is a kernel called.

Arrays that a kernel must not own (variables' values, constants, what the caller fed)
are read-only, so a kernel that wrote on its input would fail; and what leaves a run
read-only is copied, so that nobody can write on a variable from outside.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from minikeras.engine import devices
from minikeras.engine.errors import EngineError, ExecutionError
from minikeras.engine.ops.state import Handle
from minikeras.engine.plan import Plan, Step
from minikeras.engine.spec import Array

__all__ = ["Run", "execute", "frozen"]


class Run:
    """What a stateful op sees of the session during one run.

    Attributes:
        values: the session's variables.
        step: how many runs the session has made before.
        path: the iteration of every loop that is under way, outermost first.
    """

    def __init__(self, values: MutableMapping[Handle, Array], step: int) -> None:
        self.values = values
        self.step = step
        self.path: list[int] = []
        self.xp = devices.xp

    def store(self, handle: Handle, value: Array) -> Array:
        """Set a variable; return its value as it is kept."""
        kept = self.values[handle] = frozen(value)
        return kept

    def call(self, body: Any, arrays: Sequence[Array]) -> list[Array]:
        """Return the outputs of a loop's or branch's `body` for these inputs."""
        values = execute(body.plan_for(Plan, arrays), arrays, self)
        return values[: len(body.outputs)]  # what follows are effects


def frozen(value: Array) -> Array:
    """Return `value` as a read-only array that nobody else can write on."""
    array = devices.xp.asarray(value)
    if devices.xp is not np:
        return array
    if array.base is not None:
        array = array.copy()
    array.flags.writeable = False
    return array


def execute(plan: Plan, feeds: Sequence[Array], run: Run) -> list[Any]:
    """Return the values of a plan's fetches, None for a node, given those of its feeds.

    Raises:
        EngineError: what a stateful op found, such as an uninitialized variable.
        ExecutionError: if a kernel failed; it names the node and the user's line.
    """
    values = plan.initial.copy()
    for slot, array in zip(plan.feeds, feeds, strict=True):
        values[slot] = array
    with np.errstate(all="ignore"):
        for step in plan.steps:
            call, inputs, outputs, dead, node = step
            try:
                arguments = [values[slot] for slot in inputs]
                result = call(run, *arguments) if node.op.stateful else call(*arguments)
            except EngineError as error:
                error.locate(node.place)
                raise
            except Exception as error:
                raise _failure(step, values, error) from error
            if isinstance(outputs, int):
                values[outputs] = result
            else:
                for slot, value in zip(outputs, result, strict=True):
                    values[slot] = value
            for slot in dead:
                values[slot] = None
    return [_fetched(where, values, run) for where in plan.fetches]


def _fetched(where: int | Handle | None, values: list[Any], run: Run) -> Any:
    if isinstance(where, Handle):
        return where.value_in(run.values)
    return None if where is None else values[where]


def _failure(step: Step, values: list[Any], error: Exception) -> ExecutionError:
    seen = ", ".join(
        f"{getattr(values[i], 'dtype', '?')}{getattr(values[i], 'shape', '')}"
        for i in step.inputs
    )
    failed = ExecutionError(f"{step.node.op.name}: {error}; its inputs were {seen}")
    failed.locate(step.node.place)
    return failed

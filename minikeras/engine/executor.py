"""Running a plan: one loop over its calls, and nowhere else is a kernel called.

Arrays that a kernel must not own (variables' values, constants, what the caller fed)
are read-only, so a kernel that wrote on its input would fail; and what leaves a run
read-only is copied, so that nobody can write on a variable from outside.

This is the plain way to run a plan, and the measure of the other, `CompiledPlan`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, NoReturn

import numpy as np

from minikeras.engine import devices
from minikeras.engine.errors import EngineError, ExecutionError
from minikeras.engine.graph import Node
from minikeras.engine.ops.state import Handle
from minikeras.engine.plan import Plan, read_only
from minikeras.engine.spec import Array

__all__ = ["Run", "execute", "fail"]


class Run:
    """What a stateful op sees of the session during one run.

    What it assigns is kept aside until `commit`, so a run that fails, or is
    interrupted, has changed nothing.

    Attributes:
        storage: the session's variables.
        values: the same, as this run has them.
        step: how many runs the session has made before.
        path: the iteration of every loop that is under way, outermost first.
        compiled: makes the plan of a body that is run often into a faster one.
    """

    def __init__(
        self,
        storage: MutableMapping[Handle, Array],
        step: int,
        compiled: Callable[[Plan], Any] = lambda plan: plan,
    ) -> None:
        self.storage = storage
        self.values = ChainMap({}, storage)
        self.step = step
        self.compiled = compiled
        self.path: list[int] = []
        self.xp = devices.xp

    def store(self, handle: Handle, value: Array) -> Array:
        """Set a variable; return its value."""
        self.values[handle] = kept = read_only(self.xp.asarray(value))
        return kept

    def commit(self) -> None:
        """Make all that was assigned last."""
        self.storage.update(self.values.maps[0])

    def call(self, body: Any, arrays: Sequence[Array]) -> list[Array]:
        """Return the outputs of a loop's or branch's `body` for these inputs."""
        plan = body.plan_for(Plan, arrays, self.compiled)
        if isinstance(plan, Plan):
            values = execute(plan, arrays, self)
        else:
            values = plan.run_inside(arrays, self)
        return values[: len(body.outputs)]  # what follows are effects


def execute(plan: Plan, feeds: Sequence[Array], run: Run) -> list[Any]:
    """Return the values of a plan's fetches, given those of its feeds.

    A node's value is None; so is a variable's, which is read after the run.

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
            arguments = [values[slot] for slot in inputs]
            try:
                result = call(run, *arguments) if node.op.stateful else call(*arguments)
            except Exception as error:
                fail(error, node, arguments)
            if isinstance(outputs, int):
                values[outputs] = result
            else:
                for slot, value in zip(outputs, result, strict=True):
                    values[slot] = value
            for slot in dead:
                values[slot] = None
    return [values[i] if isinstance(i, int) else None for i in plan.fetches]


def fail(error: Exception, node: Node, inputs: Iterable[Any]) -> NoReturn:
    """Raise what went wrong in a node, located, and as an error of the engine.

    Args:
        error: what was raised.
        node: what was run.
        inputs: what it was given, or what has the dtypes and shapes of that.

    Raises:
        EngineError: `error` itself, if it is one.
        ExecutionError: otherwise.
    """
    if isinstance(error, EngineError):
        error.locate(node.place)
        raise error
    seen = ", ".join(
        f"{getattr(x, 'dtype', '?')}{getattr(x, 'shape', '')}" for x in inputs
    )
    failed = ExecutionError(f"{node.op.name}: {error}; its inputs were {seen}")
    failed.locate(node.place)
    raise failed from error

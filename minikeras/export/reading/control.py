"""Branches and loops, whose bodies are programs of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.reading.program import Program, Step, enter, known

__all__: list[str] = []


@enter("If")
def if_(n: Step, p: Any) -> Any:
    """y = one branch or the other."""
    then, otherwise = n.get("then_branch"), n.get("else_branch")
    value = known(p)
    if value is not None:
        return _run(then if value.reshape(-1)[0] else otherwise, ())
    return ops.cond(
        ops.reshape(p, []), lambda: _run(then, ()), lambda: _run(otherwise, ())
    )


def _run(body: Program, inputs: Any) -> list[Any]:
    return body(inputs, body.surroundings)


@enter("Scan")
def scan(n: Step, *given: Any) -> Any:
    """Step through rows along the first axis."""
    body, count = n.get("body"), n.get("num_scan_inputs")
    carried = len(given) - count
    rows = len(body.outputs) - carried
    ways = {
        *(n.get("scan_input_directions") or [0] * count),
        *(n.get("scan_output_directions") or [0] * rows),
    }
    axes = [*(n.get("scan_input_axes") or []), *(n.get("scan_output_axes") or [])]
    if len(ways) > 1 or any(axes) or n.opset < 9:
        raise UnsupportedError("directions that differ, axes other than the first")

    def step(carry: Any, row: Any) -> Any:
        found = _run(body, [*carry, *row])
        return found[:carried], found[carried:]

    state, stacked = ops.scan(
        step, list(given[:carried]), list(given[carried:]), reverse=ways == {1}
    )
    return [*state, *stacked]


@enter("Loop")
def loop(n: Step, limit: Any, condition: Any, *state: Any) -> Any:
    """Repeat a body; with rows for outputs the number of steps must not be open."""
    body: Program = n.get("body")
    rows = len(body.outputs) - 1 - len(state)
    first = None if condition is None else known(condition)
    always = condition is None or (first is not None and bool(first.all()))
    if rows or (always and limit is not None and _goes_on(body)):
        return _counted(body, limit, state, rows)
    steps = np.asarray(0, np.int64)
    start = np.asarray(True) if condition is None else ops.reshape(condition, [])

    def test(step: Any, goes_on: Any, *values: Any) -> Any:
        if limit is None:
            return goes_on
        return ops.logical_and(goes_on, ops.less(step, ops.reshape(limit, [])))

    def advance(step: Any, goes_on: Any, *values: Any) -> Any:
        again, *new = _run(body, [step, goes_on, *values])
        return [step + np.asarray(1, np.int64), ops.reshape(again, []), *new]

    return ops.while_loop(test, advance, [steps, start, *state])[2:]


def _goes_on(body: Program) -> bool:
    """Whether a body never ends the loop by itself."""
    name = body.outputs[0]
    for step in reversed(body.steps):
        if name in step.outputs:
            if step.kind != "Identity":
                return False
            name = step.inputs[0]
    value = body.constants.get(name, body.surroundings.get(name))
    if name == body.inputs[1]:
        return True
    found = None if value is None else known(value)
    return found is not None and bool(found.all())


def _counted(body: Program, limit: Any, state: Any, rows: int) -> Any:
    """Run a loop of so many steps."""
    if limit is None or not _goes_on(body):
        raise UnsupportedError("a loop with rows for outputs that ends by itself")
    goes_on = np.asarray(True)

    def step(carry: Any, _: Any) -> Any:
        number, *values = carry
        _, *found = _run(body, [number, goes_on, *values])
        count = len(values)
        return [number + np.asarray(1, np.int64), *found[:count]], found[count:]

    start = [np.asarray(0, np.int64), *state]
    length = ops.cast(ops.reshape(limit, []), "int32")
    (_, *last), stacked = ops.scan(step, start, length=length)
    return [*last, *(stacked if rows else [])]

"""Branches and loops, whose bodies are graphs of their own in the file as well.

What a body uses from around it needs no mention in ONNX: names reach inwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras.engine.dtypes import as_dtype
from minikeras.engine.graph import Node, Tensor
from minikeras.engine.spec import Spec
from minikeras.export.emission import Emission, Ref
from minikeras.export.registry import rule
from minikeras.export.rules.layout import FAR
from minikeras.export.translation import translate

__all__: list[str] = []

_SCALAR, _TRUTH = Spec((), as_dtype("int64")), Spec((), as_dtype("bool"))


class Inner:
    """The graph of a body in the making.

    Args:
        e: the emission of the graph around it.
        body: what is traced.
        captures: what stands outside for what it captured.
    """

    def __init__(self, e: Emission, body: Any, captures: Sequence[Ref]) -> None:
        self.body = body
        self.emission = Emission(e.file)
        self.emission.scope = e.scope
        stand_ins = body.graph.captures.values()
        self.emission.values.update(zip(stand_ins, captures, strict=True))
        self.declared: list[Any] = []

    def take(self, tensors: Sequence[Tensor]) -> None:
        """Let tensors of the body be inputs of the graph, in this order."""
        for x in tensors:
            self.emission.values[x] = self.argument(x.spec)

    def argument(self, spec: Spec) -> str:
        """Return the name of a new input of the graph."""
        name = self.emission.file.unique(f"{self.emission.scope}/argument")
        self.declared.append(self.emission.declared(name, spec))
        return name

    def results(self, outputs: Sequence[Tensor] | None = None) -> list[Ref]:
        """Return what stands for tensors of the body, by default its outputs."""
        wanted = self.body.outputs if outputs is None else outputs
        return translate(self.emission, wanted)

    def graph(self, outputs: Sequence[Ref]) -> Any:
        """Return the finished graph."""
        return self.emission.body(f"{self.emission.scope}/body", self.declared, outputs)


def _several(made: Any) -> list[Ref]:
    return [made] if isinstance(made, str) else made


@rule("cond")
def cond(e: Emission, node: Node, p: Ref, *captured: Ref) -> list[Ref]:
    """y = then() if p else otherwise()."""
    op: Any = node.op
    split = len(op.then.captures)
    then = Inner(e, op.then, captured[:split])
    otherwise = Inner(e, op.otherwise, captured[split:])
    branches = [branch.graph(branch.results()) for branch in (then, otherwise)]
    count = len(node.outputs)
    return _several(
        e("If", p, outputs=count, then_branch=branches[0], else_branch=branches[1])
    )


@rule("while_loop")
def while_loop(e: Emission, node: Node, *inputs: Ref) -> list[Ref]:
    """state = body(state) while test(state); outputs are state and number of steps."""
    op: Any = node.op
    n, m = len(op.body.inputs), len(op.body.inputs) + len(op.test.captures)
    state, for_test, for_body = inputs[:n], inputs[n:m], inputs[m:]
    inner = Inner(e, op.body, for_body)
    step = inner.argument(_SCALAR)
    inner.argument(_TRUTH)
    inner.take(op.body.inputs)
    inner.argument(_SCALAR)  # the number of steps, carried along to be an output
    new = inner.results()
    goes_on = _tested(inner.emission, op.test, new, for_test)
    steps = inner.emission("Add", step, e.vector(1))
    body = inner.graph([goes_on, *new, steps])
    limit = None if op.limit is None else e.vector(op.limit)
    first = _tested(e, op.test, state, for_test)
    made = e("Loop", limit, first, *state, e.vector(0), outputs=n + 1, body=body)
    return [*made[:n], e.cast(made[n], "int32")]


def _tested(e: Emission, test: Any, state: Sequence[Ref], captures: Any) -> Ref:
    """Return whether a state passes the test, computed in the graph at hand."""
    inner = Inner(e, test, captures)
    inner.emission.nodes = e.nodes
    inner.emission.values.update(zip(test.inputs, state, strict=True))
    (found,) = inner.results()
    return found


@rule("scan")
def scan(e: Emission, node: Node, length: Ref, *inputs: Ref) -> list[Any]:
    """carry, y[t] = body(carry, x[t]) for each t."""
    op: Any = node.op
    state, xs, captures = op.parts(inputs)
    cut = op.cut([y in e.wanted for y in node.outputs])
    carried = [state[i] for i in cut.carried]
    make = _scan if xs else _loop
    found = make(e, op, cut, carried, xs, Inner(e, op.body, captures), length)
    outputs: list[Any] = [None] * len(node.outputs)
    for place, value in zip([*cut.carried, *cut.rows], found, strict=True):
        outputs[place] = value
    return outputs


def _scan(
    e: Emission,
    op: Any,
    cut: Any,
    carried: Sequence[Ref],
    xs: Sequence[Ref],
    inner: Inner,
    length: Ref,
) -> list[Ref]:
    """Step through rows: ONNX's Scan."""
    inner.take([op.body.inputs[i] for i in cut.carried])
    inner.take(op.body.inputs[op.carries :])
    body = inner.graph(inner.results(cut.body.outputs))
    backwards = int(op.reverse)
    return _several(
        e(
            "Scan",
            *carried,
            *xs,
            outputs=len(cut.body.outputs),
            body=body,
            num_scan_inputs=len(xs),
            scan_input_directions=[backwards] * len(xs),
            scan_output_directions=[backwards] * len(cut.rows) or None,
        )
    )


def _loop(
    e: Emission,
    op: Any,
    cut: Any,
    carried: Sequence[Ref],
    xs: Sequence[Ref],
    inner: Inner,
    length: Ref,
) -> list[Ref]:
    """Repeat without rows to step through: ONNX's Loop."""
    inner.argument(_SCALAR)
    inner.argument(_TRUTH)
    inner.take([op.body.inputs[i] for i in cut.carried])
    body = inner.graph([np.asarray(True), *inner.results(cut.body.outputs)])
    limit = e.reshape(e.vector(length), [])
    count = len(cut.body.outputs)
    made = _several(e("Loop", limit, None, *carried, outputs=count, body=body))
    if not op.reverse:
        return made
    first = len(cut.carried)
    rows = [e.cut(y, [-1], [-FAR], [0], [-1]) for y in made[first:]]
    return [*made[:first], *rows]


@rule("custom_gradient")
def custom_gradient(e: Emission, node: Node, *xs: Ref) -> Sequence[Ref]:
    """y = the first inputs."""
    return xs[: node.op.count]  # type: ignore[attr-defined]

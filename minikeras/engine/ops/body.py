"""`Body`: a function of a branch or loop, traced once into a graph of its own.

What it uses from outside it captures, and the captures become inputs of the operation
that runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

from minikeras.engine.errors import EngineError
from minikeras.engine.graph import Node, Subgraph, Tensor, current_graph
from minikeras.engine.op import as_tensor
from minikeras.engine.ops.replay import replay
from minikeras.engine.ops.state import Assign, placeholder
from minikeras.engine.spec import Array, Shape, Spec

__all__: list[str] = []

Values = Sequence[Any]

_OFTEN = 4  # calls after which compiling a body pays
PLANS = 64  # that a body keeps: one for each set of shapes; then all are made anew


class Body:
    """A traced function: inputs, outputs, and what it captured from outside."""

    def __init__(
        self,
        function: Callable[..., Values],
        specs: Sequence[Spec],
        repeats: bool = True,
        assigned: Iterable[Any] = (),
    ) -> None:
        self.graph = Subgraph(current_graph(), repeats)
        self.graph.assigned.update(assigned)
        with self.graph.as_default():
            self.inputs = [
                placeholder(s.dtype, s.shape, name="argument") for s in specs
            ]
            results = [as_tensor(y) for y in function(*self.inputs)]
            self.outputs = [self.graph.own(y) for y in results]
        self._plans: dict[Any, Any] = {}
        self._uses: Counter[Any] = Counter()
        self.cuts: dict[Any, Any] = {}  # what is left of it, by what is wanted

    def __repr__(self) -> str:
        return f"<{len(self.graph.nodes)} nodes>"

    @property
    def captures(self) -> list[Tensor]:
        """The outside tensors that it uses."""
        return list(self.graph.captures)

    @property
    def specs(self) -> list[Spec]:
        """What is known of its outputs (their values differ from call to call)."""
        return [shape_only(y.spec) for y in self.outputs]

    @cached_property
    def effects(self) -> list[Node]:
        """The nodes that assign variables, by themselves or in bodies of their own."""
        return [node for node in self.graph.nodes if assigns(node.op)]

    @property
    def feeds(self) -> list[Tensor]:
        """The tensors that a call is given: inputs, and what stands for captures."""
        return [*self.inputs, *self.graph.captures.values()]

    def plan_for(
        self,
        make: Callable[..., Any],
        arrays: Sequence[Array],
        compiled: Callable[[Any], Any] = lambda plan: plan,
    ) -> Any:
        """Return the plan of the body for inputs and captures like `arrays`.

        Args:
            make: makes a plan of fetches and the specs of feeds.
            arrays: what it is to be given.
            compiled: makes a plan that is used often into a faster one.
        """
        key = tuple([(x.shape, x.dtype) for x in arrays])
        plan = self._plans.get(key)
        if plan is None:
            pairs = zip(self.feeds, arrays, strict=True)
            specs = {t: Spec(x.shape, t.dtype) for t, x in pairs}
            if len(self._plans) >= PLANS:
                self._plans.clear()
                self._uses.clear()
            plan = self._plans[key] = make([*self.outputs, *self.effects], specs)
        elif not (self.effects or self.graph.assigned):  # it touches no variable
            self._uses[key] += 1
            if self._uses[key] == _OFTEN:
                plan = self._plans[key] = compiled(plan)
        return plan

    def inline(self, inputs: Values, captures: Values) -> list[Any]:
        """Return its outputs computed in the current graph."""
        given = zip(self.feeds, [*inputs, *captures], strict=True)
        return replay(self.outputs, dict(given))

    # -- a body that is run many times -------------------------------------------------

    def with_outputs(self, outputs: Sequence[Tensor]) -> Body:
        """Return the same body with other tensors of its graph as outputs."""
        other = copy(self)
        other.outputs = list(outputs)
        other._plans, other._uses, other.cuts = {}, Counter(), {}
        return other

    def above(self, outputs: Iterable[Tensor]) -> set[Node]:
        """Return the nodes that must be run for `outputs`, and for effects."""
        above: set[Node] = set()
        frontier = [*(y.node for y in outputs), *self.effects]
        while frontier:
            node = frontier.pop()
            if node not in above:
                above.add(node)
                frontier.extend(node.control_inputs)
                frontier.extend(x.node for x in node.inputs)
        return above

    @cached_property
    def computed(self) -> list[Tensor]:
        """What may differ from call to call even where captures do not."""
        varying = set(self.inputs)
        found = []
        for node in self.graph.nodes:
            free = node.op.stateful or node.control_inputs
            if node.op.name != "placeholder" and (
                free or not varying.isdisjoint(node.inputs)
            ):
                varying.update(node.outputs)
                found += node.outputs
        return found

    def hoist(self) -> None:
        """Capture what does not differ from call to call, rather than compute it."""
        varying = {*self.inputs, *self.computed}
        used = dict.fromkeys(x for y in self.computed for x in y.node.inputs)
        fixed = [
            x
            for x in used
            if x not in varying
            and x.dtype.is_differentiable
            and x.node.op.name not in ("constant", "placeholder")
        ]
        self.graph.captures.update(zip(self.outside(fixed), fixed, strict=True))

    def outside(self, fixed: Sequence[Tensor], captures: Values = ()) -> list[Any]:
        """Return tensors that do not differ from call to call, in the current graph."""
        stand_ins = self.graph.captures.values()
        given = zip(stand_ins, captures or self.captures, strict=True)
        return replay(fixed, dict(given))

    def inferred(self, specs: Sequence[Spec]) -> Mapping[Tensor, Spec]:
        """Return what is known of its tensors if its feeds have these specs.

        Tensors of which no more is known than before are left out.
        """
        found = dict(zip(self.feeds, specs, strict=True))
        infer_again(self.graph.nodes, found)
        return found

    @cached_property
    def sample(self) -> Mapping[Tensor, Spec]:
        """What would be known of its tensors if all unknown sizes of its feeds were 2.

        What is unknown even so depends on values, and may differ from call to call.
        """
        inputs = [_filled(x.spec) for x in self.inputs]
        captures = [_filled(x.spec, True) for x in self.graph.captures.values()]
        return self.inferred([*inputs, *captures])


def _filled(spec: Spec, same: bool = False) -> Spec:
    """Return `spec` with 2 for all that is unknown; also in its value, if the same."""
    if spec.shape is None:
        return spec
    sizes = tuple(2 if n is None else n for n in spec.shape)
    value = spec.value
    if same and spec.dtype.is_integer and len(sizes) < 2:
        value = value or (None,) * sum(sizes or (1,))
    return Spec(
        sizes, spec.dtype, value and tuple(2 if n is None else n for n in value)
    )


def is_complete(spec: Spec) -> bool:
    """Whether the whole shape is known."""
    return spec.shape is not None and None not in spec.shape


def assigns(op: Any) -> bool:
    """Whether an op sets variables, by itself or in its bodies."""
    bodies = (part for part in vars(op).values() if isinstance(part, Body))
    return isinstance(op, Assign) or any(body.effects for body in bodies)


def infer_again(nodes: Iterable[Node], found: dict[Tensor, Spec]) -> None:
    """Add to `found` what more is known of the outputs of nodes, in order of creation.

    Args:
        nodes: what to look at.
        found: what is known of some tensors; the others are as their graph has them.
    """
    for node in nodes:
        given = [found.get(x, x.spec) for x in node.inputs]
        if any(spec != x.spec for spec, x in zip(given, node.inputs, strict=True)):
            try:
                new = node.op.rule_for(given)(*given)
            except EngineError:
                continue  # what does not fit is reported by the call, if it is run
            each = new if node.several else (new,)
            for y, spec in zip(node.outputs, each, strict=True):
                found.setdefault(y, spec)


def shape_only(spec: Spec) -> Spec:
    """Return `spec` without the value, which differs from call to call."""
    return Spec(spec.shape, spec.dtype)


def common(a: Shape | None, b: Shape | None) -> Shape | None:
    """Return what is known of a shape that is one of two."""
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))

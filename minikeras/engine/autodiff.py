"""Reverse-mode differentiation, graph to graph.

`gradients` walks the nodes between `xs` and `ys` backwards once, in the reverse of
their creation, and asks each op's `vjp` to extend the graph. The result is made of
ordinary nodes, so gradients can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minikeras.engine.errors import EngineError, GradientError, ShapeError
from minikeras.engine.graph import (
    Graph,
    Node,
    Subgraph,
    Tensor,
    current_graph,
    graph_of,
)
from minikeras.engine.op import as_tensor
from minikeras.engine.registry import find
from minikeras.engine.shapes import merge, show

__all__ = ["gradients", "gradients_between", "obstacles"]


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    stop_gradients: Iterable[Any] | None = None,
) -> list[Tensor | None]:
    """Return d(sum of ys)/dx for each x, None where no y depends on x.

    Args:
        ys: a tensor or a list of tensors to differentiate.
        xs: a tensor or variable, or a list of them, by which to differentiate.
        grad_ys: the gradient that each y starts with, of y's shape; ones by default.
        name: the scope of the new nodes.
        stop_gradients: tensors and variables taken for constants.

    Raises:
        GradientError: if a y is not floating-point, or an op between has no gradient.
        ShapeError: if a member of `grad_ys` has not its y's shape.
    """
    given = [as_tensor(y) for y in _listed(ys)]
    sources = _listed(xs)
    graph = graph_of(given)
    targets = [graph.own(y) for y in given]  # captured, inside a body
    reads = _reads(graph)
    stops = {t for x in stop_gradients or () for t in _stand_ins(graph, x, reads)}
    with graph.as_default(), graph.name_scope(name):
        seeds = _seeds(targets, _listed(grad_ys) if grad_ys is not None else None)
        wanted = [_stand_ins(graph, x, reads) for x in sources]
        paths = Paths(targets, {t for reads in wanted for t in reads}, stops)
        found = _sweep(targets, seeds, paths)
        return [_total([found[t] for t in reads if t in found]) for reads in wanted]


def gradients_between(
    ys: Sequence[Tensor], gs: Sequence[Tensor], xs: Iterable[Tensor]
) -> dict[Tensor, Tensor]:
    """Return the gradients of `xs`, of those on which a y depends, given those of `ys`.

    They are built in the current graph, which may be a body inside that of `ys`. The
    `xs` are taken for independent: what one of them passes to another does not count.
    """
    ends = set(xs)
    return _sweep(ys, gs, Paths(ys, ends, ends))


def obstacles(ys: Any, xs: Any) -> list[Node]:
    """Return the operations at which the gradients from `ys` to `xs` end.

    Empty if there is no path at all. Of a path through integers or truth values it is
    the operation that makes them of floating-point numbers: an argmax, a comparison.
    """
    targets = [as_tensor(y) for y in _listed(ys)]
    graph = graph_of(targets)
    reads = _reads(graph)
    sources = {t for x in _listed(xs) for t in _stand_ins(graph, x, reads)}
    paths, ends = Paths(targets, sources, set()), []
    with Subgraph(graph).as_default():  # the gradients made on the way are not kept
        _sweep(targets, _seeds(targets, None), paths, ends)
    return list(dict.fromkeys(_rounding(node, paths) for node in ends))


def _rounding(node: Node, paths: Paths) -> Node:
    """Return the node above `node` at which numbers that can vary a little end."""
    while True:
        inputs = [x for x in node.inputs if x in paths]
        discrete = [x.node for x in inputs if not x.dtype.is_differentiable]
        if not discrete:
            return node
        node = discrete[0]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _seeds(targets: Sequence[Tensor], given: Sequence[Any] | None) -> list[Tensor]:
    """Return the gradient with which each target starts."""
    if given is None:
        given = [None] * len(targets)
    if len(given) != len(targets):
        raise GradientError(f"gradients: {len(given)} grad_ys for {len(targets)} ys")
    seeds = []
    for y, g in zip(targets, given, strict=True):
        if not y.dtype.is_differentiable:
            raise GradientError(
                f"gradients: y is {y}, and only floating-point values can be "
                f"differentiated\n  at {y.node.place}"
            )
        seed = find("ones_like")()(y) if g is None else as_tensor(g, y.dtype)
        try:
            merge(seed.spec.shape, y.spec.shape)
        except ShapeError:
            raise ShapeError(
                f"gradients: grad_ys has shape {show(seed.spec.shape)} for a y of "
                f"shape {show(y.spec.shape)}\n  at {y.place}"
            ) from None
        seeds.append(seed)
    return seeds


def _reads(graph: Graph) -> dict[Any, list[Tensor]]:
    """Return every variable's reads in `graph`; inside a body also those captured."""
    reads: dict[Any, list[Tensor]] = {}
    for node in graph.nodes:
        op: Any = node.op
        if op.name == "read_variable":
            reads.setdefault(op.handle, []).append(node.outputs[0])
    if isinstance(graph, Subgraph):
        for handle, outer in _reads(graph.parent).items():
            captured = [graph.captures[t] for t in outer if t in graph.captures]
            reads.setdefault(handle, []).extend(captured)
    return reads


def _stand_ins(graph: Graph, x: Any, reads: dict[Any, list[Tensor]]) -> list[Tensor]:
    """Return the tensors that stand for `x`: itself, or every read of a variable."""
    handle = getattr(x, "handle", None)
    return [graph.own(as_tensor(x))] if handle is None else reads.get(handle, [])


class Paths:
    """The ways from `targets` up to `sources` which do not lead through `stops`.

    Attributes:
        nodes: the operations on the way, through which gradients are pulled back.
    """

    def __init__(
        self, targets: Iterable[Tensor], sources: set[Tensor], stops: set[Tensor]
    ) -> None:
        self.sources = sources
        self.stops = stops
        self.nodes: set[Node] = set()
        for node in sorted(self._above(targets), key=lambda n: n.index):
            if any(x in self for x in node.inputs):
                self.nodes.add(node)

    def __contains__(self, x: Tensor) -> bool:
        """Whether the gradient by a tensor is needed."""
        return x in self.sources or (x.node in self.nodes and x not in self.stops)

    def _above(self, targets: Iterable[Tensor]) -> set[Node]:
        above: set[Node] = set()
        frontier = list(targets)
        while frontier:
            y = frontier.pop()
            if y.node not in above and y not in self.stops:
                above.add(y.node)
                frontier.extend(y.node.inputs)
        return above


def _sweep(
    targets: Sequence[Tensor],
    seeds: Sequence[Tensor],
    paths: Paths,
    ends: list[Node] | None = None,
) -> dict[Tensor, Tensor]:
    """Return the gradients of the sources, from one pass backwards over the paths.

    The operations that let no gradient through are added to `ends`.
    """
    pending: dict[Tensor, list[Tensor]] = {}
    for y, seed in zip(targets, seeds, strict=True):
        pending.setdefault(y, []).append(seed)
    for node in sorted(paths.nodes, key=lambda n: -n.index):
        grads = [_arrived(y, pending, paths) for y in node.outputs]
        if any(g is not None for g in grads):
            pulled = zip(node.inputs, _pull_back(node, grads), strict=True)
            passed = [(x, g) for x, g in pulled if g is not None and x in paths]
            for x, g in passed:
                pending.setdefault(x, []).append(g)
            if not passed and ends is not None:
                ends.append(node)
    totals = ((x, _total(pending.get(x, []))) for x in paths.sources)
    return {x: g for x, g in totals if g is not None}


def _arrived(
    y: Tensor, pending: dict[Tensor, list[Tensor]], paths: Paths
) -> Tensor | None:
    """Return the gradient by `y` that is to be pulled back, now that all is there."""
    g = _total(pending.pop(y, []))
    if g is not None and y in paths.sources:
        pending[y] = [g]
    return None if y in paths.stops else g


def _pull_back(node: Node, grads: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
    """Return the gradients of a node's inputs, given those of its outputs."""
    g, y = (tuple(grads), node.outputs) if node.several else (grads[0], node.outputs[0])
    try:
        with current_graph().name_scope(f"{node.name}_grad"):
            return tuple(node.op.vjp(g, y, *node.inputs))
    except EngineError as error:
        error.locate(node.place)
        raise


def _total(grads: Sequence[Tensor]) -> Tensor | None:
    if len(grads) > 1:
        return find("add_n")()(*grads)
    return grads[0] if grads else None

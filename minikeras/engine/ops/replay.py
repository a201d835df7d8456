"""Repeating a part of a graph on other inputs."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from minikeras.engine.graph import Node, Tensor, current_graph
from minikeras.engine.op import Op
from minikeras.engine.ops.state import Assign, ReadVariable

__all__ = ["replay"]


def replay(outputs: Sequence[Tensor], given: Mapping[Tensor, Any]) -> list[Any]:
    """Return `outputs` computed anew in the current graph.

    Args:
        outputs: what to compute again.
        given: values for some tensors; whatever lies above them is not repeated.

    Assignments are not repeated: they were made once, and what is read back after one
    is the value that was assigned.
    """
    value = dict(given)
    assigned: dict[Any, Any] = {}
    for node in nodes_between(outputs, given):
        made = _repeat(node, [value[x] for x in node.inputs], assigned)
        for y, new in zip(node.outputs, made, strict=True):
            value.setdefault(y, new)
    return [value[y] for y in outputs]


def nodes_between(outputs: Iterable[Tensor], given: Container[Tensor]) -> list[Node]:
    """Return the nodes that compute `outputs` from `given`, in order of creation."""
    needed: set[Node] = set()
    frontier = [y.node for y in outputs if y not in given]
    while frontier:
        node = frontier.pop()
        if node not in needed:
            needed.add(node)
            frontier.extend(x.node for x in node.inputs if x not in given)
    return sorted(needed, key=lambda node: node.index)


def _repeat(
    node: Node, inputs: Sequence[Any], assigned: dict[Any, Any]
) -> Sequence[Any]:
    op: Any = node.op
    if isinstance(op, Assign):
        assigned[op.handle] = inputs[0]
        return inputs
    if isinstance(op, ReadVariable) and op.handle in assigned:
        return [assigned[op.handle]]
    made = op(*inputs) if inputs else _place(op, node)
    return made if isinstance(made, tuple) else (made,)


def _place(op: Op, node: Node) -> tuple[Tensor, ...]:
    """Add a node without inputs, such as a constant, as it is."""
    graph = current_graph()
    specs = tuple(y.spec for y in node.outputs)
    made = specs if node.several else specs[0]
    return graph.add(op, (), made, graph.unique_name(node.name)).outputs

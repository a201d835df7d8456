"""An engine's graph as TensorBoard's graph view reads it: TensorFlow's GraphDef."""

from __future__ import annotations

from collections.abc import Sequence

from minikeras.engine.graph import Graph, Node, Tensor
from minikeras.tensorboard import wire

__all__ = ["graph_definition"]


def graph_definition(graph: Graph) -> bytes:
    """Return a graph's nodes, with their ops, inputs and the shapes of their outputs.

    Scopes in names, as in ``dense/MatMul``, become boxes that can be opened.
    """
    nodes = (wire.data(1, _node(node)) for node in graph.get_operations())
    return b"".join(nodes)


def _node(node: Node) -> bytes:
    inputs = [_input(tensor) for tensor in node.inputs]
    inputs += [f"^{other.name}" for other in node.control_inputs]
    shapes = wire.data(1, *(wire.data(7, _shape(y)) for y in node.outputs))
    attribute = wire.data(1, "_output_shapes"), wire.data(2, shapes)
    return b"".join(
        (
            wire.data(1, node.name),
            wire.data(2, node.type),
            *(wire.data(3, name) for name in inputs),
            wire.data(5, *attribute),
        )
    )


def _input(tensor: Tensor) -> str:
    """Return its name, without the index if that is 0, as GraphDef has it."""
    return tensor.name.removesuffix(":0")


def _shape(tensor: Tensor) -> bytes:
    shape: Sequence[int | None] | None = tensor.spec.shape
    if shape is None:
        return wire.integer(3, 1)
    sizes = (-1 if size is None else size for size in shape)
    return b"".join(wire.data(2, wire.integer(1, size)) for size in sizes)

"""The global step: the one variable that counts a training's updates."""

from __future__ import annotations

from minikeras.engine.graph import Graph, current_graph
from minikeras.engine.session import Session
from minikeras.engine.variables import GraphKeys, Variable

__all__ = [
    "create_global_step",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
]


def get_global_step(graph: Graph | None = None) -> Variable | None:
    """Return the global step of `graph` (the current one), None if it has none."""
    found = (graph or current_graph()).get_collection(GraphKeys.GLOBAL_STEP)
    return found[0] if found else None


def create_global_step(graph: Graph | None = None) -> Variable:
    """Make the global step of `graph` (the current one): an int64 that starts from 0.

    Raises:
        ValueError: if there is one already.
    """
    graph = graph or current_graph()
    if get_global_step(graph) is not None:
        raise ValueError("the graph has a global step already")
    with graph.as_default(), graph.name_scope(None):
        return Variable(
            0,
            trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
            name="global_step",
            dtype="int64",
        )


def get_or_create_global_step(graph: Graph | None = None) -> Variable:
    """Return the global step of `graph` (the current one), made if need be."""
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def global_step(sess: Session, global_step_tensor: Variable) -> int:
    """Return the value of the global step in a session."""
    return int(sess.run(global_step_tensor))

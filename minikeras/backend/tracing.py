"""Traces: while one is active, assignments are recorded instead of carried out.

What was traced holds until the objects in it change; `last_change` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any

from minikeras.engine.graph import Graph, Node, Tensor, graph_of

__all__ = [
    "Trace",
    "current_trace",
    "init_scope",
    "last_change",
    "note_change",
    "separate_graph",
    "symbolic_scope",
    "tracing",
]


class Trace:
    """One recording: the graph it goes to and the updates that were made.

    Attributes:
        graph: where nodes are added.
        updates: assignments to carry out when the recorded function runs.
        is_symbolic: whether it only connects layers to a model's symbolic inputs.
    """

    def __init__(self, graph: Graph, is_symbolic: bool = False) -> None:
        self.graph = graph
        self.is_symbolic = is_symbolic
        self.updates: list[Node] = []

    @property
    def handles(self) -> list[Any]:
        """The variables that the updates change, each once."""
        assigned = (node.op.handle for node in self.updates)  # type: ignore[attr-defined]
        return list(dict.fromkeys(assigned))


class _Active(local):
    def __init__(self) -> None:
        self.traces: list[Trace | None] = []


_active = _Active()
_last_change = object()


def current_trace() -> Trace | None:
    """Return the trace that is being recorded, None if there is none."""
    return _active.traces[-1] if _active.traces else None


@contextmanager
def tracing() -> Iterator[Trace]:
    """Record everything computed inside into a graph of its own."""
    trace = Trace(Graph())
    _active.traces.append(trace)
    try:
        with trace.graph.as_default():
            yield trace
    finally:
        _active.traces.remove(trace)


@contextmanager
def symbolic_scope(tensors: Sequence[Tensor] = ()) -> Iterator[Trace]:
    """Extend the graph of `tensors`; updates made inside are dropped.

    This is how layers are connected to a model's symbolic inputs: shapes and nodes
    are wanted, changes of state are not.
    """
    trace = current_trace()
    if trace is not None:
        yield trace
        return
    trace = Trace(graph_of(tensors), is_symbolic=True)
    _active.traces.append(trace)
    try:
        with trace.graph.as_default():
            yield trace
    finally:
        _active.traces.remove(trace)


@contextmanager
def init_scope() -> Iterator[None]:
    """Compute and assign at once inside, even where a trace is being recorded.

    This is how a layer that is built in the middle of a trace gets real weights.
    """
    _active.traces.append(None)
    try:
        yield
    finally:
        _active.traces.pop()


@contextmanager
def separate_graph() -> Iterator[Graph]:
    """Build in a graph of its own inside, out of any trace that is being recorded."""
    graph = Graph()
    with init_scope(), graph.as_default():
        yield graph


def note_change() -> None:
    """Note that an object changed, unless a trace did it: traces may be out of date."""
    global _last_change
    if current_trace() is None:
        _last_change = object()


def last_change() -> object:
    """Return what stands for the last change that was noted, the same until the next.

    It is compared by identity, so that a copy which comes out of a file is none.
    """
    return _last_change

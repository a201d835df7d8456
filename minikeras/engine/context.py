"""What the ``with`` blocks around have entered: graphs, sessions, and laziness.

Each thread has its own. Nothing here knows what a graph or a session is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from minikeras.engine.errors import SessionError
from minikeras.engine.registry import find

if TYPE_CHECKING:
    from minikeras.engine.graph import Graph, Node

__all__ = [
    "Request",
    "default_session",
    "entered_graph",
    "grant_name",
    "is_building",
    "is_lazy",
    "lazily",
    "needed_session",
    "pop_graph",
    "pop_session",
    "push_graph",
    "push_session",
    "requested_name",
]


class Request:
    """A name that a caller wants for a result, and the node that has it so far."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.node: Node | None = None

    def settle(self, result: Any) -> Any:
        """Return `result`, whose node gets the name wherever it went on the way."""
        several = isinstance(result, (list, tuple))
        first: Any = next(iter(result), None) if several else result
        final: Any = getattr(first, "node", first)  # of a tensor, or itself
        if self.name is None or not hasattr(final, "control_inputs"):
            return result
        taken = self.node
        if taken and final.graph is taken.graph and final.index >= taken.index:
            final.graph.exchange_names(final, taken)
        elif hasattr(result, "node"):  # was there before: a new node for the name
            return find("identity")()(result, name=self.name)
        return result


class _State(threading.local):
    def __init__(self) -> None:
        self.graphs: list[Graph] = []
        self.sessions: list[Any] = []
        self.lazy = 0
        self.request = Request(None)


_state = _State()


def entered_graph() -> Graph | None:
    """Return the graph of the innermost ``with graph.as_default():``, None outside."""
    return _state.graphs[-1] if _state.graphs else None


def push_graph(graph: Graph) -> None:
    """Build in `graph`, until `pop_graph`."""
    _state.graphs.append(graph)


def pop_graph(graph: Graph) -> None:
    """Undo the last `push_graph` of `graph`."""
    _drop_last(_state.graphs, graph)


@contextmanager
def lazily(name: str | None = None) -> Iterator[Request]:
    """Build nodes inside even from plain numbers, as TensorFlow 1 does.

    Outside, an op that is called on arrays alone computes at once. `name` goes to the
    first node made inside, so that errors show it, and in the end to the result's.
    """
    before, _state.request = _state.request, Request(name)
    _state.lazy += 1
    try:
        yield _state.request
    finally:
        _state.lazy -= 1
        _state.request = before


def is_lazy() -> bool:
    """Whether ops on plain numbers build nodes just now."""
    return _state.lazy > 0


def is_building() -> bool:
    """Whether a graph is under construction: one entered by ``with``, or lazily."""
    return _state.lazy > 0 or bool(_state.graphs)


def requested_name() -> str | None:
    """Return the name wanted for the result under way, if no node has it yet."""
    return None if _state.request.node else _state.request.name


def grant_name(node: Node) -> None:
    """Note that `node` took the requested name."""
    _state.request.node = node


def push_session(session: Any) -> None:
    """Make `session` the default one, until `pop_session`."""
    _state.sessions.append(session)


def pop_session(session: Any) -> None:
    """Undo the last `push_session` of `session`."""
    _drop_last(_state.sessions, session)


def _drop_last(stack: list[Any], item: Any) -> None:
    for i in reversed(range(len(stack))):
        if stack[i] is item:
            del stack[i]
            return


def default_session() -> Any:
    """Return the default session, or None."""
    return _state.sessions[-1] if _state.sessions else None


def needed_session() -> Any:
    """Return the default session.

    Raises:
        SessionError: if there is none.
    """
    session = default_session()
    if session is None:
        raise SessionError(
            "no default session: use `with Session() as session:`, or pass session="
        )
    return session

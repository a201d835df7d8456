"""What a model's graph of layers is made of: calls of layers on symbolic tensors.

Beneath, the engine has a graph of operations. Above it, each call of a layer on
symbolic tensors is noted as a `CallNode`, and each tensor that comes out of one carries
a `History`: which layer made it, at which of its calls, as which output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from minikeras import backend as K

__all__ = [
    "CallNode",
    "History",
    "get_source_inputs",
    "history_of",
    "set_history",
    "symbolic_leaves",
]


class History(NamedTuple):
    """Where a symbolic tensor comes from."""

    operation: Any
    node_index: int
    tensor_index: int

    def apply(
        self,
        function: str,
        compute: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Make a call of a function of `ops`, or of an operator, on tensors like this.

        Between layers it becomes an operation of the model; within one it is computed.
        """
        if K.current_trace() is not None:
            return compute(*args, **(kwargs or {}))
        return self.operation.joined(function, compute, args, kwargs or {})


def symbolic_leaves(structure: Any) -> list[K.Tensor]:
    """Return the tensors in any nesting of values."""
    return [x for x in K.tree.flatten(structure) if isinstance(x, K.Tensor)]


class CallNode:
    """One call of a layer on symbolic tensors.

    Args:
        operation: the layer.
        args: its positional arguments, with the tensors in them.
        kwargs: its named arguments.
        outputs: what the call returned.
    """

    def __init__(
        self, operation: Any, args: Sequence[Any], kwargs: dict[str, Any], outputs: Any
    ) -> None:
        self.operation = operation
        self.args = tuple(args)
        self.kwargs = dict(kwargs)
        self.outputs = outputs
        self.input_tensors = symbolic_leaves((self.args, self.kwargs))
        self.output_tensors = symbolic_leaves(outputs)
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, tensor in enumerate(self.output_tensors):
            set_history(tensor, History(operation, index, i))

    @property
    def parent_nodes(self) -> list[CallNode]:
        """The calls whose outputs it takes."""
        histories = [history_of(x) for x in self.input_tensors]
        return [h.operation._inbound_nodes[h.node_index] for h in histories if h]


def set_history(tensor: K.Tensor, history: History) -> None:
    """Note where `tensor` comes from."""
    tensor._keras_history = history  # type: ignore[attr-defined]


def history_of(tensor: Any) -> History | None:
    """Return where `tensor` comes from, None if no layer made it."""
    return getattr(tensor, "_keras_history", None)


def get_source_inputs(tensor: K.Tensor) -> list[K.Tensor]:
    """Return the model inputs that `tensor` depends on, or itself if none made it.

    Example:
        >>> from minikeras.layers import Dense, Input
        >>> x = Input((3,))
        >>> get_source_inputs(Dense(2)(x)) == [x]
        True
    """
    found: dict[K.Tensor, None] = {}
    frontier, seen = [tensor], set()
    while frontier:
        x = frontier.pop()
        if x in seen:
            continue
        seen.add(x)
        history = history_of(x)
        if history is None:
            inputs = K.ancestors(x, lambda t: history_of(t) is not None)
        else:
            inputs = history.operation._inbound_nodes[history.node_index].input_tensors
        if not inputs:
            found[x] = None
        frontier.extend(reversed(inputs))
    return list(found)

"""Parts of the graph as something to look at and to repeat on other inputs."""

from __future__ import annotations

from collections.abc import Callable

from minikeras.engine.graph import Tensor
from minikeras.engine.ops.replay import replay

__all__ = ["ancestors", "op_name", "replay"]


def op_name(tensor: Tensor) -> str:
    """Return the name of the operation that computes `tensor`: ``"multiply"``."""
    return tensor.node.op.name


def ancestors(tensor: Tensor, wanted: Callable[[Tensor], bool]) -> list[Tensor]:
    """Return the nearest `wanted` tensors above `tensor`, in order of creation."""
    found: dict[Tensor, None] = {}
    seen: set[Tensor] = set()
    frontier = list(tensor.node.inputs)
    while frontier:
        x = frontier.pop()
        if wanted(x):
            found[x] = None
        elif x not in seen:
            seen.add(x)
            frontier.extend(x.node.inputs)
    return sorted(found, key=lambda x: x.node.index)

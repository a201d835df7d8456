"""What building may take, where a limit is set: nodes of graphs, and bytes.

A config from a file may ask for a loop that is unrolled over a million steps, or for
numbers that no memory holds. Where it is read a limit is set, and whatever is built
inside is counted against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikeras.engine.graph import Node
    from minikeras.engine.spec import Spec

__all__ = ["allocation_limit"]


class _Allowance:
    """What is left of a limit."""

    def __init__(self, size: int, nodes: float) -> None:
        self.size, self.nodes = size, nodes
        self.size_left, self.nodes_left = size, nodes


_allowance: ContextVar[_Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allocation_limit(size: int, nodes: float = math.inf) -> Iterator[None]:
    """Limit what is built inside.

    Args:
        size: how many bytes variables may take, all of them together; and other values
            that are computed while building, each of them.
        nodes: how many there may be in graphs.

    Raises:
        MemoryError: before more is taken.
    """
    token = _allowance.set(_Allowance(size, nodes))
    try:
        yield
    finally:
        _allowance.reset(token)


def charge_variable(handle: Any) -> None:
    """Take a variable's bytes off the limit, if there is one."""
    found = _allowance.get()
    if found is None:
        return
    found.size_left -= math.prod(n or 0 for n in handle.shape or ()) * handle.dtype.size
    if found.size_left < 0:
        raise MemoryError(
            f"variable '{handle.name}' of shape {handle.shape} would take more than is "
            f"left of {found.size:,} bytes"
        )


def charge_node(node: Node) -> None:
    """Take a node off the limit, if there is one."""
    found = _allowance.get()
    if found is None:
        return
    found.nodes_left -= 1
    if found.nodes_left < 0:
        raise MemoryError(
            f"'{node.name}' would take more than the {found.nodes:,} nodes that may be "
            "built of it"
        )


def check_values(what: Any, specs: Spec | tuple[Spec, ...]) -> None:
    """Demand that values that are about to be computed keep within the limit."""
    found = _allowance.get()
    if found is None:
        return
    for spec in specs if isinstance(specs, tuple) else (specs,):
        size = math.prod(n or 0 for n in spec.shape or ()) * spec.dtype.size
        if size > found.size:
            raise MemoryError(
                f"{what}: a value of shape {spec.shape} would take more than "
                f"{found.size:,} bytes"
            )

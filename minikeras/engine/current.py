"""What a program works with just now: its graph, its session, their settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from minikeras.engine.context import default_session
from minikeras.engine.graph import Graph, Node, current_graph

__all__ = [
    "ConfigProto",
    "GPUOptions",
    "Operation",
    "add_to_collection",
    "device",
    "get_collection",
    "get_collection_ref",
    "get_default_graph",
    "get_default_session",
]


Operation = Node


def get_default_graph() -> Graph:
    """Return the graph to which new nodes are added."""
    return current_graph()


def get_default_session() -> Any:
    """Return the session in which `Tensor.eval` runs, None if there is none."""
    return default_session()


def add_to_collection(name: str, value: Any) -> None:
    """Append `value` to a collection of the current graph."""
    current_graph().add_to_collection(name, value)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """Return a copy of a collection of the current graph.

    With a `scope` only of items whose name begins with it (a regular expression).
    """
    return current_graph().get_collection(key, scope)


def get_collection_ref(key: str) -> list[Any]:
    """Return a collection of the current graph itself."""
    return current_graph().get_collection_ref(key)


# -- accepted, and without effect ------------------------------------------------------


class GPUOptions(SimpleNamespace):
    """Settings for a GPU, which a TensorFlow 1 program may make; nothing reads them."""


class ConfigProto(SimpleNamespace):
    """Settings of a session, which a TensorFlow 1 program may make; nothing reads them.

    Example:
        >>> config = ConfigProto(allow_soft_placement=True)
        >>> config.gpu_options.allow_growth = True
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"gpu_options": GPUOptions(), **settings})


@contextmanager
def device(device_name_or_function: Any) -> Iterator[None]:
    """Accept a TensorFlow 1 device; all runs where the array library is."""
    yield

"""Names of layers, such as ``dense_1``, and paths, such as ``model/dense/kernel``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from minikeras.backend.session import on_clear
from minikeras.engine.graph import current_graph

__all__ = [
    "auto_name",
    "current_path",
    "layer_scope",
    "name_scope",
    "to_snake_case",
    "uniquify",
]

_used: dict[str, int] = {}
_path: list[str] = []

on_clear(_used.clear)


def to_snake_case(name: str) -> str:
    """Return a class name in small letters, words joined by ``_``.

    Example:
        >>> [to_snake_case(n) for n in ("Conv2D", "ReLU", "LSTM", "BatchNormalization")]
        ['conv2d', 're_lu', 'lstm', 'batch_normalization']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """Return `name`, with a counter from its second use on."""
    count = _used.get(name)
    _used[name] = 0 if count is None else count + 1
    return name if count is None else f"{name}_{count + 1}"


def auto_name(prefix: str) -> str:
    """Return a new name made of `prefix` in snake case."""
    return uniquify(to_snake_case(prefix))


def current_path() -> str:
    """Return the names of the scopes around, joined by ``/``."""
    return "/".join(_path)


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Put variables and nodes made inside under ``name/``."""
    _path.append(name)
    try:
        with current_graph().name_scope(name):
            yield name
    finally:
        _path.pop()


@contextmanager
def layer_scope(name: str) -> Iterator[str]:
    """Enter the scope of a layer, unless it has been entered by the layer's call."""
    if _path and _path[-1] == name:
        yield name
    else:
        with name_scope(name):
            yield name

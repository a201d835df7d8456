"""Names of layers, such as ``dense_1``, and paths, such as ``model/dense/kernel``."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, ExitStack, nullcontext
from threading import local
from typing import Any

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


class _Scopes(local):
    def __init__(self) -> None:
        self.path: list[tuple[str, Any]] = []  # names, with what entered them


_scopes = _Scopes()


def current_path() -> str:
    """Return the names of the scopes around, joined by ``/``."""
    return "/".join(name for name, _ in _scopes.path)


class name_scope:  # noqa: N801 - Keras's name
    """Puts variables and nodes made inside under ``name/``.

    Args:
        name: without a ``/``.
        caller: what enters the scope; if it is the same as that which entered the scope
            around, under the same name, the two are one.
        deduplicate: whether that is so.
        override_parent: a path to take the place of all scopes around.

    Raises:
        ValueError: if `name` is no string, or has a ``/`` in it.

    Example:
        >>> with name_scope("outer"), name_scope("inner"):
        ...     print(current_path())
        outer/inner
    """

    def __init__(
        self,
        name: str,
        caller: Any = None,
        deduplicate: bool = True,
        override_parent: str | None = None,
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name}"
            )
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate and caller is not None
        self.override_parent = override_parent

    def __enter__(self) -> name_scope:
        self._before = _scopes.path
        self._nodes = ExitStack()
        own, around = (self.name, self.caller), self._before[-1:]
        if not (self.deduplicate and around == [own]):
            parents = self._before
            if self.override_parent is not None:
                parents = [(n, None) for n in self.override_parent.split("/") if n]
            _scopes.path = [*parents, own]
            self._nodes.enter_context(current_graph().name_scope(self.name))
        return self

    def __exit__(self, *error: object) -> None:
        _scopes.path = self._before
        self._nodes.close()


def layer_scope(name: str) -> AbstractContextManager[Any]:
    """Return the scope of a layer, unless it has been entered by the layer's call."""
    path = _scopes.path
    return nullcontext() if path and path[-1][0] == name else name_scope(name)

"""Objects that several others hold: one in a file, and one again when it is read."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

__all__ = ["ObjectSharingScope"]

_KEY = "shared_object_id"


class ObjectSharingScope:
    """Inside, an object that is written twice is known to be one, and read as one.

    Its configs carry the same ``shared_object_id``, as Keras's do.
    """

    def __init__(self) -> None:
        self.configs: dict[
            int, tuple[Any, dict[str, Any]]
        ] = {}  # by id, with its object
        self.objects: dict[Any, Any] = {}

    def __enter__(self) -> ObjectSharingScope:
        self._token = _scope.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        _scope.reset(self._token)


_scope: ContextVar[ObjectSharingScope | None] = ContextVar("sharing", default=None)


def note_written(obj: Any, config: dict[str, Any]) -> None:
    """Note the config of an object; the second time, mark both as the same."""
    scope = _scope.get()
    if scope is None:
        return
    key = id(obj)
    if key in scope.configs:
        config[_KEY] = scope.configs[key][1][_KEY] = key
    else:
        scope.configs[key] = obj, config


def read_before(config: dict[str, Any]) -> Any:
    """Return the object that was read from a config with the same mark, else None."""
    scope, key = _scope.get(), config.get(_KEY)
    return scope.objects.get(key) if scope and isinstance(key, (int, str)) else None


def note_read(obj: Any, config: dict[str, Any]) -> None:
    """Note the object of a marked config."""
    scope = _scope.get()
    if scope is not None and isinstance(config.get(_KEY), (int, str)):
        scope.objects[config[_KEY]] = obj

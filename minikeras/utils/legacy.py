"""Configs in the form of Keras 2, which old files hold: a class's name, no module."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from minikeras.backend import (
    custom_object_scope,
    get_registered_name,
    get_registered_object,
)

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """Return an object's config, ``{"class_name": ..., "config": ...}``.

    Objects among its values become configs, too; of a function or class the name is
    returned, and None of None.

    Raises:
        ValueError: if it has neither a ``get_config`` nor a name.
    """
    instance = inspect.unwrap(instance)
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        config = {k: _written(v) for k, v in instance.get_config().items()}
        return {"class_name": get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(
        f"Cannot serialize {instance} because it doesn't implement `get_config()`."
    )


def _written(value: Any) -> Any:
    if not (hasattr(value, "get_config") or hasattr(value, "__name__")):
        return value
    written = serialize_keras_object(value)
    if isinstance(written, dict):
        written["__passive_serialization__"] = True
    return written


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Return the object meant by a config, or by the name of a class or function.

    Args:
        identifier: what `serialize_keras_object` returned, or a name.
        module_objects: classes and functions by name: those that Keras would have.
        custom_objects: a user's, which come first.
        printable_module_name: what the object is called in messages.

    Raises:
        ValueError: if there is no class or function of that name, or `identifier` is
            neither a config nor a name.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = _found(identifier, module_objects, custom_objects)
        if found is None:
            raise ValueError(_unknown(printable_module_name, identifier))
        return found() if inspect.isclass(found) else found
    if inspect.isfunction(identifier):
        return identifier
    if not isinstance(identifier, dict) or "class_name" not in identifier:
        raise ValueError(
            f"Could not interpret serialized {printable_module_name}: {identifier}"
        )
    cls = _found(identifier["class_name"], module_objects, custom_objects)
    if cls is None:
        raise ValueError(_unknown(printable_module_name, identifier["class_name"]))
    config = {
        k: _read(v, module_objects, custom_objects)
        for k, v in identifier.get("config", {}).items()
    }
    with custom_object_scope(custom_objects):
        return cls.from_config(config) if hasattr(cls, "from_config") else cls(**config)


def _read(value: Any, *known: Mapping[str, Any] | None) -> Any:
    """Return the value of a config's entry, which may be a config that was written."""
    if not (isinstance(value, dict) and "__passive_serialization__" in value):
        return value
    return deserialize_keras_object(value, *known, printable_module_name="config_item")


def _found(name: str, ours: Any, custom: Any) -> Any:
    return get_registered_object(name, custom, ours)


def _unknown(kind: str, name: str) -> str:
    return (
        f"Unknown {kind}: '{name}'. Please ensure you are using a "
        "`keras.utils.custom_object_scope` and that this object is included in the "
        "scope."
    )

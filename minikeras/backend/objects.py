"""Which class or function a name means: those of the rooms, and those of users.

An object is found if a room lists it, or a user has registered it or passed it in. A
room may list a class by its name and its module alone: that module is imported when the
class is sought, and so are the rooms. No other name ever leads to an import.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "did_you_mean",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "publish_late",
    "register_keras_serializable",
    "registry_of",
]

T = TypeVar("T")


# -- what users add --------------------------------------------------------------------

_registered: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}
_scope: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "custom_objects", default=None
)


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let `custom_objects`, classes and functions by name, be found inside."""
    token = _scope.set({**(_scope.get() or {}), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)


CustomObjectScope = custom_object_scope


def get_custom_objects() -> dict[str, Any]:
    """Return the dictionary itself in which registered objects are kept."""
    return _registered


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Return a decorator by which a class or function can be saved and loaded.

    Args:
        package: the first part of the registered name, ``package>name``.
        name: the second part; by default the object's own.

    Raises:
        ValueError: for a class without ``get_config``.
    """

    def decorator(obj: Any) -> Any:
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                "Cannot register a class that does not have a get_config() method."
            )
        full_name = f"{package}>{name or obj.__name__}"
        _registered[full_name] = obj
        _registered_names[obj] = full_name
        return obj

    return decorator


def get_registered_name(obj: Any) -> str:
    """Return the name under which `obj` is registered, else its own."""
    return str(_registered_names.get(obj) or obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the class or function that a user calls `name`, None if there is none."""
    for objects in (_scope.get(), _registered, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


# -- what rooms list -------------------------------------------------------------------

_ROOMS = (
    "activations",
    "applications",
    "constraints",
    "distillation",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "random",
    "regularizers",
)
_registries: dict[str, Any] = {}  # by what their objects are called
_places: dict[Any, tuple[str, str]] = {}  # an object's public module and name
_classes: dict[tuple[str | None, str], Any] = {}  # classes by these
_functions: dict[str, Any] = {}  # functions by name alone, as in files
_late: dict[tuple[str | None, str], str] = {}  # modules of classes not imported yet
_late_places: dict[tuple[str, str], str] = {}  # the other way: public ones of those


@functools.cache
def _enter_rooms() -> None:
    """Import all rooms, so that what they list is known."""
    for room in _ROOMS:
        importlib.import_module(f"minikeras.{room}")


def enter_registry(registry: Any) -> None:
    """Let `registry_of` find a registry, by the kind of its objects."""
    _registries[registry.kind] = registry


def registry_of(kind: str) -> Any:
    """Return the registry of objects of a kind, such as ``"initializer"``."""
    if kind not in _registries:
        _enter_rooms()
    return _registries[kind]


def publish(obj: Any, module: str) -> None:
    """Let a class or function be known as one of Keras's `module`.

    It goes by its name, or if it has one by its `public_name`.
    """
    name = vars(obj).get("public_name", obj.__name__)
    _places.setdefault(obj, (module, name))
    if inspect.isclass(obj):
        _classes[module, name] = obj
    else:
        _functions.setdefault(name, obj)


def publish_late(homes: Mapping[str, str], module: str) -> None:
    """Let classes be known as those of Keras's `module` before they are imported.

    Args:
        homes: from their names to the modules that have them.
        module: Keras's.
    """
    for name, home in homes.items():
        _late[module, name] = home
        _late_places[home, name] = module


def _arrived(module: str | None, name: str) -> Any:
    """Return the class that was announced, None if none of this name was."""
    home = _late.get((module, name))
    if home is None:
        return None
    obj = getattr(importlib.import_module(home), name)
    if obj not in _places:
        publish(obj, str(module))
    return obj


def place_of(obj: Any) -> tuple[str, str] | None:
    """Return the public module and name of a room's object, None for any other."""
    if obj not in _places:
        own = getattr(obj, "__module__", ""), getattr(obj, "__name__", "")
        if own in _late_places:
            publish(obj, _late_places[own])
    return _places.get(obj)


# -- finding them ----------------------------------------------------------------------


def find_class(name: str, module: str | None, registered_name: str | None) -> Any:
    """Return the class meant by a config: a user's first, of that module if it can be.

    Raises:
        TypeError: if there is none of this name.
    """
    custom = get_registered_object(registered_name or name)
    found = custom or _classes.get((module, name)) or _arrived(module, name)
    if found is None:
        _enter_rooms()
        modules = [other for other, key in (*_classes, *_late) if key == name]
        place = min(modules, key=lambda m: (m != module, ".src." in str(m)), default="")
        found = _classes.get((place, name)) or _arrived(place, name)
    return found or not_found("class", name, {key for _, key in (*_classes, *_late)})


def find_function(name: str) -> Any:
    """Return the function of this name: a user's first.

    Raises:
        TypeError: if there is none.
    """
    found = get_registered_object(name)
    if found is None:
        _enter_rooms()
        found = _functions.get(name) or _of_any_package(name)
    return found or not_found("function", name, _functions)


def _of_any_package(name: str) -> Any:
    """Return what is registered under this name: Keras 3.6 wrote no package."""
    ends = (obj for key, obj in _registered.items() if key.endswith(f">{name}"))
    return next(ends, None)


def not_found(kind: str, name: str, known: Iterable[str]) -> NoReturn:
    """Say that there is no such object, and which may have been meant."""
    raise TypeError(
        f"Could not locate {kind} '{name}'.{did_you_mean(name, known)} Make sure that "
        "custom classes and functions are decorated with "
        "`@register_keras_serializable()`, and that the module which does so is "
        "imported before they are loaded."
    )


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Return a question that names what may have been meant, or nothing."""
    others = [other for other in known if other != name]
    near = difflib.get_close_matches(str(name), others, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""

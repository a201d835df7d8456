"""Objects as configs and back, and the names by which each room knows its objects.

A config is Keras's own, so that files move both ways::

    {"module": "keras.losses", "class_name": "Huber", "config": {"delta": 1.0, ...},
     "registered_name": None}

Reading one never imports anything: a class is found if a room has listed it in its
`Registry`, or a user has registered it or passed it in.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

import numpy as np

__all__ = [
    "Configured",
    "CustomObjectScope",
    "Registry",
    "constructor_arguments",
    "custom_object_scope",
    "deserialize_keras_object",
    "did_you_mean",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
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


# -- configs of constructors -----------------------------------------------------------


class Configured:
    """What can be made again from its constructor's arguments.

    Each argument is kept as an attribute of the same name; the config is those. A
    constructor with ``**kwargs`` passes them on, so that its base's arguments count.
    """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        names = (
            name for name in constructor_arguments(type(self)) if hasattr(self, name)
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a new object made from what `get_config` returned.

        Arguments that are configs themselves become the objects they describe.
        """
        nested = {k: _read(v) for k, v in config.items() if isinstance(v, dict)}
        return cls(**{**config, **nested})


@functools.cache
def constructor_arguments(cls: type) -> tuple[str, ...]:
    """Return the names of a constructor's arguments, those it passes on included."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in base.__dict__:
            _, *parameters = inspect.signature(base.__init__).parameters.values()
            kinds = [p.kind for p in parameters]
            variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            names.update({p.name: None for p in parameters if p.kind not in variable})
            if inspect.Parameter.VAR_KEYWORD not in kinds:
                break
    return tuple(names)


# -- from objects to configs -----------------------------------------------------------


@functools.singledispatch
def serialize_keras_object(obj: Any) -> Any:
    """Return `obj` as numbers, strings, lists and dictionaries.

    Raises:
        TypeError: if it is none of these, no function, and has no ``get_config``.
        ValueError: for a lambda, which has no name to find it by.

    Example:
        >>> serialize_keras_object([1, (2.0, None)])
        [1, (2.0, None)]
    """
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a "
            "class must implement the `get_config()` method."
        )
    cls = type(obj)
    module, name = _places.get(cls, (cls.__module__, cls.__name__))
    config = {
        "module": None if module == "__main__" else module,
        "class_name": name,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": None if cls in _places else get_registered_name(cls),
    }
    for key in ("build_config", "compile_config"):
        found = getattr(obj, f"get_{key}", lambda: None)()
        if found is not None:
            config[key] = serialize_keras_object(found)
    return config


@serialize_keras_object.register(type(None))
@serialize_keras_object.register(bool)
@serialize_keras_object.register(int)
@serialize_keras_object.register(float)
def _(obj: Any) -> Any:
    return obj


@serialize_keras_object.register(str)
def _(obj: str) -> str:
    return str(obj)  # a dtype is a string with methods: leave those behind


@serialize_keras_object.register(list)
@serialize_keras_object.register(tuple)
def _(obj: Any) -> Any:
    parts = [serialize_keras_object(x) for x in obj]
    return tuple(parts) if isinstance(obj, tuple) else parts


@serialize_keras_object.register(dict)
def _(obj: dict[str, Any]) -> dict[str, Any]:
    return {key: serialize_keras_object(value) for key, value in obj.items()}


@serialize_keras_object.register(np.generic)
def _(obj: np.generic) -> Any:
    return obj.item()


@serialize_keras_object.register(np.ndarray)
def _(obj: np.ndarray[Any, Any]) -> Any:
    if not obj.ndim:
        return obj.item()
    return _special("__numpy__", value=obj.tolist(), dtype=obj.dtype.name)


@serialize_keras_object.register(bytes)
def _(obj: bytes) -> Any:
    return _special("__bytes__", value=obj.decode())


@serialize_keras_object.register(slice)
def _(obj: slice) -> Any:
    return _special("__slice__", start=obj.start, stop=obj.stop, step=obj.step)


@serialize_keras_object.register(types.EllipsisType)
def _(obj: types.EllipsisType) -> Any:
    return _special("__ellipsis__")


@serialize_keras_object.register(types.BuiltinFunctionType)
@serialize_keras_object.register(types.FunctionType)
def _(obj: Any) -> Any:
    if obj.__name__ == "<lambda>":
        raise ValueError(
            "a lambda has no name to find it by: define a function, and decorate it "
            "with `@register_keras_serializable()`"
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(obj),
        "registered_name": "function",
    }


def _special(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


# -- and back --------------------------------------------------------------------------

_SPECIAL: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__numpy__": lambda config: np.array(config["value"], config["dtype"]),
    "__tensor__": lambda config: np.array(config["value"], config["dtype"]),
    "__bytes__": lambda config: config["value"].encode(),
    "__slice__": lambda config: slice(config["start"], config["stop"], config["step"]),
    "__ellipsis__": lambda config: Ellipsis,
}


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """Return the object that `serialize_keras_object` described by `config`.

    Args:
        config: what that function returned, or what Keras wrote.
        custom_objects: classes and functions by name, beside those registered.
        safe_mode: accepted; lambdas, which it is about, are never read.

    Raises:
        TypeError: if a class or function is not known here.
        ValueError: for a lambda, which would run code from the file.
    """
    with custom_object_scope(custom_objects):
        return _read(config)


def _read(config: Any) -> Any:
    if isinstance(config, (list, tuple)):
        return [_read(part) for part in config]
    if isinstance(config, str):
        custom = get_registered_object(config)
        return config if custom is None else custom
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _read(value) for key, value in config.items()}
    class_name = config["class_name"]
    if class_name in _SPECIAL:
        return _SPECIAL[class_name](config["config"])
    if class_name == "__lambda__":
        raise ValueError("the config contains a lambda: code from a file is not run")
    if class_name == "function":
        return _function(config["config"])
    return _instance(_class(config), config)


def _instance(cls: Any, config: dict[str, Any]) -> Any:
    """Return an instance of `cls`, built and compiled as `config` says."""
    if isinstance(cls, types.FunctionType):
        return cls
    try:
        obj = cls.from_config(dict(config["config"] or {}))
    except TypeError as error:
        raise TypeError(
            f"{cls} could not be deserialized properly: {error}\n\nconfig={config}"
        ) from error
    if config.get("build_config") and not obj.built:
        obj.build_from_config(config["build_config"])
        obj.built = True
    if config.get("compile_config"):
        obj.compile_from_config(config["compile_config"])
        obj.compiled = True
    return obj


def _class(config: dict[str, Any]) -> Any:
    name = config["class_name"]
    custom = get_registered_object(config.get("registered_name") or name)
    found = custom or _classes.get((config.get("module"), name))
    if found is None:
        found = next((obj for (_, key), obj in _classes.items() if key == name), None)
    return found or _not_found("class", name, [key for _, key in _classes])


def _function(name: str) -> Any:
    custom = get_registered_object(name)
    return custom or _functions.get(name) or _not_found("function", name, _functions)


def _not_found(kind: str, name: str, known: Iterable[str]) -> NoReturn:
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


# -- a room's objects by name ----------------------------------------------------------

_places: dict[Any, tuple[str, str]] = {}  # object: the module and name Keras gives it
_classes: dict[tuple[str | None, str], Any] = {}  # the same for classes, the other way
_functions: dict[str, Any] = {}


class Registry:
    """The objects of one room: its ``get``, ``serialize`` and ``deserialize``.

    Args:
        module: where Keras has these objects, as in ``"keras.losses"``.
        kind: what one of them is called in messages.
        objects: the classes and functions, each known by its own name; of two of one
            name the first counts.
        aliases: further names.
        fold: also know each by ``fold(name)``, as in ``glorot_uniform``.
        default: what `get` returns for None.
        accepts: whether a thing is an object of this kind.
    """

    def __init__(
        self,
        module: str,
        kind: str,
        objects: Iterable[Any],
        aliases: Mapping[str, Any] | None = None,
        fold: Callable[[str], str] = str,
        default: Any = None,
        accepts: Callable[[Any], bool] = callable,
    ) -> None:
        self.module = module
        self.kind = kind
        self.fold = fold
        self.default = default
        self.accepts = accepts
        self.names: dict[str, Any] = {}
        for obj in objects:
            self._add(obj)
        self.names.update(aliases or {})

    def _add(self, obj: Any) -> None:
        name = obj.__name__
        _places.setdefault(obj, (self.module, name))
        if inspect.isclass(obj):
            _classes[self.module, name] = obj
        else:
            _functions.setdefault(name, obj)
        self.names.setdefault(name, obj)
        self.names.setdefault(self.fold(name), obj)

    def find(self, name: str) -> Any:
        """Return the class or function called `name`, None if there is none."""
        custom = get_registered_object(name)
        return custom or self.names.get(name) or self.names.get(self.fold(name))

    def get(self, identifier: Any) -> Any:
        """Return the object meant: by its name, its config, its class, or itself.

        Raises:
            ValueError: if `identifier` means no object of this kind.
        """
        if identifier is None:
            return self.default
        obj = identifier
        if isinstance(identifier, str):
            obj = self.find(identifier)
        elif isinstance(identifier, dict):
            obj = self.deserialize(identifier)
        if inspect.isclass(obj):
            obj = obj()
        if obj is None or not self.accepts(obj):
            named = isinstance(identifier, str)
            hint = did_you_mean(identifier, self.names) if named else ""
            ending = f".{hint}" if hint else ""
            raise ValueError(
                f"Could not interpret {self.kind} identifier: {identifier!r}{ending}"
            )
        return obj

    def serialize(self, obj: Any) -> Any:
        """Return the config of `obj`."""
        return serialize_keras_object(obj)

    def deserialize(
        self, config: Any, custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the object of a config, whose class may go by any name known here.

        Raises:
            TypeError: if its class or function is not known.
        """
        with custom_object_scope(custom_objects):
            if isinstance(config, str):
                return self.find(config) or _not_found(self.kind, config, self.names)
            own = self.find(str(config.get("class_name")))
            if inspect.isclass(own):
                return _instance(own, {"config": {}, **config})
            return _read(config)

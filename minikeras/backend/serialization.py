"""Objects as configs, and back.

A config is Keras's own, so that files move both ways::

    {"module": "keras.losses", "class_name": "Huber", "config": {"delta": 1.0, ...},
     "registered_name": None}
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minikeras.backend.keras_tensor import KerasTensor
from minikeras.backend.objects import (
    custom_object_scope,
    find_class,
    find_function,
    get_registered_name,
    get_registered_object,
    place_of,
)
from minikeras.backend.safety import SafeModeScope, in_safe_mode, stays_here
from minikeras.backend.sharing import note_read, note_written, read_before
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.graph import Tensor

__all__ = [
    "Configured",
    "constructor_arguments",
    "deserialize_keras_object",
    "serialize_keras_object",
    "show_name",
]


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
        nested = {k: read(v) for k, v in config.items() if isinstance(v, dict)}
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


def show_name(cls: Any, name: str) -> None:
    """Let the signature of `cls` say what its name is by default.

    Where it has its constructor from a base, further arguments are not shown.
    """
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    hidden = () if "__init__" in vars(cls) else (inspect.Parameter.VAR_KEYWORD,)
    shown = [p for p in parameters if p.kind not in hidden]
    named = {"name": name}
    cls.__signature__ = inspect.Signature(
        [
            p.replace(default=named[p.name])
            if p.name in named and p.default is None
            else p
            for p in shown
        ]
    )


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
    public = place_of(cls)
    module, name = public or (cls.__module__, cls.__name__)
    known = public and not module.startswith("keras.src.")
    inner = obj.get_config()
    if not isinstance(inner, dict):
        raise TypeError(
            f"The `get_config()` method of {obj} should return a dict. It returned: "
            f"{inner}"
        )
    config = {
        "module": None if module == "__main__" else module,
        "class_name": name,
        "config": serialize_keras_object(inner),
        "registered_name": None if known else get_registered_name(cls),
    }
    for key in ("build_config", "compile_config"):
        found = getattr(obj, f"get_{key}", lambda: None)()
        if found is not None:
            config[key] = serialize_keras_object(found)
    note_written(obj, config)
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
    bounds = {"start": obj.start, "stop": obj.stop, "step": obj.step}
    return _special("__slice__", **serialize_keras_object(bounds))


@serialize_keras_object.register(types.EllipsisType)
def _(obj: types.EllipsisType) -> Any:
    return _special("__ellipsis__")


@serialize_keras_object.register(Tensor)
def _(obj: Tensor) -> Any:
    history = getattr(obj, "_keras_history", None)
    made = history and [history.operation.name, *history[1:]]
    shape = None if obj.shape is None else tuple(obj.shape)
    kind = str(obj.dtype)
    return _special("__keras_tensor__", shape=shape, dtype=kind, keras_history=made)


@serialize_keras_object.register(types.BuiltinFunctionType)
@serialize_keras_object.register(types.FunctionType)
def _(obj: Any) -> Any:
    if stays_here():
        return obj
    if obj.__name__ == "<lambda>":
        raise ValueError(
            "a lambda has no name to find it by, and to read its code from a file "
            "would be arbitrary code execution: define a function, and decorate it "
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


def _array(config: dict[str, Any]) -> Any:
    """Return an array of numbers or truth values: a dtype could hold arrays itself."""
    dtype = as_dtype(config["dtype"]).as_numpy_dtype
    if dtype.kind not in "biufcV":
        raise ValueError(f"an array of dtype {dtype} is not read from a config")
    return np.array(config["value"], dtype)


_SPECIAL: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__numpy__": _array,
    "__tensor__": _array,
    "__bytes__": lambda config: config["value"].encode(),
    "__slice__": lambda config: slice(
        *(read(config[bound]) for bound in ("start", "stop", "step"))
    ),
    "__ellipsis__": lambda config: Ellipsis,
    "__keras_tensor__": lambda config: KerasTensor(config["shape"], config["dtype"]),
}


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Return the object that `serialize_keras_object` described by `config`.

    Args:
        config: what that function returned, or what Keras wrote.
        custom_objects: classes and functions by name, beside those registered.
        safe_mode: whether a config may lead to nothing outside of it, such as the path
            of a vocabulary. Lambdas are never read. A call within another does as that.
        kwargs: ``module_objects``, further classes and functions by name.

    Raises:
        TypeError: if a class or function is not known here, or a config is malformed.
        ValueError: for a lambda, which would run code from the file; and for a built-in
            object that is said to be a user's.
    """
    more = {**(kwargs.pop("module_objects", None) or {}), **(custom_objects or {})}
    outer = in_safe_mode()
    safe = safe_mode if outer is None else outer
    with SafeModeScope(safe), custom_object_scope(more):
        return read(config)


def read(config: Any) -> Any:
    """Return the object of a config, among those known already."""
    if isinstance(config, (list, tuple)):
        return [read(part) for part in config]
    if isinstance(config, str):
        custom = get_registered_object(config)
        return config if custom is None else custom
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: read(value) for key, value in config.items()}
    class_name = config["class_name"]
    if class_name in _SPECIAL:
        return _SPECIAL[class_name](config["config"])
    if class_name == "__lambda__":
        raise ValueError(
            "The config contains a lambda, to read which would be arbitrary code "
            "execution: code from a file is never run."
        )
    if class_name == "function":
        return _function(config)
    before = read_before(config)
    return _class_instance(class_name, config) if before is None else before


def _function(config: dict[str, Any]) -> Any:
    name = config["config"]
    if not isinstance(name, str):
        raise TypeError(
            "Expected 'config' to be a non-null str for a function classname,\n"
            f"instead got {type(name)}\nFull config: {config}"
        )
    found = find_function(name)
    _check_registered_name(found, name, config)
    return found


def _class_instance(class_name: str, config: dict[str, Any]) -> Any:
    if not isinstance(config["config"] or {}, dict):
        raise TypeError(
            f"Expected 'config' to be a dict for {class_name},\ninstead got "
            f"{type(config['config'])}\nFull config: {config}"
        )
    cls = find_class(class_name, config.get("module"), config.get("registered_name"))
    _check_registered_name(cls, class_name, config)
    obj = instance(cls, config)
    note_read(obj, config)
    return obj


def _check_registered_name(found: Any, name: str, config: dict[str, Any]) -> None:
    """Refuse a built-in object under the name of another: something is wrong there."""
    given = config.get("registered_name")
    if given and given not in (name, config["class_name"]) and place_of(found):
        raise ValueError(
            f"`registered_name={given!r}` was provided in the config, but '{name}' "
            "resolved to a Keras built-in and does not use registered names. Remove "
            f"the `registered_name` field from the config. Full object config: {config}"
        )


def instance(cls: Any, config: dict[str, Any]) -> Any:
    """Return an instance of `cls`, built and compiled as `config` says."""
    if isinstance(cls, types.FunctionType):
        return cls
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{config['class_name']}' because "
            "the class is missing a `from_config()` method. Full object config: "
            f"{config}"
        )
    try:
        obj = cls.from_config(dict(config["config"] or {}))
    except TypeError as error:
        raise TypeError(
            f"{cls} could not be deserialized properly. Please ensure that components "
            "that are Python object instances (layers, models, etc.) returned by "
            "`get_config()` are explicitly deserialized in the model's "
            f"`from_config()` method.\n\nconfig={config}.\n\nException encountered: "
            f"{error}"
        ) from error
    if config.get("build_config") and not obj.built:
        obj.build_from_config(config["build_config"])
        obj.built = True
    if config.get("compile_config"):
        obj.compile_from_config(config["compile_config"])
        obj.compiled = True
    return obj

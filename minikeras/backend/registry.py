"""A room's objects by name: what `get`, `serialize`, `deserialize` have in common."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from minikeras.backend.objects import (
    custom_object_scope,
    did_you_mean,
    enter_registry,
    get_registered_object,
    not_found,
    place_of,
    publish,
    publish_late,
)
from minikeras.backend.safety import in_safe_mode
from minikeras.backend.serialization import (
    instance,
    read,
    serialize_keras_object,
)

__all__ = ["Registry"]


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
        top: those of the objects that Keras has in its uppermost module.
        also: further modules whose objects a file may name in place of one of these.
        homes: names of further classes, and the modules that have them, to be imported
            when a class is sought.
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
        top: Iterable[Any] = (),
        also: Iterable[str] = (),
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.also = tuple(also)
        self.kind = kind
        self.fold = fold
        self.default = default
        self.accepts = accepts
        self.names: dict[str, Any] = {}
        for obj in top:
            publish(obj, "keras")
        for obj in objects:
            publish(obj, module)
            self.names.setdefault(obj.__name__, obj)
            self.names.setdefault(fold(obj.__name__), obj)
        self.names.update(aliases or {})
        self._values = frozenset(self.names.values())
        self.homes = dict(homes or {})
        self._late = {key: name for name in self.homes for key in (name, fold(name))}
        publish_late(self.homes, module)
        self.serialize = _serializer(kind.replace(" ", "_"))
        enter_registry(self)

    def find(self, name: str) -> Any:
        """Return the class or function called `name`, None if there is none."""
        custom = get_registered_object(name)
        known = custom or self.names.get(name) or self.names.get(self.fold(name))
        own = self._late.get(name) or self._late.get(self.fold(name))
        if known is None and own is not None:
            known = getattr(importlib.import_module(self.homes[own]), own)
        return known

    def _all_names(self) -> list[str]:
        return [*self.names, *self._late]

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
        if obj is None or not self.accepts(obj) or not self._may_be(obj):
            named = isinstance(identifier, str)
            hint = did_you_mean(identifier, self._all_names()) if named else ""
            ending = f".{hint}" if hint else ""
            raise ValueError(
                f"Could not interpret {self.kind} identifier: {identifier!r}{ending}"
            )
        return obj

    def _may_be(self, obj: Any) -> bool:
        """Whether a file may name this object where one of these is expected.

        It may if the room lists it, or if it is a user's.
        """
        if not in_safe_mode():
            return True
        kinds = (obj,) if inspect.isroutine(obj) else type(obj).__mro__
        places = {place[0] for kind in kinds if (place := place_of(kind))}
        listed = places & {self.module, *self.also} or self._values.intersection(kinds)
        return bool(listed) or not places

    def deserialize(
        self, config: Any, custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the object of a config, whose class may go by any name known here.

        Raises:
            TypeError: if its class or function is not known.
        """
        with custom_object_scope(custom_objects):
            if isinstance(config, str):
                return self.find(config) or not_found(
                    self.kind, config, self._all_names()
                )
            own = self.find(str(config.get("class_name")))
            if inspect.isclass(own):
                return instance(own, {"config": {}, **config})
            return read(config)


def _serializer(argument: str) -> Callable[..., Any]:
    """Return `serialize`, with this name for its only argument."""
    one = inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([one])

    def serialize(*args: Any, **kwargs: Any) -> Any:
        """Return the config of an object."""
        return serialize_keras_object(*signature.bind(*args, **kwargs).args)

    serialize.__signature__ = signature  # type: ignore[attr-defined]
    return serialize

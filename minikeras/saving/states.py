"""The state of a model: which objects have one, and where in a file it stands.

Objects are found by walking through attributes, as Keras does: those of each object in
the order of the alphabet, private ones last, models' layers first. An object's place is
the path on which it is met first. In lists and dicts it goes by its class, not by its
name, so that a file fits every model of the same build.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.optimizers import Optimizer

__all__ = ["Saved", "collected", "restore"]

Folder = Callable[[str], Any]
Values = Mapping[str, np.ndarray[Any, Any]]


class Saved(NamedTuple):
    """What one object gave to be saved.

    Attributes:
        name: of the object, None if it has none.
        values: its arrays, by the keys under which it wants them back.
    """

    name: str | None
    values: dict[str, Any]


def collected(
    model: Any, skip: Iterable[Any] = (), folder: Folder | None = None
) -> dict[str, Saved]:
    """Return the state of a model: by the path of each object its arrays.

    Args:
        model: the model.
        skip: objects to leave out, with all below them.
        folder: from a path to a folder for the files that an object may write; None if
            there are to be none.
    """
    walk = _Walk(skip)
    states: dict[str, Saved] = {}
    for obj, path in walk.through(model):
        walk.done.add(id(obj))
        if hasattr(obj, "save_own_variables"):
            store: dict[str, Any] = {}
            obj.save_own_variables(store)
            values = {key: K.convert_to_numpy(value) for key, value in store.items()}
            name = getattr(obj, "name", None)
            states[path] = Saved(name if isinstance(name, str) else None, values)
        if folder is not None and hasattr(obj, "save_assets"):
            obj.save_assets(folder(path))
    return states


def restore(
    model: Any,
    values_at: Callable[[str], Values],
    skip: Iterable[Any] = (),
    folder: Folder | None = None,
) -> list[tuple[Any, Exception]]:
    """Give the objects of a model their states; return those that failed, and why.

    An object that fails on one path is tried again on others by which it can be met.

    Args:
        model: the model.
        values_at: from a path to the arrays that were saved there, maybe none.
        skip: objects to leave alone, with all below them.
        folder: from a path to the folder of an object's files, None for an object that
            has none; itself None if there are no such files.
    """
    walk = _Walk(skip)
    failed: dict[int, tuple[Any, Exception]] = {}
    for obj, path in walk.through(model):
        values: Values = {}
        try:
            if hasattr(obj, "load_own_variables"):
                values = values_at(path)
                obj.load_own_variables(values)
            if folder is not None and hasattr(obj, "load_assets"):
                obj.load_assets(folder(path))
        except Exception as error:
            if values or id(obj) not in failed:
                failed[id(obj)] = obj, error
        else:
            walk.done.add(id(obj))
            failed.pop(id(obj), None)
    return list(failed.values())


# -- the walk --------------------------------------------------------------------------


class _Walk:
    """A way through the objects below a model.

    Args:
        skip: objects to pass by.

    Attributes:
        done: the ids of objects that need not be met again.
    """

    def __init__(self, skip: Iterable[Any]) -> None:
        self._skipped = list(skip)  # held, so that no other object gets their ids
        self.done = {id(obj) for obj in self._skipped}
        self._above: set[int] = set()

    def through(self, obj: Any, path: str = "") -> Iterator[tuple[Any, str]]:
        """Yield an object and all below it that are not done, each with its path."""
        if id(obj) in self.done or id(obj) in self._above:
            return
        self._above.add(id(obj))
        yield obj, path
        for name, child in _attributes(obj):
            yield from self._into(child, f"{path}/{name}" if path else name)
        self._above.discard(id(obj))

    def _into(self, child: Any, path: str) -> Iterator[tuple[Any, str]]:
        if _is_saveable(child):
            yield from self.through(child, path)
        elif isinstance(child, (list, tuple, dict)) and id(child) not in self._above:
            self._above.add(id(child))
            taken: dict[str, int] = {}
            parts = child.values() if isinstance(child, dict) else child
            for part in list(parts):
                kind = _name_in_container(part)
                if kind is not None:
                    count = taken[kind] = taken.get(kind, -1) + 1
                    name = f"{kind}_{count}" if count else kind
                    yield from self._into(part, f"{path}/{name}")
            self._above.discard(id(child))


def _name_in_container(part: Any) -> str | None:
    if _is_saveable(part):
        return K.to_snake_case(type(part).__name__)
    return "container" if isinstance(part, (list, tuple, dict)) else None


def _is_saveable(obj: Any) -> bool:
    """Whether an object may have a state, or have others with one below it."""
    return hasattr(type(obj), "get_config")


def _attributes(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object by name, in the order of files."""
    passed = _passed_by(obj)
    first = [name for name in getattr(obj, "_saved_first", ()) if name not in passed]
    rest = sorted(set(dir(obj)).difference(passed, first), key=_private_last)
    for name in (*first, *rest):
        if not name.startswith("__"):
            try:
                child = getattr(obj, name)
            except Exception:  # a property that has no value yet
                continue
            yield name, child


def _private_last(name: str) -> str:
    return f"~{name}" if name.startswith("_") else name


def _passed_by(obj: Any) -> frozenset[str]:
    """Return the attributes that every object of a kind has: they are no children."""
    if isinstance(obj, Layer):
        return _of_layers() | getattr(obj, "_not_saved", frozenset())
    if isinstance(obj, Optimizer):
        return _of_optimizers()
    return frozenset()


@functools.cache
def _of_layers() -> frozenset[str]:
    return frozenset(dir(Layer(name="layer")))


@functools.cache
def _of_optimizers() -> frozenset[str]:
    return frozenset(dir(Optimizer(1.0, name="optimizer")))

"""`KerasFileEditor`: the weights in a file, to look at, compare, change and save."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from minikeras.backend.console import say
from minikeras.saving.files import opened_states, save_states
from minikeras.saving.states import Saved, collected

__all__ = ["KerasFileEditor"]

Tree = dict[str, Any]  # objects and, in them, arrays
SEVERAL = "occurs more than once in the model; try passing a complete path"


class KerasFileEditor:
    """The weights of a ``.keras`` or ``.weights.h5`` file, without their model.

    Objects go by their paths, such as ``"layers/dense_1"``, or by their names if there
    is only one of that name.

    Args:
        filepath: of the file.

    Attributes:
        weights_dict: from names to arrays, or to further such dictionaries.

    Raises:
        ValueError: for another ending, or a file that leads elsewhere.

    Example:
        >>> editor = KerasFileEditor("model.weights.h5")  # doctest: +SKIP
        >>> editor.rename_object("dense", "dense_1")  # doctest: +SKIP
        >>> editor.save("renamed.weights.h5")  # doctest: +SKIP
    """

    def __init__(self, filepath: Any) -> None:
        self.filepath = os.fspath(filepath)
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ValueError(
                "Invalid filename: expected a `.keras` or `.weights.h5` file. "
                f"Received: filepath={filepath}"
            )
        self.weights_dict: Tree = {}
        with closing(opened_states(self.filepath)) as weights:
            for path, values in weights.everything():
                _made_at(self.weights_dict, path).update(values)

    # -- looking -----------------------------------------------------------------------

    def summary(self) -> None:
        """Print the objects in the file, and their weights' shapes."""
        say(f"Keras model file '{self.filepath}'")
        for depth, name, value in _lines(self.weights_dict):
            is_array = not isinstance(value, dict)
            form = f": shape={value.shape}, dtype={value.dtype}" if is_array else ""
            say(f"{'    ' * depth}{name}{form}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compare the weights with those of a model; print where they differ.

        Returns:
            a dict: ``status``, which is ``"success"`` or ``"error"``, ``error_count``
            and ``match_count``.
        """
        wanted: Tree = {}
        for path, state in collected(reference_model).items():
            if state.values:
                _made_at(wanted, path).update(state.values)
        errors = list(_differences(wanted, self.weights_dict))
        for error in errors:
            say(error)
        return {
            "status": "error" if errors else "success",
            "error_count": len(errors),
            "match_count": _matches(wanted, self.weights_dict),
        }

    # -- changing ----------------------------------------------------------------------

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name.

        Raises:
            ValueError: if it is not found, or the new name is a path.
        """
        if "/" in new_name:
            raise ValueError(
                "Argument `new_name` should be a leaf name, not a full path name. "
                f"Received: new_name='{new_name}'"
            )
        above, name = self._place_of(object_name)
        above[new_name] = above.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Remove an object, with all in it.

        Raises:
            ValueError: if it is not found.
        """
        above, name = self._place_of(object_name)
        del above[name]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object with weights.

        Args:
            object_path: whose last part is its name.
            weights: from names such as ``"0"`` to arrays.

        Raises:
            ValueError: if there is no object for it to be in.
        """
        *above, name = object_path.split("/")
        place = self.weights_dict
        for i, part in enumerate(above):
            if part not in place:
                found = "/".join(above[: i + 1])
                raise ValueError(f"Path '{found}' not found in model.")
            place = place[part]
        place[name] = _as_arrays(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object.

        Raises:
            ValueError: if there is none.
        """
        above, name = self._place_of(object_name)
        if weight_name not in above[name]:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights "
                f"found: {list(above[name])}"
            )
        del above[name][weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights to an object, or replace those that it has.

        Raises:
            ValueError: if the object is not found, or this is no dict.
        """
        above, name = self._place_of(object_name)
        above[name].update(_as_arrays(weights))

    def save(self, filepath: Any) -> None:
        """Write the weights as they are now.

        Args:
            filepath: ends in ``.weights.h5``.

        Raises:
            ValueError: for another ending.
        """
        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(
                "Invalid `filepath` argument: expected a `.weights.h5` extension. "
                f"Received: filepath={filepath}"
            )
        save_states(dict(_states(self.weights_dict)), path)

    def resave_weights(self, filepath: Any) -> None:
        """Do as `save`."""
        self.save(filepath)

    def _place_of(self, object_name: str) -> tuple[Tree, str]:
        """Return the dictionary in which an object is, and its key there.

        Raises:
            ValueError: if there is none of this path or name, or several.
        """
        *above, name = object_name.split("/")
        if above:
            place: Any = self.weights_dict
            for part in above:
                place = place.get(part, {}) if isinstance(place, dict) else {}
            if name not in place:
                raise ValueError(f"Path '{object_name}' not found in model.")
            return place, name
        found = [tree for tree in _trees(self.weights_dict) if name in tree]
        if len(found) != 1:
            what = SEVERAL if found else "does not appear in the model"
            raise ValueError(
                f"Name '{name}' {what}. Use `editor.summary()` to see what does."
            )
        return found[0], name


def _as_arrays(weights: Mapping[str, Any]) -> Tree:
    """Return weights as arrays.

    Raises:
        ValueError: if this is no dict of them.
    """
    if not isinstance(weights, Mapping):
        raise ValueError(
            "Argument `weights` should be a dict mapping weight names (usually '0', "
            f"'1', etc.) to arrays. Received: type(weights)={type(weights)}"
        )
    return {str(key): np.asarray(value) for key, value in weights.items()}


def _made_at(tree: Tree, path: str) -> Tree:
    for part in filter(None, path.split("/")):
        tree = tree.setdefault(part, {})
    return tree


def _trees(tree: Tree) -> Iterator[Tree]:
    """Yield a dictionary, and all within it."""
    yield tree
    for value in tree.values():
        if isinstance(value, dict):
            yield from _trees(value)


def _lines(tree: Tree, depth: int = 0) -> Iterator[tuple[int, str, Any]]:
    for name, value in tree.items():
        yield depth, name, value
        if isinstance(value, dict):
            yield from _lines(value, depth + 1)


def _states(tree: Tree, path: str = "") -> Iterator[tuple[str, Saved]]:
    """Yield objects by their paths, with their arrays."""
    arrays = {key: v for key, v in tree.items() if not isinstance(v, dict)}
    if arrays:
        yield path, Saved(None, arrays)
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _states(value, f"{path}/{key}" if path else key)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _differences(wanted: Tree, found: Tree, path: str = "") -> Iterator[str]:
    """Say what is missing, what there is too much of, and which shapes differ."""
    for key in dict.fromkeys((*wanted, *found)):
        place = f"{path}/{key}" if path else key
        one, other = wanted.get(key), found.get(key)
        if one is None or other is None:
            there = other if one is None else one
            kind = "Object" if isinstance(there, dict) else "Weight"
            where = "the file" if one is None else "the reference model"
            yield f"{kind} {place} is only in {where}"
        elif isinstance(one, dict) and isinstance(other, dict):
            yield from _differences(one, other, place)
        elif _shape(one) != _shape(other):
            yield (
                f"Weight shape mismatch for {place}: the reference model has "
                f"{_shape(one)}, the file {_shape(other)}"
            )


def _matches(wanted: Tree, found: Tree) -> int:
    """Return how many weights are in both, in one shape."""
    both = [(value, found[key]) for key, value in wanted.items() if key in found]
    return sum(
        _matches(one, other)
        if isinstance(one, dict) and isinstance(other, dict)
        else int(_shape(one) == _shape(other))
        for one, other in both
    )

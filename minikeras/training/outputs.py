"""Losses, metrics, targets and weights as lists in the order of the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from minikeras import backend as K

__all__ = ["Outputs"]


class Outputs:
    """The outputs of a model: their names, in the order in which they are kept.

    Args:
        y_pred: what the model returns, one tensor or a nesting of them.
        names: of the outputs, where the model has names for them.

    Attributes:
        model_has_names: whether the names are the model's own.
        places: the numbers of the outputs, in the nesting of `y_pred`.
    """

    def __init__(self, y_pred: Any, names: Sequence[str] | None = None) -> None:
        flat = K.tree.flatten(y_pred)
        named = names is not None and len(names) == len(flat)
        made_up = [f"output_{i + 1}" for i in range(len(flat))]
        self.names = list(names) if named and names else made_up
        is_flat = isinstance(y_pred, dict) and len(y_pred) == len(flat)
        if is_flat and set(y_pred) != set(self.names):
            self.names = sorted(y_pred)
        self.model_has_names = named or is_flat
        self.places = K.tree.pack_sequence_as(y_pred, range(len(flat)))

    def __len__(self) -> int:
        return len(self.names)

    def name(self, path: Sequence[Any], place: Any) -> str:
        """Return the name of one output, or of several in a nesting.

        Args:
            path: the keys and indices that lead to it.
            place: its number, or the nesting of their numbers.
        """
        if not K.tree.is_nested(place):
            last = path[-1] if path and isinstance(path[-1], str) else self.names[place]
            return "/".join(map(str, [*path[:-1], last]))
        if path:
            return "/".join(map(str, path))
        parts = (
            place
            if isinstance(place, dict)
            else map(self.names.__getitem__, K.tree.flatten(place))
        )
        return "_".join(parts)

    def name_by_loss(self, path: Sequence[Any], place: Any, loss: str) -> str:
        """Return the name of an output that the model has no name for: its loss's.

        Args:
            path: as in `name`.
            place: likewise.
            loss: the name of its loss.
        """
        told = K.tree.is_nested(place) or (path and isinstance(path[-1], str))
        return (
            self.name(path, place) if told else "/".join([*map(str, path[:-1]), loss])
        )

    def align(self, value: Any, argument: str, for_all: bool = False) -> list[Any]:
        """Return `value` as a list with one entry for each output, None if it has none.

        Args:
            value: a list in the order of the outputs, a dict by their names, a nesting
                like that of the outputs, or a single entry.
            argument: what `value` is called in messages.
            for_all: whether a single entry stands for every output.

        Raises:
            ValueError: if names or number do not fit the outputs.
        """
        if K.tree.is_nested(self.places):
            with suppress(KeyError, TypeError, ValueError):
                return K.tree.flatten_up_to(self.places, value)
        if isinstance(value, dict):
            return self._by_name(value, argument)
        if isinstance(value, (list, tuple)):
            if len(value) == len(self):
                return list(value)
            flat = K.tree.flatten(value)
            if len(flat) == len(self):
                return flat
            self._fail(argument, f"{len(value)} entries")
        if len(self) > 1 and not for_all and value is not None:
            self._fail(argument, "a single entry")
        return [value] * len(self)

    def _by_name(self, value: dict[str, Any], argument: str) -> list[Any]:
        if len(value) == len(self) == 1 and not self.model_has_names:
            return list(value.values())
        for name in value:
            if name not in self.names:
                raise ValueError(
                    f"Invalid `{argument}`: it has an entry for {name!r}. Expected "
                    f"keys {self.names}.{K.did_you_mean(name, self.names)}"
                )
        return [value.get(name) for name in self.names]

    def _fail(self, argument: str, got: str) -> None:
        listed = ", ".join(repr(name) for name in self.names)
        count = f"{len(self)} outputs" if len(self) > 1 else "one output"
        raise ValueError(
            f"`{argument}` has {got}; the model has {count}: {listed}. Pass a "
            "list in this order, or a dict by these names."
        )

"""The values of a model's variables as one nesting of dicts, by their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["read_state", "write_state"]

FORMATS = ("backend_tensor", "numpy_array")


def groups_of(model: Any) -> dict[str, Sequence[K.Variable]]:
    """Return a model's variables by what they are for."""
    optimizer = getattr(model, "optimizer", None)
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": getattr(optimizer, "variables", []),
        "metrics_variables": model.metrics_variables,
    }


def read_state(model: Any, value_format: str) -> dict[str, Any]:
    """Return the values; see `Model.get_state_tree`."""
    if value_format not in FORMATS:
        raise ValueError(
            f"Invalid `value_format` argument. Expected one of {FORMATS}. Received: "
            f"value_format={value_format}"
        )
    as_array = value_format == "numpy_array"
    return {
        group: _nested(
            {path: v.numpy() if as_array else v.value for path, v in own.items()}
        )
        for group, own in _by_path(model).items()
    }


def write_state(model: Any, state_tree: Mapping[str, Any]) -> None:
    """Assign the values; see `Model.set_state_tree`."""
    found = _by_path(model)
    for group, values in state_tree.items():
        if group not in found:
            raise ValueError(f"Unknown variable name: {group}. Known: {list(found)}")
        for path, value in _paths(values):
            if path in found[group]:
                found[group][path].assign(value)


def _by_path(model: Any) -> dict[str, dict[str, K.Variable]]:
    return {group: _unique(own) for group, own in groups_of(model).items()}


def _unique(variables: Sequence[K.Variable]) -> dict[str, K.Variable]:
    found: dict[str, K.Variable] = {}
    for variable in variables:
        if variable.path in found:
            raise ValueError(
                "The following variable path is found twice in the model: "
                f"'{variable.path}'. All paths must be unique to have the state in a "
                "tree: give the layers different names."
            )
        found[variable.path] = variable
    return found


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by paths as dicts in dicts."""
    root: dict[str, Any] = {}
    for path, value in values.items():
        *above, name = path.split("/")
        here = root
        for part in above:
            here = here.setdefault(part, {})
        here[name] = value
    return root


def _paths(nested: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{above}{name}/")
        else:
            yield above + name, value

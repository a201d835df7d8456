"""K's classic functions of variables: made, read, set, and updated by a function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minikeras.backend.config import floatx
from minikeras.backend.variables import GraphVariable, Variable, eval, recorded
from minikeras.engine.graph import Tensor
from minikeras.engine.op import as_array
from minikeras.engine.ops import add, assign, multiply, subtract
from minikeras.engine.spec import Array

__all__ = [
    "batch_get_value",
    "batch_set_value",
    "get_value",
    "moving_average_update",
    "set_value",
    "update",
    "update_add",
    "update_sub",
    "variable",
]


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None
) -> GraphVariable:
    """Return a variable with this initial `value`, in floatx unless `dtype` says else.

    Example:
        >>> get_value(variable([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    made = GraphVariable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def get_value(x: Any) -> Array:
    """Return the value of a variable as a NumPy array."""
    return eval(x)


def batch_get_value(tensors: Iterable[Any]) -> list[Array]:
    """Return the values of several variables."""
    return [eval(x) for x in tensors]


def set_value(x: Variable, value: Any) -> None:
    """Set a variable at once.

    Raises:
        ValueError: if the shapes differ.
    """
    x.assign(as_array(value))


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Set several variables at once, from pairs (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Variable, new_x: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` becomes `new_x`."""
    return recorded(assign(x.handle, new_x))


def update_add(x: Variable, increment: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` grows by `increment`."""
    return update(x, add(x, increment))


def update_sub(x: Variable, decrement: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` shrinks by `decrement`."""
    return update(x, subtract(x, decrement))


def moving_average_update(x: Variable, value: Any, momentum: Any) -> Tensor:
    """Return an update for `function`: `x` moves towards `value`.

    It becomes ``momentum * x + (1 - momentum) * value``.
    """
    return update_sub(x, multiply(subtract(x, value), 1 - momentum))

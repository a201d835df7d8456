"""Scopes in which variables are left alone: their values come from a list instead.

`StatelessScope` turns code that reads and assigns variables into a function of their
values: inside, a variable has the value that the scope gives it, and an assignment is
noted in the scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import local
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikeras.backend.variables import Variable

__all__ = [
    "StatelessScope",
    "SymbolicScope",
    "get_stateless_scope",
    "in_stateless_scope",
    "in_symbolic_scope",
    "statelessly",
]


class _Entered(local):
    def __init__(self) -> None:
        self.stateless: list[StatelessScope] = []
        self.symbolic = 0


_entered = _Entered()


class StatelessScope:
    """Inside, variables have the values given here, and keep their own.

    Args:
        state_mapping: pairs of a variable and its value.
        collect_losses: whether layers leave the losses of their calls in `losses`.
        initialize_variables: whether variables that are made inside get their first
            values at the end.

    Raises:
        ValueError: if a key is no variable, or a value does not have its shape.

    Example:
        >>> v = Variable([1.0, 2.0])
        >>> with StatelessScope([(v, [5.0, 6.0])]) as scope:
        ...     total = v.assign_add([1.0, 1.0])
        >>> scope.get_current_value(v), v.numpy()
        (array([6., 7.], dtype=float32), array([1., 2.], dtype=float32))
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[Variable, Any] = {}
        self.uninitialized: list[Variable] = []
        for variable, value in state_mapping or ():
            if not hasattr(variable, "_fitting"):
                raise ValueError(
                    "Invalid reference variable in StatelessScope: all keys in "
                    "argument `mapping` must be Variable instances. Received instead: "
                    f"{variable}"
                )
            self.state_mapping[variable] = variable._fitting(value, _misfit)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Give a variable another value inside this scope, by a pair of both."""
        variable, value = update
        self.state_mapping[variable] = value

    def get_current_value(self, variable: Variable) -> Any:
        """Return the value that a variable has in this scope, None if it has none."""
        return self.state_mapping.get(variable)

    def add_loss(self, loss: Any) -> None:
        """Note a loss, for `losses`."""
        self.losses.append(loss)

    def __enter__(self) -> StatelessScope:
        _entered.stateless.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _entered.stateless.remove(self)
        around = get_stateless_scope()
        if around is not None:
            around.uninitialized.extend(self.uninitialized)
        elif self.initialize_variables:
            for variable in self.uninitialized:
                variable._deferred_initialize()


def _misfit(variable: Variable, value: Any) -> str:
    return (
        "Invalid variable value in StatelessScope: all values in argument `mapping` "
        "must be tensors with a shape that matches the corresponding variable shape. "
        f"For variable {variable}, received invalid value {value} with shape "
        f"{value.shape}."
    )


def statelessly(
    run: Callable[[], Any], variables: Sequence[Variable], values: Sequence[Any]
) -> tuple[Any, list[Any]]:
    """Return what `run` returns where variables have these values, and their new ones.

    The variables themselves stay as they are.
    """
    with StatelessScope(zip(variables, values, strict=True)) as scope:
        result = run()
    return result, [scope.get_current_value(v) for v in variables]


def get_stateless_scope() -> StatelessScope | None:
    """Return the innermost scope around, None if there is none."""
    return _entered.stateless[-1] if _entered.stateless else None


def in_stateless_scope() -> bool:
    """Whether there is a `StatelessScope` around."""
    return bool(_entered.stateless)


class SymbolicScope:
    """Says to code inside that shapes are being inferred, and nothing is computed."""

    def __enter__(self) -> SymbolicScope:
        _entered.symbolic += 1
        return self

    def __exit__(self, *error: object) -> None:
        _entered.symbolic -= 1


def in_symbolic_scope() -> bool:
    """Whether there is a `SymbolicScope` around."""
    return _entered.symbolic > 0

"""What an optimizer keeps: its variables, and which of them belongs to which weight."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras import initializers

__all__ = ["State"]


class State(K.Configured):
    """Variables in the order of their making, which is that of saved files.

    Args:
        name: the first part of the variables' paths.
    """

    built = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._variables: list[K.Variable] = []
        self._trainable_variables: list[K.Variable] = []
        self._slots: dict[tuple[K.Variable, str], K.Variable] = {}

    @property
    def variables(self) -> list[K.Variable]:
        """The step count, the learning rate, and what `build` has made, in order."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> K.Variable:
        """Return a new variable of the optimizer.

        Args:
            shape: of the variable.
            initializer: of its first value.
            dtype: floatx by default.
            aggregation: accepted; matters to distributed training alone.
            layout: accepted; matters to distributed training alone.
            name: the last part of its path.
        """
        with K.name_scope(self.name):
            variable = K.Variable(
                initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self,
        reference_variable: K.Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> K.Variable:
        """Return a new variable of the shape and dtype of another one.

        It is also to be had as ``slot(reference_variable, name)``.
        """
        name = name or "var"
        path = reference_variable.path.replace("/", "_")
        variable = self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=f"{path}_{name}",
        )
        self._slots[reference_variable, name] = variable
        return variable

    def add_optimizer_variables(
        self,
        trainable_variables: Iterable[K.Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Return new variables, one (or one of each `name`) for each trainable one.

        There is None for one that is to be overwritten by its gradient.

        Args:
            trainable_variables: what they are for.
            name: of what is kept, as in ``"momentum"``; or several names.
            initializer: of their first values, one for all or one for each name.

        Returns:
            A list for one name, a tuple of lists for several.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        starts = list(initializer) if several else [initializer] * len(names)
        if len(names) != len(starts):
            raise ValueError(
                "The number of provided names must match the number of provided "
                f"initializers. Received name='{name}', initializer='{initializer}'"
            )
        kinds = list(zip(names, starts, strict=True))
        rows = [
            [
                None
                if v.overwrite_with_gradient
                else self.add_variable_from_reference(v, *kind)
                for kind in kinds
            ]
            for v in trainable_variables
        ]
        columns = tuple([row[i] for row in rows] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def slot(self, variable: K.Variable, name: str) -> K.Variable:
        """Return what `build` has made under this name for `variable`."""
        return self._slots[variable, name]

    def _get_variable_index(self, variable: K.Variable) -> int:
        places = {v: i for i, v in enumerate(self._trainable_variables)}
        return places[variable]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `variables` to these values.

        Raises:
            ValueError: if the optimizer is not built yet, or a shape differs.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been "
                "built. Please call `optimizer.build(trainable_variables)` to create "
                "the optimizer weights before calling `set_weights()`."
            )
        for variable, weight in zip(self.variables, weights, strict=False):
            if variable.shape != tuple(weight.shape):
                raise ValueError(
                    f"Optimizer variable {variable.path} has shape {variable.shape} "
                    f"not compatible with provided weight shape {weight.shape}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Put the values of `variables` into `store`, under ``"0"``, ``"1"``, ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the values of `variables` from `store`; warn if their number differs."""
        own = self.variables
        if len(store) != len(own):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it "
                f"has {len(own)} variables whereas the saved optimizer has "
                f"{len(store)} variables. ",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])

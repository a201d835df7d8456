"""Several optimizers as one: each variable is left to one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.base import Optimizer, Variable
from minikeras.optimizers.loss_scale import LossScaleOptimizer

__all__ = ["MultiOptimizer", "OptimizerMap"]


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by the paths of variables, or by patterns of whole paths.

    Args:
        default_optimizer: for paths that nothing fits.
        optimizer_map: the others, if there are any yet.

    Raises:
        TypeError: if the default is no optimizer, or the map no dictionary.
    """

    def __init__(
        self,
        default_optimizer: Optimizer,
        optimizer_map: dict[str, Optimizer] | None = None,
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "default_optimizer must be a Keras Optimizer instance. "
                f"Received: {default_optimizer}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(
                f"optimizer_map must be a dictionary. Received: {optimizer_map}"
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map = optimizer_map or {}

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of what nothing fits."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        """Return the optimizer for a path: its own, else that of the pattern it fits.

        Raises:
            ValueError: if it fits several patterns.
        """
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        fitting = [p for p in self._optimizer_map if re.fullmatch(p, key)]
        if len(fitting) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}.")
        return self._optimizer_map[fitting[0]] if fitting else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        """Leave what fits `key` to an optimizer.

        Raises:
            ValueError: if the key is taken, or one of the two is of the wrong kind.
        """
        if key in self._optimizer_map:
            raise ValueError(
                f"'{key}' already exists in the OptimizerMap with value "
                f"{self._optimizer_map[key]}. Please make sure to not use duplicated "
                "keys."
            )
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key}")
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"optimizer must be a Keras Optimizer instance. Received: {optimizer}"
            )
        for kind in (LossScaleOptimizer, MultiOptimizer):
            if isinstance(optimizer, kind):
                raise ValueError(f"optimizer cannot be {kind.__name__}.")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """Return the optimizer for a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        parts = {
            "default_optimizer": self._default_optimizer,
            "optimizer_map": self._optimizer_map,
        }
        return K.serialize_keras_object(parts)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return a map made from what `get_config` returned."""
        return cls(**K.deserialize_keras_object(config, custom_objects))


class MultiOptimizer(Optimizer):
    """Leaves each variable to an optimizer of its own choice.

    It has no learning rate: each of its `optimizers` has.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer.
        loss_scale_factor: of all optimizers.
        name: see `Optimizer`.

    Example:
        >>> by_path = OptimizerMap(SGD(), {"encoder/.*": Adam()})  # doctest: +SKIP
        >>> model.compile(MultiOptimizer(by_path), "mse")  # doctest: +SKIP
    """

    def __init__(
        self,
        optimizer_map: Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self._inner_optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._chosen: dict[Variable, Optimizer] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._include(optimizer)

    def _include(self, optimizer: Optimizer) -> None:
        if optimizer not in self._inner_optimizers:
            optimizer.loss_scale_factor = self.loss_scale_factor
            self._inner_optimizers.append(optimizer)

    def build(self, variables: Iterable[Variable]) -> None:
        """Choose an optimizer for each of `variables`, and build them.

        Raises:
            ValueError: if what is chosen is no optimizer, or wraps others itself.
        """
        if self.built:
            return
        own = list(variables)
        self._chosen = {variable: self._choice(variable) for variable in own}
        for optimizer in self._chosen.values():
            self._include(optimizer)
        for optimizer, (_, theirs) in self._shared_out(own, own):
            optimizer.build(theirs)
        super().build(own)

    def _choice(self, variable: Variable) -> Optimizer:
        chosen = self._optimizer_map(variable)
        if not isinstance(chosen, Optimizer):
            raise ValueError(
                f"Optimizer for variable {variable} is not an Optimizer instance."
            )
        for kind in (LossScaleOptimizer, MultiOptimizer):
            if isinstance(chosen, kind):
                raise ValueError(
                    f"{kind.__name__} cannot be used inside an MultiOptimizer."
                )
        return chosen

    def _shared_out(
        self, values: Sequence[Any], variables: Sequence[Variable]
    ) -> Iterator[tuple[Optimizer, tuple[list[Any], list[Variable]]]]:
        """Yield each optimizer with its variables, and the values that go with them."""
        for optimizer in self._inner_optimizers:
            pairs = zip(values, variables, strict=True)
            theirs = [(x, v) for x, v in pairs if self._chosen[v] is optimizer]
            if theirs:
                yield optimizer, ([x for x, _ in theirs], [v for _, v in theirs])

    def apply(
        self, grads: Iterable[Any], trainable_variables: Any | None = None
    ) -> None:
        """Change variables, given their gradients: one step of each optimizer.

        Raises:
            ValueError: if the variables are not known, or too few gradients are given.
        """
        grads = list(grads)
        if not grads:
            return
        if trainable_variables is not None:
            self.build(trainable_variables)
        if self.built and len(grads) != len(self._trainable_variables):
            raise ValueError(
                "Gradients must match trainable variables one-to-one. Received "
                f"{len(grads)} gradients and {len(self._trainable_variables)} "
                "variables."
            )
        variables = self._known(grads, trainable_variables)
        for optimizer, (theirs, own) in self._shared_out(grads, variables):
            optimizer.apply(theirs, own)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set variables to their moving averages, where optimizers keep them."""
        for optimizer, (_, theirs) in self._shared_out(var_list, var_list):
            optimizer.finalize_variable_values(theirs)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order in which they came up."""
        return self._inner_optimizers

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the optimizers."""
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    @property
    def iterations(self) -> Variable:
        """How many steps there have been."""
        return self._iterations

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss was multiplied with; setting it sets that of all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value

    @property
    def learning_rate(self) -> Any:
        """There is none.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning "
            "rate on the individual sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on "
            "the individual sub-optimizers instead."
        )

    def learning_rates(self) -> list[Any]:
        """Return those of the optimizers, as they were given."""
        return [rate for o in self.optimizers for rate in o.learning_rates()]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            "optimizer_map": K.serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

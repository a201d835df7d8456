"""Loss scaling: small gradients are made large enough for 16 bits, and back again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras import initializers
from minikeras.optimizers.base import Optimizer, Variable, kept_only_if

__all__ = ["LossScaleOptimizer"]

# What belongs to the inner optimizer, with the values that files of old may name.
_OF_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """Lets another optimizer work with a scaled loss, and finds the scale as it goes.

    A step whose gradients are not all finite is left out, and halves the scale; after
    so many steps without one the scale is doubled.

    Args:
        inner_optimizer: what changes the variables, given gradients of the loss itself.
        initial_scale: the first scale; better too large, which is soon corrected.
        dynamic_growth_steps: after how many steps to double it.
        name: see `Optimizer`.
        kwargs: none, but for those which files of old have.

    Raises:
        ValueError: if there are other arguments.

    Source: Micikevicius et al. 2018, arXiv:1710.03740, section 3.2.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _check_arguments(kwargs)
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # gradients arrive as they are

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the scale, a counter, and what the inner optimizer keeps."""
        if self.built:
            return
        start = initializers.Constant(self.initial_scale)
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), start, dtype="float32", name="dynamic_scale"
        )
        super().build(variables)
        self.inner_optimizer.build(self._trainable_variables)

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @K.compiled_method
    def _step(self, grads: list[Any], places: tuple[int, ...]) -> None:
        """Undo the scale; let the inner optimizer take a step; adapt the scale."""
        finite = self.check_finite(grads)
        inner, own = self.inner_optimizer, self._trainable_variables
        variables = [own[i] for i in places]
        unscaled = [
            g if v.overwrite_with_gradient else g / K.cast(self.dynamic_scale, g.dtype)
            for g, v in zip(grads, variables, strict=True)
        ]
        with kept_only_if(finite, (*own, *inner.variables)):
            inner.apply(unscaled, variables)
        last = K.equal(self.step_counter, self.dynamic_growth_steps - 1)
        factor = K.where(finite, K.where(last, 2.0, 1.0), 0.5)
        counted = K.where(last, 0, self.step_counter + 1)
        self.dynamic_scale.assign(self.dynamic_scale * factor)
        self.step_counter.assign(K.where(finite, counted, 0))

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Return whether all gradients are finite."""
        parts = [K.all(K.isfinite(g)) for g in grads if g is not None]
        return K.all(K.stack(parts))

    def scale_loss(self, loss: Any) -> Any:
        """Return `loss` times the scale, which is the first one before `build`."""
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        return K.multiply(loss, scale)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set variables to their moving averages, if the inner optimizer has them."""
        self.inner_optimizer.finalize_variable_values(var_list)

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer has made."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate
        vars(self).pop("_traced_methods", None)

    def learning_rates(self) -> list[Any]:
        """Return the inner optimizer's, as they were given."""
        return self.inner_optimizer.learning_rates()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            "name": self.name,
            "inner_optimizer": K.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }


def _check_arguments(given: dict[str, Any]) -> None:
    """Refuse all arguments but those of old, if they are as they were by default."""
    if not given.pop("dynamic", True):
        raise ValueError(
            "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply "
            "set `loss_scale_factor` directly on the `inner_optimizer`."
        )
    for name in _OF_INNER.keys() & given.keys():
        if given.pop(name) != _OF_INNER[name]:
            raise ValueError(
                f"LossScaleOptimizer does not support `{name}`. Instead, set `{name}` "
                "on the `inner_optimizer`."
            )
    if given:
        raise ValueError(
            f"LossScaleOptimizer does not support arguments: `{'`, `'.join(given)}`."
        )

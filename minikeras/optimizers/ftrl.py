"""Following the regularized leader: weights that are 0 unless gradients insist."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras import initializers
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """Follow the regularized leader.

    The weight minimizes the sum of all linearized losses so far, ``z w``, plus
    ``q w^2 / 2 + l1 |w|``: it is 0 where ``|z| <= l1``, else ``(sign(z) l1 - z) / q``.
    With n the sum of squared gradients, q grows as ``n^(-power) / lr``.

    Args:
        learning_rate: lr; see `Optimizer`.
        learning_rate_power: power; not positive; -1/2 lets steps shrink as in Adagrad,
            0 keeps them.
        initial_accumulator_value: of n; not negative.
        l1_regularization_strength: l1; not negative.
        l2_regularization_strength: adds twice itself to q; not negative.
        l2_shrinkage_regularization_strength: adds twice itself, times w, to each
            gradient; not negative.
        beta: adds ``beta / lr`` to q.
        kwargs: see `Optimizer`.

    Raises:
        ValueError: if a strength has the wrong sign.

    Source: McMahan et al. 2013, doi:10.1145/2487575.2488200, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        if learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        for name in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"`{name}` needs to be positive or zero. Received: "
                    f"{name}={getattr(self, name)}."
                )

    def slots(self) -> list[dict[str, Any]]:
        """Return n and z."""
        start = initializers.Constant(self.initial_accumulator_value)
        return [{"accumulator": start, "linear": "zeros"}]

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Add the gradient to z, then take the minimum."""
        n, z = (self.slot(variable, name) for name in ("accumulator", "linear"))
        new_n = n + K.square(gradient)
        before, after = (K.power(x, -self.learning_rate_power) for x in (n, new_n))
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * variable
        self.assign_add(z, shrunk - (after - before) / learning_rate * variable)
        l2 = self.l2_regularization_strength + self.beta / (2.0 * learning_rate)
        q = after / learning_rate + 2 * l2
        l1 = self.l1_regularization_strength
        self.assign(variable, (K.clip(z, -l1, l1) - z) / q)
        self.assign(n, new_n)

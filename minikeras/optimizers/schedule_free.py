"""AdamW without a schedule: gradients are taken between a fast and a mean point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.adam import Moments, power
from minikeras.optimizers.base import Variable

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Moments):
    """Average instead of letting the learning rate decay.

    z moves as in RMSprop, x is the mean of all z so far, and the weights are a point
    between: ``z <- z - lr g / (sqrt(v') + epsilon)``, ``x <- x + (z - x) / t``,
    ``w = beta_1 x + (1 - beta_1) z``.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: how near to x the weights are, in (0, 1].
        beta_2: share of the squares' mean v kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        warmup_steps: over how many steps lr grows to its value, linearly.
        kwargs: see `Optimizer`.

    Source: Defazio et al. 2024, arXiv:2405.15682, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.warmup_steps = warmup_steps

    def build(self, variables: Iterable[Variable]) -> None:
        """Make z and v for each of `variables`; z starts at the variable's value."""
        if self.built:
            return
        super().build(variables)
        for variable in self._trainable_variables:
            if not variable.overwrite_with_gradient:
                with K.init_scope():
                    self.slot(variable, "momentum").assign(variable.value)

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Move z down the gradient, x towards z, and the weights in between."""
        near = self.beta_1
        t = K.cast(self.step_number(), variable.dtype)
        if self.warmup_steps > 0:
            learning_rate = learning_rate * K.minimum(t / self.warmup_steps, 1)
        z, v = (self.slot(variable, name) for name in self.moments)
        square = self.average(v, K.square(gradient), self.beta_2)
        correction = K.cast(1 - power(self.beta_2, t), variable.dtype)
        spread = K.sqrt(square / correction) + self.epsilon
        x = (variable - z * (1 - near)) / near
        new_z = self.assign_sub(z, gradient * learning_rate / spread)
        mean = x * (1 - 1 / t) + new_z / t
        self.assign(variable, new_z * (1 - near) + mean * near)

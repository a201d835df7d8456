"""Lamb: Adam's direction, each layer's step as long as its weights say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.adam import Moments, power
from minikeras.optimizers.base import Variable

__all__ = ["Lamb"]


class Lamb(Moments):
    """``w <- w - lr u |w| / |u|``, where u is Adam's step.

    ``u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)``; a ratio with a
    norm of 0 is 1.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: share of the gradients' mean m kept in each step, in [0, 1).
        beta_2: share of the squares' mean v kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        kwargs: see `Optimizer`.

    Source: You et al. 2020, arXiv:1904.00962, algorithm 2.
    """

    def update_all(
        self,
        gradients: Sequence[Any],
        variables: Sequence[Variable],
        learning_rate: Any,
    ) -> None:
        """Compute the corrections for the means' start at 0, then update each."""
        t = self.step_number()
        self._factors = [1 / (1 - power(b, t)) for b in (self.beta_1, self.beta_2)]
        super().update_all(gradients, variables, learning_rate)

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along Adam's direction, in proportion to the norm of the weights."""
        of_mean, of_square = (K.cast(f, variable.dtype) for f in self._factors)
        m, v = self.move_moments(gradient, variable)
        step = m * of_mean / (K.sqrt(v * of_square) + self.epsilon)
        w_norm, u_norm = (K.sqrt(K.sum(K.square(x))) for x in (variable, step))
        both = K.greater(w_norm, 0) & K.greater(u_norm, 0)
        ratio = K.where(both, w_norm / K.where(both, u_norm, 1), 1)
        self.assign_sub(variable, ratio * learning_rate * step)

"""Lion: steps of one size, along the sign of a mean gradient."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Lion"]


class Lion(Optimizer):
    """``w <- w - lr sign(beta_1 m + (1 - beta_1) g); m <- beta_2 m + (1 - beta_2) g``.

    Args:
        learning_rate: lr, the size of every step; smaller than for Adam by 3 to 10.
        beta_1: share of the mean m, against the gradient, in the step; in (0, 1].
        beta_2: share of m kept in each step, in [0, 1).
        kwargs: see `Optimizer`.

    Raises:
        ValueError: if `beta_1` is out of range.

    Source: Chen et al. 2023, arXiv:2302.06675.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the "
                f"optimizer degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def slots(self) -> list[dict[str, Any]]:
        """Return the running mean of gradients."""
        return [{"momentum": "zeros"}]

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along the sign of mean and gradient, then move the mean."""
        m = self.slot(variable, "momentum")
        mixed = m * self.beta_1 + gradient * (1.0 - self.beta_1)
        self.assign_sub(variable, K.sign(mixed) * learning_rate)
        self.average(m, gradient, self.beta_2)

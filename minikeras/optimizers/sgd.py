"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from typing import Any

from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["SGD"]


class SGD(Optimizer):
    """Descend: ``w <- w - lr g``; with momentum ``v <- m v - lr g; w <- w + v``.

    With `nesterov` it is ``w <- w + m v - lr g``, a look ahead along the velocity.

    Args:
        learning_rate: lr; see `Optimizer`.
        momentum: m, the share of the velocity v kept in each step, in [0, 1].
        nesterov: whether to look ahead.
        kwargs: see `Optimizer`.

    Raises:
        ValueError: if `momentum` is no float in [0, 1].

    Source: Polyak 1964, doi:10.1016/0041-5553(64)90137-5; Sutskever et al. 2013
    (nesterov); sign convention of Keras.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not isinstance(momentum, float) or not 0 <= momentum <= 1:
            raise ValueError("`momentum` must be a float between [0, 1].")
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self) -> list[dict[str, Any]]:
        """Return the velocity, if there is momentum."""
        return [{"momentum": "zeros"}] if self.momentum else []

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step down the gradient, or along the velocity."""
        step = gradient * learning_rate
        if not self.momentum:
            self.assign_sub(variable, step)
            return
        v = self.slot(variable, "momentum")
        velocity = self.assign(v, v * self.momentum - step)
        if self.nesterov:
            velocity = velocity * self.momentum - step
        self.assign_add(variable, velocity)

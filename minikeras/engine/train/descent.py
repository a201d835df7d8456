"""Steps along the gradient: plain, and with a velocity."""

from __future__ import annotations

from typing import Any

from minikeras.engine.graph import Tensor
from minikeras.engine.train.optimizer import Optimizer

__all__ = ["GradientDescentOptimizer", "MomentumOptimizer"]


class GradientDescentOptimizer(Optimizer):
    """Step against the gradient: w <- w - lr g.

    Args:
        learning_rate: step length, in units of weight per unit of gradient.
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.
    """

    def __init__(
        self,
        learning_rate: Any,
        use_locking: bool = False,
        name: str = "GradientDescent",
    ) -> None:
        super().__init__(learning_rate, name)

    def update(self, w: Tensor, g: Tensor) -> tuple[Tensor]:
        return (w - self.rate * g,)


class MomentumOptimizer(Optimizer):
    """Step against a velocity, which keeps some of the gradients before.

    At each step::

        v <- m v + g
        w <- w - lr v          or, with Nesterov's foresight,
        w <- w - lr (g + m v)

    Args:
        learning_rate: step length, in units of weight per unit of gradient.
        momentum: m, the share of the velocity kept per step, in [0, 1).
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.
        use_nesterov: whether to step along the gradient foreseen.

    Source: Polyak 1964, doi:10.1016/0041-5553(64)90137-5; Sutskever et al. 2013,
    proceedings.mlr.press/v28/sutskever13. The learning rate is outside of the velocity,
    unlike in Keras, where v <- m v - lr g.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate, name, {"momentum": 0.0})
        self.momentum = momentum
        self.use_nesterov = use_nesterov

    def update(self, w: Tensor, g: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        v = self.momentum * v + g
        direction = g + self.momentum * v if self.use_nesterov else v
        return w - self.rate * direction, v

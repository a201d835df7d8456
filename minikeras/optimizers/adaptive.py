"""Steps measured in units of what gradients have been: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras import initializers
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """``a <- a + g^2; w <- w - lr g / sqrt(a + epsilon)``.

    Args:
        learning_rate: lr; see `Optimizer`.
        initial_accumulator_value: of a; not negative.
        epsilon: keeps the quotient finite.
        kwargs: see `Optimizer`.

    Source: Duchi et al. 2011, jmlr.org/papers/v12/duchi11a.html.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, Any]]:
        """Return a."""
        return [{"accumulator": initializers.Constant(self.initial_accumulator_value)}]

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step down the gradient, in units of the root of the sum of squares."""
        a = self.assign_add(self.slot(variable, "accumulator"), K.square(gradient))
        self.assign_sub(variable, gradient * learning_rate / K.sqrt(a + self.epsilon))


class RMSprop(Optimizer):
    """``v <- rho v + (1 - rho) g^2; w <- w - lr g / sqrt(v + epsilon)``.

    With `momentum` the quotient q goes into ``p <- momentum p + q; w <- w - p``.
    Centered, v stands for the variance: less the square of the running mean of g.

    Args:
        learning_rate: lr; see `Optimizer`.
        rho: share of the running means kept in each step, in [0, 1).
        momentum: share of p kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        centered: whether to divide by the deviation instead of the root mean square.
        kwargs: see `Optimizer`.

    Source: Hinton 2012, Neural Networks for Machine Learning, lecture 6e.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def slots(self) -> list[dict[str, Any]]:
        """Return v, and as needed p and the mean gradient."""
        needed = {
            "velocity": True,
            "momentum": self.momentum > 0,
            "average_gradient": self.centered,
        }
        return [{name: "zeros"} for name, wanted in needed.items() if wanted]

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step down the gradient, in units of its root mean square or deviation."""
        v = self.slot(variable, "velocity")
        square = self.average(v, K.square(gradient), self.rho)
        if self.centered:
            means = self.slot(variable, "average_gradient")
            mean = self.average(means, gradient, self.rho)
            square = square - K.square(mean)
        step = gradient * learning_rate / K.sqrt(square + self.epsilon)
        if self.momentum > 0:
            p = self.slot(variable, "momentum")
            step = self.assign(p, p * self.momentum + step)
        self.assign_sub(variable, step)


class Adadelta(Optimizer):
    """``d = g rms(d) / rms(g); w <- w - lr d``: steps in the units of the weights.

    rms is the root of a running mean of squares, plus epsilon.

    Args:
        learning_rate: lr; 1 is that of the paper.
        rho: share of the running means kept in each step, in [0, 1).
        epsilon: added to the means; the first steps come from it.
        kwargs: see `Optimizer`.

    Source: Zeiler 2012, arXiv:1212.5701.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, Any]]:
        """Return the running means of squared gradients and squared steps."""
        return [{"accumulated_grad": "zeros", "accumulated_delta_var": "zeros"}]

    def update_step(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, grad: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step down the gradient, in units of steps so far over gradients so far."""
        gradients = self.slot(variable, "accumulated_grad")
        steps = self.slot(variable, "accumulated_delta_var")
        square = self.average(gradients, K.square(grad), self.rho)
        step = self._root(steps) * grad / self._root(square)
        self.average(steps, K.square(step), self.rho)
        self.assign_sub(variable, step * learning_rate)

    def _root(self, mean: Any) -> Any:
        return K.sqrt(mean + self.epsilon)

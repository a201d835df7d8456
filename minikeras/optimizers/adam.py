"""Adam and its kin: steps along a mean gradient, measured in units of its spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Adam", "AdamW", "Adamax", "Nadam"]


class Moments(Optimizer):
    """Base of optimizers with running means of gradients and of their squares.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: share of the gradients' mean kept in each step, in [0, 1).
        beta_2: share of the squares' mean (or of the norm) kept, in [0, 1).
        epsilon: keeps the quotient finite.
        kwargs: see `Optimizer`.
    """

    moments: tuple[str, str] = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slots(self) -> list[dict[str, Any]]:
        """Return both means."""
        return [dict.fromkeys(self.moments, "zeros")]

    def step_number(self) -> Any:
        """Return t, the number of this step, which counts from 1."""
        return K.cast(self.iterations + 1, K.floatx())

    def move_moments(self, gradient: Any, variable: Variable) -> tuple[Any, Any]:
        """Move both means towards the gradient and its square; return their values."""
        m, v = (self.slot(variable, name) for name in self.moments)
        new_m = self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        new_v = self.assign_add(v, (K.square(gradient) - v) * (1 - self.beta_2))
        return new_m, new_v


class Adam(Moments):
    """Adaptive moments: ``w <- w - lr m' / (sqrt(v') + epsilon)``.

    m and v are running means of g and g^2; m' and v' are corrected for their start at
    0: ``m' = m / (1 - beta_1^t)``, ``v' = v / (1 - beta_2^t)``. As in Keras, epsilon is
    added to the root of v, before its correction.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: share of m kept in each step, in [0, 1).
        beta_2: share of v kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        amsgrad: whether the largest v so far stands for v.
        kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, end of section 2; Reddi et al. 2018
    (amsgrad).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = amsgrad

    def slots(self) -> list[dict[str, Any]]:
        """Return both means, and as needed the largest one."""
        largest = [{"velocity_hat": "zeros"}] if self.amsgrad else []
        return [*super().slots(), *largest]

    def update_all(
        self,
        gradients: Sequence[Any],
        variables: Sequence[Variable],
        learning_rate: Any,
    ) -> None:
        """Correct the learning rate for the means' start at 0, then update each."""
        t = self.step_number()
        correction = K.sqrt(1 - power(self.beta_2, t)) / (1 - power(self.beta_1, t))
        super().update_all(gradients, variables, learning_rate * correction)

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along the mean gradient, in units of its spread."""
        m, v = self.move_moments(gradient, variable)
        if self.amsgrad:
            largest = self.slot(variable, "velocity_hat")
            v = self.assign(largest, K.maximum(largest, v))
        self.assign_sub(variable, m * learning_rate / (K.sqrt(v) + self.epsilon))


class AdamW(Adam):
    """Adam with weight decay: each weight also loses ``lr weight_decay`` of itself.

    Args:
        learning_rate: lr; see `Optimizer`.
        weight_decay: share of a weight that it loses, times lr.
        beta_1: share of the gradients' mean kept in each step, in [0, 1).
        beta_2: share of the squares' mean kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        amsgrad: whether the largest mean square so far stands for it.
        kwargs: see `Optimizer`.

    Raises:
        ValueError: if `weight_decay` is None.

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None"
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **kwargs,
        )


class Adamax(Moments):
    """Adam with the largest gradient in place of the root of the mean square.

    ``u <- max(beta_2 u, |g|); w <- w - lr m / (1 - beta_1^t) / (u + epsilon)``.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: share of the gradients' mean m kept in each step, in [0, 1).
        beta_2: share of the norm u kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        kwargs: see `Optimizer`.

    Source: Kingma and Ba 2015, arXiv:1412.6980, section 7.
    """

    moments = ("momentum", "norm")

    def update_all(
        self,
        gradients: Sequence[Any],
        variables: Sequence[Variable],
        learning_rate: Any,
    ) -> None:
        """Correct the learning rate for the mean's start at 0, then update each."""
        corrected = learning_rate / (1 - power(self.beta_1, self.step_number()))
        super().update_all(gradients, variables, corrected)

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along the mean gradient, in units of the largest."""
        m, u = (self.slot(variable, name) for name in self.moments)
        mean = self.assign_add(m, (gradient - m) * (1 - self.beta_1))
        norm = self.assign(u, K.maximum(u * self.beta_2, K.abs(gradient)))
        self.assign_sub(variable, mean * learning_rate / (norm + self.epsilon))


class Nadam(Moments):
    """Adam with Nesterov's look ahead: part of this gradient counts at once.

    With ``u_t = beta_1 (1 - 0.96^t / 2)`` and p_t the product of all so far,
    ``m' = u_{t+1} m / (1 - p_{t+1}) + (1 - u_t) g / (1 - p_t)`` takes the place of
    Adam's m'.

    Args:
        learning_rate: see `Optimizer`.
        beta_1: share of the gradients' mean kept in each step, in [0, 1).
        beta_2: share of the squares' mean kept in each step, in [0, 1).
        epsilon: keeps the quotient finite.
        kwargs: see `Optimizer`.

    Source: Dozat 2015, cs229.stanford.edu/proj2015/054_report.pdf.
    """

    def build(self, variables: Iterable[Variable]) -> None:
        """Make both means for each of `variables`, and the product of momenta."""
        if self.built:
            return
        super().build(variables)
        first = self._trainable_variables[:1]
        dtype = first[0].dtype if first else K.floatx()
        self._u_product = Variable(1.0, dtype=dtype, trainable=False)
        self._variables.append(self._u_product)

    def update_all(
        self,
        gradients: Sequence[Any],
        variables: Sequence[Variable],
        learning_rate: Any,
    ) -> None:
        """Compute the momenta of this step and the next one, then update each."""
        t = self.step_number()
        now, soon = (self.beta_1 * (1.0 - 0.5 * power(0.96, n)) for n in (t, t + 1.0))
        product = self.assign(self._u_product, self._u_product * now)
        product = K.cast(product, K.floatx())
        self._factors = (
            soon / (1 - product * soon),
            (1 - now) / (1 - product),
            1 / (1 - power(self.beta_2, t)),
        )
        super().update_all(gradients, variables, learning_rate)

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along the mean gradient and this one, in units of its spread."""
        of_mean, of_this, of_square = (K.cast(f, variable.dtype) for f in self._factors)
        m, v = self.move_moments(gradient, variable)
        ahead = m * of_mean + gradient * of_this
        spread = K.sqrt(v * of_square) + self.epsilon
        self.assign_sub(variable, ahead * learning_rate / spread)


def power(base: float, exponent: Any) -> Any:
    return K.power(K.cast(base, K.floatx()), exponent)

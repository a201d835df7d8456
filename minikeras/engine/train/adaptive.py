"""Steps whose length adapts to each weight, by the gradients it has seen."""

from __future__ import annotations

from typing import Any

from minikeras.engine import ops
from minikeras.engine.graph import Graph, Tensor
from minikeras.engine.ops import rsqrt, sqrt, square
from minikeras.engine.train.optimizer import Optimizer

__all__ = [
    "AdadeltaOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "FtrlOptimizer",
    "RMSPropOptimizer",
]


class AdagradOptimizer(Optimizer):
    """Divide each step by the root of the sum of all squared gradients.

    At each step::

        a <- a + g²
        w <- w - lr g / sqrt(a)

    Args:
        learning_rate: length of the first steps.
        initial_accumulator_value: what a starts from, above 0.
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.

    Source: Duchi, Hazan, Singer 2011, jmlr.org/papers/v12/duchi11a.
    """

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:
        if initial_accumulator_value <= 0:
            raise ValueError(
                "initial_accumulator_value must be positive; "
                f"got {initial_accumulator_value}"
            )
        super().__init__(
            learning_rate, name, {"accumulator": initial_accumulator_value}
        )

    def update(self, w: Tensor, g: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        a = a + square(g)
        return w - self.rate * g * rsqrt(a), a


class AdadeltaOptimizer(Optimizer):
    """Divide by the running size of gradients and multiply by that of past steps.

    At each step::

        a <- rho a + (1 - rho) g²
        d  = g sqrt(b + eps) / sqrt(a + eps)
        b <- rho b + (1 - rho) d²
        w <- w - lr d

    Args:
        learning_rate: factor on the step; the paper's method has 1.
        rho: share of the running means kept per step, in [0, 1).
        epsilon: added under both roots.
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.

    Source: Zeiler 2012, arXiv:1212.5701, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(learning_rate, name, {"accum": 0.0, "accum_update": 0.0})
        self.rho = rho
        self.epsilon = epsilon

    def update(self, w: Tensor, g: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        a = self.rho * a + (1 - self.rho) * square(g)
        d = g * sqrt(b + self.epsilon) * rsqrt(a + self.epsilon)
        b = self.rho * b + (1 - self.rho) * square(d)
        return w - self.rate * d, a, b


class RMSPropOptimizer(Optimizer):
    """Divide each step by the root of the running mean of squared gradients.

    At each step::

        r <- decay r + (1 - decay) g²
        v <- m v + lr g / sqrt(r + eps)
        w <- w - v

    Centered, the square of the running mean of g is subtracted from r under the root.

    Args:
        learning_rate: step length.
        decay: share of the running means kept per step, in [0, 1).
        momentum: m, the share of the velocity kept per step, in [0, 1).
        epsilon: added under the root.
        use_locking: accepted; the runs of a session never overlap.
        centered: whether to divide by the standard deviation of g rather than by the
            root of its mean square.
        name: of the step.

    Source: Hinton 2012, lecture 6e of "Neural networks for machine learning"; centered:
    Graves 2013, arXiv:1308.0850, equations 38 to 45. As in TensorFlow 1, r starts at 1.
    """

    def __init__(
        self,
        learning_rate: Any,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        mean = {"mg": 0.0} if centered else {}
        super().__init__(learning_rate, name, {"rms": 1.0, **mean, "momentum": 0.0})
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon

    def update(
        self, w: Tensor, g: Tensor, r: Tensor, *rest: Tensor
    ) -> tuple[Tensor, ...]:
        *means, v = rest
        r = r + (square(g) - r) * (1 - self.decay)
        means = [mean + (g - mean) * (1 - self.decay) for mean in means]
        variance = r - square(means[0]) if means else r
        v = self.momentum * v + self.rate * g * rsqrt(variance + self.epsilon)
        return w - v, r, *means, v


class AdamOptimizer(Optimizer):
    """Step along the running mean of g, divided by the root of that of g².

    At step t = 1, 2 ...::

        m <- b1 m + (1 - b1) g
        v <- b2 v + (1 - b2) g²
        w <- w - lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)

    Args:
        learning_rate: step length.
        beta1: b1, the share of the running mean of g kept per step, in [0, 1).
        beta2: b2, the same for that of g².
        epsilon: added to the root; the paper's "epsilon hat", which is not scaled.
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.

    Source: Kingma, Ba 2015, arXiv:1412.6980, end of section 2.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(learning_rate, name, {"m": 0.0, "v": 0.0})
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def prepare(self, graph: Graph) -> None:
        super().prepare(graph)
        power1 = self.shared(graph, "beta1_power", self.beta1)
        power2 = self.shared(graph, "beta2_power", self.beta2)
        self.corrected = self.rate * sqrt(1 - power2) / (1 - power1)

    def update(self, w: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        m = m + (g - m) * (1 - self.beta1)
        v = v + (square(g) - v) * (1 - self.beta2)
        return w - self.corrected * m / (sqrt(v) + self.epsilon), m, v

    def finish(self, graph: Graph) -> list[Tensor]:
        power1 = self.shared(graph, "beta1_power", self.beta1)
        power2 = self.shared(graph, "beta2_power", self.beta2)
        return [power1.assign(power1 * self.beta1), power2.assign(power2 * self.beta2)]


class FtrlOptimizer(Optimizer):
    """Follow the regularized leader, weight by weight, which makes weights sparse.

    At each step, with p = -learning_rate_power::

        a' = a + g²
        z <- z + g + 2 l2_shrinkage w - (a'^p - a^p) / lr w
        w <- (sign(z) l1 - z) / (a'^p / lr + 2 l2) if abs(z) > l1, else 0
        a <- a'

    Args:
        learning_rate: step length.
        learning_rate_power: at most 0; 0 keeps the learning rate fixed.
        initial_accumulator_value: what a starts from, at least 0.
        l1_regularization_strength: l1, at least 0.
        l2_regularization_strength: l2, at least 0.
        use_locking: accepted; the runs of a session never overlap.
        name: of the step.
        accum_name: accepted; slots are named after the step.
        linear_name: accepted.
        l2_shrinkage_regularization_strength: l2_shrinkage, at least 0; unlike l2 it
            acts on the loss, not on the step.

    Source: McMahan et al. 2013, doi:10.1145/2487575.2488200, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
    ) -> None:
        if learning_rate_power > 0:
            raise ValueError(f"learning_rate_power is above 0: {learning_rate_power}")
        _check_not_negative(
            initial_accumulator_value=initial_accumulator_value,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
            l2_shrinkage_regularization_strength=l2_shrinkage_regularization_strength,
        )
        super().__init__(
            learning_rate, name, {"accum": initial_accumulator_value, "linear": 0.0}
        )
        self.power = -learning_rate_power
        self.l1 = l1_regularization_strength
        self.l2 = l2_regularization_strength
        self.l2_shrinkage = l2_shrinkage_regularization_strength

    def update(self, w: Tensor, g: Tensor, a: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        grown = a + square(g)
        sigma = (grown**self.power - a**self.power) / self.rate
        z = z + g + 2 * self.l2_shrinkage * w - sigma * w
        curvature = grown**self.power / self.rate + 2 * self.l2
        w = (ops.sign(z) * self.l1 - z) / curvature
        return ops.where(ops.absolute(z) > self.l1, w, ops.zeros_like(w)), grown, z


def _check_not_negative(**settings: float) -> None:
    for name, value in settings.items():
        if value < 0:
            raise ValueError(f"{name} is negative: {value}")

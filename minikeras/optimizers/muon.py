"""Muon: steps that are nearly orthogonal matrices."""

from __future__ import annotations

import re
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.adam import power
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Muon"]


class Muon(Optimizer):
    """Descend along an orthogonalized momentum: all directions of a matrix alike.

    ``m <- momentum m + g``, and ``w <- w - lr O`` where O comes near ``U V^T`` if
    ``U S V^T`` is the singular value decomposition of m. It is for the matrices inside
    a network; all other variables are updated as AdamW does.

    Args:
        learning_rate: lr; see `Optimizer`.
        adam_beta_1: AdamW's share of the gradients' mean kept in each step, in [0, 1).
        adam_beta_2: AdamW's share of the squares' mean kept in each step, in [0, 1).
        adam_weight_decay: the weight decay of what AdamW updates; None for none.
        epsilon: of AdamW; keeps the quotient finite.
        weight_decay: of the matrices; see `Optimizer`.
        exclude_layers: patterns; AdamW updates what has one of them in its path.
        exclude_embeddings: whether AdamW updates embeddings.
        muon_a: coefficient of X in the iteration ``X <- a X + (b A + c A^2) X``, with
            ``A = X X^T``.
        muon_b: coefficient of A.
        muon_c: coefficient of A^2.
        adam_lr_ratio: AdamW's learning rate in units of lr.
        momentum: share of m kept in each step, in [0, 1).
        ns_steps: number of iterations.
        nesterov: whether to look ahead, to ``g + momentum m``.
        rms_rate: the step's root mean square in units of lr, as Adam's would be; None:
            leave the step as it is.
        kwargs: see `Optimizer`.

    Source: Jordan 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025,
    arXiv:2502.16982 (`rms_rate`).
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: list[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, **kwargs)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = exclude_layers or []
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def build(self, variables: Any) -> None:
        """Make a momentum for each of `variables`, and AdamW's velocity for some."""
        if self.built:
            return
        super().build(variables)
        for variable in self._trainable_variables:
            if not variable.overwrite_with_gradient:
                self.add_variable_from_reference(variable, "momentum")
                if self._should_use_adamw(variable):
                    self.add_variable_from_reference(variable, "velocity")

    def _should_use_adamw(self, variable: Variable) -> bool:
        """Whether it is no matrix inside a network."""
        if variable.ndim != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(name, variable.path) for name in self.exclude_layers)

    def weight_decay_of(self, variable: Variable) -> float | None:
        """Return AdamW's weight decay for what it updates, else that of matrices."""
        adam = self._should_use_adamw(variable)
        return self.adam_weight_decay if adam else self.weight_decay

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step along the orthogonalized momentum, or as Adam does."""
        m = self.slot(variable, "momentum")
        if self._should_use_adamw(variable):
            rate = learning_rate * self.adam_lr_ratio
            self._adamw_step(gradient, variable, rate, m)
            return
        step = self.assign(m, gradient + m * self.momentum)
        if self.nesterov:
            step = gradient + step * self.momentum
        step = self.zeropower_via_newtonschulz5(step, self.ns_steps)
        self.assign_sub(variable, self.lr_adjust(step * learning_rate))

    def _adamw_step(
        self, gradient: Any, variable: Variable, learning_rate: Any, m: Variable
    ) -> None:
        v, t = self.slot(variable, "velocity"), self.iterations + 1
        mean = self.average(m, gradient, self.adam_beta_1)
        square = self.average(v, K.square(gradient), self.adam_beta_2)
        of_m, of_v = (1 - power(b, t) for b in (self.adam_beta_1, self.adam_beta_2))
        rate = learning_rate * K.cast(K.sqrt(of_v) / of_m, variable.dtype)
        self.assign_sub(variable, mean * rate / (K.sqrt(square) + self.epsilon))

    def lr_adjust(self, x: Any) -> Any:
        """Return a step, scaled as `rms_rate` says: an orthogonal one is small."""
        if self.rms_rate is None:
            return x
        return x * (max(x.shape) ** 0.5 * self.rms_rate)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Return a matrix with the directions of `x` and singular values around 1.

        Args:
            x: a matrix, or a stack of them.
            steps: number of iterations.

        Raises:
            ValueError: if `x` has fewer than two axes.
        """
        shape = tuple(x.shape)
        if len(shape) < 2:
            raise ValueError(
                "Expected gradient or momentum to have at least 2 dimensions. "
                f"Received: shape={shape}"
            )
        tall = shape[-2] > shape[-1]  # the product with its transpose is smaller
        x = self.transpose_last_axis(x) if tall else x
        norm = K.sqrt(K.sum(K.square(x), axis=(-2, -1), keepdims=True))
        x = x / (norm + 1e-7)
        for _ in range(steps):
            a = K.matmul(x, self.transpose_last_axis(x))
            b = self.muon_b * a + self.muon_c * K.matmul(a, a)
            x = self.muon_a * x + K.matmul(b, x)
        return self.transpose_last_axis(x) if tall else x

    def transpose_last_axis(self, X: Any) -> Any:
        """Return `X` with its last two axes exchanged."""
        return K.swapaxes(X, -2, -1)

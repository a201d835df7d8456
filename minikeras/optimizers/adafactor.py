"""Adafactor: the second moments of a matrix, kept as one row and one column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minikeras import backend as K
from minikeras.optimizers.base import Optimizer, Variable

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adaptive steps at the memory of a row and a column for each matrix.

    With ``G = g^2 + epsilon_1``, r and c are running means of G's means over its last
    and its last but one axis, and ``v = r c / mean(r)``; a variable of fewer than two
    axes keeps v itself. The step ``u = g / sqrt(v)``, cut down to a root mean square of
    `clip_threshold`, goes ``max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t))`` far.

    Args:
        learning_rate: lr, the largest step relative to the weights; see `Optimizer`.
        beta_2_decay: p: in step t, the share ``1 - t^p`` of the means is kept; below 0.
        epsilon_1: added to squares.
        epsilon_2: the least size that weights are taken to have.
        clip_threshold: the largest root mean square of u.
        relative_step: accepted: as in Keras, lr is bounded by ``1 / sqrt(t)`` anyway.
        kwargs: see `Optimizer`.

    Source: Shazeer and Stern 2018, arXiv:1804.04235, algorithms 4 and 5.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Iterable[Variable]) -> None:
        """Make r and c for each of `variables` that has two axes, and v for each."""
        if self.built:
            return
        super().build(variables)
        for variable in self._trainable_variables:
            if variable.overwrite_with_gradient:
                continue
            for name, axis in (("r", -1), ("c", -2)):
                sizes, kind = list(variable.shape), variable.dtype
                if variable.ndim >= 2:
                    del sizes[axis]
                else:  # of no use, but in Keras's files
                    sizes, kind = [], "int32"
                self._slots[variable, name] = self.add_variable(
                    sizes, dtype=kind, name=variable.name
                )
            self.add_variable_from_reference(variable, "velocity")

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Step down the gradient, in units of v, as far as the weights are large."""
        t = K.cast(self.iterations + 1, variable.dtype)
        keep = 1 - K.power(t, self.beta_2_decay)
        square = K.square(gradient) + self.epsilon_1
        v = self.slot(variable, "velocity")
        if variable.ndim >= 2:
            row, column = self.slot(variable, "r"), self.slot(variable, "c")
            r = self.average(row, K.mean(square, axis=-1), keep)
            c = self.average(column, K.mean(square, axis=-2), keep)
            r = r / K.mean(r, axis=-1, keepdims=True)
            spread = self.assign(v, K.expand_dims(r, -1) * K.expand_dims(c, -2))
        else:
            spread = self.average(v, square, keep)
        step = gradient / K.sqrt(spread)
        step = step / K.maximum(1, _rms(step) / self.clip_threshold)
        size = K.maximum(self.epsilon_2, _rms(variable))
        length = size * K.minimum(learning_rate, 1 / K.sqrt(t))
        self.assign_sub(variable, step * length)


def _rms(x: Any) -> Any:
    return K.sqrt(K.mean(K.square(x)))

"""Constraints: projections of a weight onto an allowed set, after each update."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

Axes = int | list[int] | tuple[int, ...]


class Constraint(K.Configured):
    """Base of constraints: a function from a weight to the nearest allowed one."""

    def __call__(self, w: Any) -> Any:
        """Return `w`, projected; the base leaves it as it is."""
        return K.convert_to_tensor(w)


class NonNeg(Constraint):
    """Weights are 0 or more."""

    def __call__(self, w: Any) -> Any:
        """Return `w`, with 0 in place of negative elements."""
        return K.maximum(K.convert_to_tensor(w), 0)


class MinMaxNorm(Constraint):
    """The norm along some axes lies between two bounds.

    Args:
        min_value: the lower bound.
        max_value: the upper bound.
        rate: how much of the way to the bound one projection goes; 1 for all of it.
        axis: along which the norm is taken: 0 for the weights into one unit of a
            dense layer, ``[0, 1, 2]`` for one filter of a two-dimensional convolution.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axes = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return `w`, scaled along the axes."""
        w = K.convert_to_tensor(w)
        norms = K.sqrt(K.sum(K.square(w), axis=self.axis, keepdims=True))
        return w * (self.desired(norms) / (K.epsilon() + norms))

    def desired(self, norms: Any) -> Any:
        """Return the norms to be had, in place of `norms`."""
        bounded = K.clip(norms, self.min_value, self.max_value)
        if self.rate == 1:
            return bounded
        return self.rate * bounded + (1 - self.rate) * norms


class MaxNorm(MinMaxNorm):
    """The norm along some axes has an upper bound.

    Args:
        max_value: the bound.
        axis: along which the norm is taken; see `MinMaxNorm`.

    Source: Srivastava et al. 2014, jmlr.org/papers/v15/srivastava14a.html.
    """

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        super().__init__(max_value=max_value, axis=axis)


class UnitNorm(MinMaxNorm):
    """The norm along some axes is 1.

    Args:
        axis: along which the norm is taken; see `MinMaxNorm`.
    """

    def __init__(self, axis: Axes = 0) -> None:
        super().__init__(min_value=1.0, axis=axis)

    def desired(self, norms: Any) -> Any:
        """Return 1: a zero vector stays one all the same."""
        return 1.0


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_registry = K.Registry(
    "keras.constraints",
    "constraint",
    [Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm],
    fold=K.to_snake_case,
)
get, serialize, deserialize = _registry.get, _registry.serialize, _registry.deserialize

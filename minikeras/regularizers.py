"""Regularizers: penalties on weights, or on a layer's output, added to the loss."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(K.Configured):
    """Base of regularizers: a function from a tensor to a scalar penalty."""

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`."""
        return 0.0


def validate_float_arg(value: Any, name: str) -> float:
    """Return `value` as a float.

    Raises:
        ValueError: if it is not a number, not finite, or negative.
    """
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)


def _factor(value: float | None, name: str, default: float) -> float:
    """Return `value` as a float, or `default` for None."""
    return default if value is None else validate_float_arg(value, name)


class L1L2(Regularizer):
    """Penalty ``l1 sum |x| + l2 sum x^2``.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Raises:
        ValueError: if a factor is negative or not finite.
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor(l1, "l1", 0.0)
        self.l2 = _factor(l2, "l2", 0.0)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`."""
        terms = []
        if self.l1:
            terms.append(self.l1 * K.sum(K.abs(x)))
        if self.l2:
            terms.append(self.l2 * K.sum(K.square(x)))
        return sum(terms[1:], terms[0]) if terms else K.zeros((), x.dtype)


class L1(L1L2):
    """Penalty ``l1 sum |x|``, which drives small weights to 0.

    Args:
        l1: factor of the absolute values.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        super().__init__(_factor(l1, "l1", 0.01))


class L2(L1L2):
    """Penalty ``l2 sum x^2``, which keeps weights small.

    Args:
        l2: factor of the squares.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        super().__init__(l2=_factor(l2, "l2", 0.01))


class OrthogonalRegularizer(Regularizer):
    """Penalty on the angles between rows (or columns) that are not right ones.

    It is the mean absolute cosine over all pairs, times `factor`.

    Args:
        factor: of the penalty.
        mode: ``"rows"`` or ``"columns"``.

    Raises:
        ValueError: if there is no such mode, or `factor` is negative or not finite.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected one of "
                f'{{"rows", "columns"}}. Received: mode={mode}'
            )
        self.factor = _factor(factor, "factor", 0.01)
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        """Return the penalty of the matrix `inputs`."""
        if len(inputs.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={inputs.shape}"
            )
        rows: Any = inputs if self.mode == "rows" else K.transpose(inputs)
        size = rows.shape[0]
        square = K.sum(K.square(rows), axis=1, keepdims=True)
        rows = rows * K.rsqrt(K.maximum(square, K.epsilon() ** 2))
        cosines = K.matmul(rows, K.transpose(rows)) * (1.0 - K.eye(size, rows.dtype))
        pairs = size * (size - 1.0) / 2.0
        return self.factor * 0.5 * K.sum(K.abs(cosines)) / pairs


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_registry = K.Registry(
    "keras.regularizers",
    "regularizer",
    [Regularizer, L1, L2, L1L2, OrthogonalRegularizer],
    top=[Regularizer],
    aliases={"l1_l2": L1L2},
    fold=K.to_snake_case,
)
get, serialize, deserialize = _registry.get, _registry.serialize, _registry.deserialize

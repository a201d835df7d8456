"""Losses of image masks: how little predicted and true regions overlap."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, alike

__all__ = ["Dice", "Tversky", "dice", "tversky"]

Axes = int | tuple[int, ...] | list[int] | None


def dice(y_true: Any, y_pred: Any, axis: Axes = None) -> Any:
    """Return ``1 - 2 |A B| / (|A| + |B|)``, summed over `axis` (all if None).

    Source: Sudre et al. 2017, arXiv:1707.03237.
    """
    y_true, y_pred = alike(y_true, y_pred)
    both = K.sum(y_true * y_pred, axis=axis)
    total = K.sum(y_true, axis=axis) + K.sum(y_pred, axis=axis)
    return 1 - 2.0 * both / (total + K.epsilon())


def tversky(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axes = None,
) -> Any:
    """Return ``1 - |A B| / (|A B| + alpha |A - B| + beta |B - A|)``.

    A is the true region and B the predicted one; 1/2 and 1/2 give `dice`.

    Args:
        y_true: membership of A, in [0, 1].
        y_pred: membership of B, in [0, 1].
        alpha: weight of what was missed.
        beta: weight of what was wrongly added.
        axis: over which to sum; all axes if None.

    Source: Salehi et al. 2017, arXiv:1706.05721; which weight is which, as Keras.
    """
    y_true, y_pred = alike(y_true, y_pred)
    both = K.sum(y_true * y_pred, axis=axis)
    missed = K.sum(y_true * (1 - y_pred), axis=axis)
    added = K.sum(y_pred * (1 - y_true), axis=axis)
    return 1 - both / (both + alpha * missed + beta * added + K.epsilon())


class Dice(FunctionLoss):
    """One minus Dice's coefficient: see `dice`.

    Args:
        reduction: see `Loss`.
        name: see `Loss`.
        axis: over which the regions extend; all axes if None.
        dtype: see `Loss`.
    """

    fn = staticmethod(dice)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis)


class Tversky(FunctionLoss):
    """One minus Tversky's index: see `tversky`.

    Args:
        alpha: weight of what was missed.
        beta: weight of what was wrongly added.
        reduction: see `Loss`.
        name: see `Loss`.
        axis: over which the regions extend; all axes if None.
        dtype: see `Loss`.
    """

    fn = staticmethod(tversky)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: Axes = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)

"""Losses of margins: targets are -1 or 1, predictions should lie beyond them."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, alike

__all__ = [
    "CategoricalHinge",
    "Hinge",
    "SquaredHinge",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
]


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``max(1 - y_true y_pred, 0)`` over the last axis.

    Targets that are all 0 or 1 count as -1 or 1.
    """
    return K.mean(_margin(y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``max(1 - y_true y_pred, 0)^2`` over the last axis.

    Targets that are all 0 or 1 count as -1 or 1.
    """
    return K.mean(K.square(_margin(y_true, y_pred)), axis=-1)


def _margin(y_true: Any, y_pred: Any) -> Any:
    """Return how far each prediction falls short of its margin."""
    y_true, y_pred = alike(y_true, y_pred)
    binary = K.all(K.logical_or(K.equal(y_true, 0), K.equal(y_true, 1)))
    sign = K.where(binary, 2.0 * y_true - 1.0, y_true)
    return K.maximum(1.0 - sign * y_pred, 0.0)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return ``max(wrong - right + 1, 0)`` for one-hot targets.

    `right` is the prediction for the true class, `wrong` the largest other one.
    """
    y_true, y_pred = alike(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(wrong - right + 1.0, 0.0)


class Hinge(FunctionLoss):
    """Shortfall from a margin: see `hinge`."""

    fn = staticmethod(hinge)


class SquaredHinge(FunctionLoss):
    """Squared shortfall from a margin: see `squared_hinge`."""

    fn = staticmethod(squared_hinge)


class CategoricalHinge(FunctionLoss):
    """Shortfall of the true class against the best other: see `categorical_hinge`."""

    fn = staticmethod(categorical_hinge)

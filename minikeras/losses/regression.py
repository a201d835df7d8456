"""Losses of real targets: differences, relative ones, angles."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, matched

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "cosine_similarity",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``(y_true - y_pred)^2`` over the last axis.

    Example:
        >>> mean_squared_error([[0.0, 2.0]], [[1.0, 0.0]])
        array([2.5], dtype=float32)
    """
    y_true, y_pred = matched(y_true, y_pred)
    return K.mean(K.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``|y_true - y_pred|`` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    return K.mean(K.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return 100 times the mean of ``|y_true - y_pred| / |y_true|``.

    A target nearer to 0 than epsilon counts as epsilon.
    """
    y_true, y_pred = matched(y_true, y_pred)
    scale = K.maximum(K.abs(y_true), K.epsilon())
    return 100.0 * K.mean(K.abs((y_true - y_pred) / scale), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``(log(1 + y_true) - log(1 + y_pred))^2``.

    Values below epsilon count as epsilon.
    """
    y_true, y_pred = matched(y_true, y_pred)
    difference = _log1(y_pred) - _log1(y_true)
    return K.mean(K.square(difference), axis=-1)


def _log1(x: Any) -> Any:
    return K.log(K.maximum(x, K.epsilon()) + 1.0)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the mean of ``e^2 / 2`` where ``|e| <= delta``, else of its tangent.

    That is ``delta |e| - delta^2 / 2`` for the error ``e = y_pred - y_true``.

    Source: Huber 1964, doi:10.1214/aoms/1177703732.
    """
    y_true, y_pred = matched(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    near = 0.5 * K.square(error)
    far = delta * error - 0.5 * delta**2
    return K.mean(K.where(error <= delta, near, far), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``log(cosh(y_pred - y_true))``, without overflow."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - math.log(2.0), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return minus the cosine of the angle between `y_true` and `y_pred`.

    -1 means the same direction, 0 a right angle or a zero vector, 1 opposite ones.
    """
    y_true, y_pred = matched(y_true, y_pred)
    return -K.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x: Any, axis: int) -> Any:
    square = K.sum(K.square(x), axis=axis, keepdims=True)
    return x * K.rsqrt(K.maximum(square, K.epsilon() ** 2))


class MeanSquaredError(FunctionLoss):
    """Mean of the squared errors: see `mean_squared_error`."""

    fn = staticmethod(mean_squared_error)


class MeanAbsoluteError(FunctionLoss):
    """Mean of the errors' sizes: see `mean_absolute_error`."""

    fn = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(FunctionLoss):
    """Mean of the errors relative to the targets, in percent."""

    fn = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean of the squared differences of logarithms."""

    fn = staticmethod(mean_squared_logarithmic_error)


class LogCosh(FunctionLoss):
    """Logarithm of the hyperbolic cosine of the errors: see `log_cosh`."""

    fn = staticmethod(log_cosh)


class Huber(FunctionLoss):
    """Squares of small errors, sizes of large ones: see `huber`.

    Args:
        delta: the size of an error up to which it is squared.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(huber)
    not_in_config: ClassVar[dict[str, Any]] = {"delta": 1.0}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, delta=delta)


class CosineSimilarity(FunctionLoss):
    """Minus the cosine of the angle between target and prediction.

    Args:
        axis: along which the vectors lie.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(cosine_similarity)
    not_in_config: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype, axis=axis)

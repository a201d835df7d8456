"""Correlations of predictions with targets, sample by sample."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import matched
from minikeras.metrics.reduction import FunctionMetric

__all__ = [
    "ConcordanceCorrelation",
    "PearsonCorrelation",
    "concordance_correlation",
    "pearson_correlation",
]


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the covariance over both standard deviations: 1 for any rising line."""
    y_true, y_pred = matched(y_true, y_pred)
    return K.mean(_standard(y_true, axis) * _standard(y_pred, axis), axis=axis)


def _standard(x: Any, axis: int) -> Any:
    x = x - K.mean(x, axis=axis, keepdims=True)
    return x / K.std(x, axis=axis, keepdims=True)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return twice the covariance over variances and squared distance of means.

    It is 1 for equal values only, not for any line.

    Source: Lin 1989, doi:10.2307/2532051.
    """
    y_true, y_pred = matched(y_true, y_pred)
    means = [K.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    covariance = K.mean((y_true - means[0]) * (y_pred - means[1]), axis=axis)
    variances = K.var(y_true, axis=axis) + K.var(y_pred, axis=axis)
    distance = K.squeeze(K.square(means[0] - means[1]), axis)
    return 2 * covariance / (variances + distance + K.epsilon())


class PearsonCorrelation(FunctionMetric):
    """Mean correlation of predictions with targets: see `pearson_correlation`.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        axis: along which the values to be correlated lie.
    """

    _direction = "up"
    fn = staticmethod(pearson_correlation)

    def __init__(
        self, name: str | None = None, dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(name, dtype, axis=axis)


class ConcordanceCorrelation(FunctionMetric):
    """Mean agreement of predictions with targets: see `concordance_correlation`.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        axis: along which the values to be compared lie.
    """

    _direction = "up"
    fn = staticmethod(concordance_correlation)

    def __init__(
        self, name: str | None = None, dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(name, dtype, axis=axis)

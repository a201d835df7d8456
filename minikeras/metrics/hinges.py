"""Metrics of margins: means of the hinge losses."""

from __future__ import annotations

from minikeras import losses
from minikeras.metrics.reduction import FunctionMetric

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


class Hinge(FunctionMetric):
    """Mean shortfall from a margin."""

    fn = staticmethod(losses.hinge)


class SquaredHinge(FunctionMetric):
    """Mean squared shortfall from a margin."""

    fn = staticmethod(losses.squared_hinge)


class CategoricalHinge(FunctionMetric):
    """Mean shortfall of the true class against the best other."""

    fn = staticmethod(losses.categorical_hinge)

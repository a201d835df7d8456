"""Metrics of real predictions: means of errors, and the share of variance explained."""

from __future__ import annotations

from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import losses
from minikeras.losses.base import matched
from minikeras.metrics.base import Metric, columns, rank
from minikeras.metrics.reduction import FunctionMetric, Mean

__all__ = [
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "R2Score",
    "RootMeanSquaredError",
    "cosine_similarity",
]


class MeanSquaredError(FunctionMetric):
    """Mean of the squared errors."""

    fn = staticmethod(losses.mean_squared_error)


class MeanAbsoluteError(FunctionMetric):
    """Mean of the errors' sizes."""

    fn = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMetric):
    """Mean of the errors relative to the targets, in percent."""

    fn = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMetric):
    """Mean of the squared differences of logarithms."""

    fn = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(FunctionMetric):
    """Mean logarithm of the hyperbolic cosine of the errors."""

    fn = staticmethod(losses.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the cosine of the angle between `y_true` and `y_pred`."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(FunctionMetric):
    """Mean cosine of the angle between target and prediction.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        axis: along which the vectors lie.
    """

    _direction = "up"
    fn = staticmethod(cosine_similarity)
    not_in_config: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self, name: str | None = None, dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """Root of the mean of the squared errors.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    _direction = "down"

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)

    def update_state(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add the squared errors, weighted."""
        y_pred = K.convert_to_tensor(y_pred, self.dtype)
        y_true, y_pred = matched(y_true, y_pred)
        super().update_state(K.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        """Return the root of the mean."""
        return K.sqrt(super().result())


class R2Score(Metric):
    """Share of the targets' variance that predictions explain.

    For each output it is 1 minus the squared errors' sum over that of the deviations
    from the mean; 1 is perfect, 0 as good as always predicting the mean.

    Args:
        class_aggregation: over outputs: ``"uniform_average"``,
            ``"variance_weighted_average"``, or None for one score each.
        num_regressors: how many inputs predictions are made from; if not 0, the score
            is adjusted for them.
        name: of the metric.
        dtype: of the computation; floatx by default.

    Raises:
        ValueError: if there is no such aggregation, or `num_regressors` is negative.
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        allowed = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in allowed:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{allowed}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(name="num_samples")
        self.built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        shape = (columns("R2Score", y_true_shape, y_pred_shape),)
        self.squared_sum = self.add_variable(shape, name="squared_sum")
        self.sum = self.add_variable(shape, name="sum")
        self.residual = self.add_variable(shape, name="residual")
        self.count = self.add_variable(shape, name="count")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets, their squares and the squared errors, weighted.

        Shapes:
            y_true, y_pred: (batch, outputs)
            sample_weight: (), (batch,) or (batch, outputs)
        """
        y_true, y_pred = matched(y_true, K.convert_to_tensor(y_pred, self.dtype))
        if not self.built:
            self._build(y_true.shape, y_pred.shape)
        weight = K.convert_to_tensor(
            1 if sample_weight is None else sample_weight, self.dtype
        )
        weight = K.expand_dims(weight, 1) if rank(weight) == 1 else weight
        weight = K.broadcast_to(weight, K.shape(y_true))
        squared_error = K.square(y_true - y_pred)
        self.sum.assign_add(K.sum(y_true * weight, axis=0))
        self.squared_sum.assign_add(K.sum(K.square(y_true) * weight, axis=0))
        self.residual.assign_add(K.sum(squared_error * weight, axis=0))
        self.count.assign_add(K.sum(weight, axis=0))
        self.num_samples.assign_add(K.cast(K.size(y_true), self.num_samples.dtype))

    def result(self) -> Any:
        """Return the score; one for each output if they are not aggregated."""
        total = self.squared_sum - K.square(self.sum) / self.count
        scores = 1 - self.residual / total
        scores = K.where(K.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = K.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = K.sum(total * scores) / K.sum(total)
        return self._adjusted(scores) if self.num_regressors else scores

    def _adjusted(self, scores: Any) -> Any:
        """Return `scores`, corrected for the regressors where samples suffice."""
        freedom = self.num_samples - 1.0 - self.num_regressors
        ratio = K.divide_no_nan(self.num_samples - 1.0, freedom)
        return K.where(freedom > 0, 1.0 - (1.0 - scores) * ratio, scores)

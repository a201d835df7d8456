"""F-scores: the harmonic mean of precision and recall, class by class."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.metrics.base import Metric, columns

__all__ = ["F1Score", "FBetaScore"]


class FBetaScore(Metric):
    """Weighted harmonic mean of precision and recall.

    It is ``(1 + b^2) p r / (b^2 p + r)`` with precision p, recall r and `beta` b.

    Args:
        average: over classes: ``"macro"``; ``"weighted"`` by how many samples are of
            a class; ``"micro"``, of the counts; None for one score each.
        beta: how much more recall counts; above 0.
        threshold: above which a prediction is a yes; None: the largest one is.
        name: of the metric.
        dtype: of the computation; floatx by default.

    Raises:
        ValueError: if there is no such average, or `beta` or `threshold` is no float in
            its range.
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        allowed = (None, "micro", "macro", "weighted")
        if average not in allowed:
            raise ValueError(
                "Invalid `average` argument value. Expected one of: "
                f"{{{str(allowed)[1:-1]}}}. Received: average={average}"
            )
        _check_float("beta", beta)
        if beta <= 0.0:
            raise ValueError(
                "Invalid `beta` argument value. It should be > 0. "
                f"Received: beta={beta}"
            )
        if threshold is not None:
            _check_float("threshold", threshold)
            if not 0.0 < threshold <= 1.0:
                raise ValueError(
                    "Invalid `threshold` argument value. It should verify "
                    f"0 < threshold <= 1. Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        classes = columns("FBetaScore", y_true_shape, y_pred_shape)
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self.support = self.add_variable(shape, name="intermediate_weights")
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count right and wrong yeses, and missed ones.

        Shapes:
            y_true, y_pred: (batch, classes)
            sample_weight: (batch,)
        """
        y_true = K.convert_to_tensor(y_true, self.dtype)
        y_pred = K.convert_to_tensor(y_pred, self.dtype)
        if not self.built:
            self._build(y_true.shape, y_pred.shape)
        yes = K.cast(self._yes(y_pred), self.dtype)
        weight = 1.0
        if sample_weight is not None:
            weight = K.expand_dims(K.convert_to_tensor(sample_weight, self.dtype), 1)
        axis = None if self.average == "micro" else 0
        for variable, found in (
            (self.true_positives, yes * y_true),
            (self.false_positives, yes * (1 - y_true)),
            (self.false_negatives, (1 - yes) * y_true),
            (self.support, y_true),
        ):
            variable.assign_add(K.sum(found * weight, axis=axis))

    def _yes(self, y_pred: Any) -> Any:
        if self.threshold is not None:
            return y_pred > self.threshold
        largest = y_pred >= K.max(y_pred, axis=-1, keepdims=True)
        return K.logical_and(largest, K.abs(y_pred) > 1e-9)

    def result(self) -> Any:
        """Return the score; one for each class if they are not averaged."""
        tiny = K.epsilon()
        true = K.convert_to_tensor(self.true_positives)
        precision = true / (true + self.false_positives + tiny)
        recall = true / (true + self.false_negatives + tiny)
        square = self.beta**2
        score = precision * recall / (square * precision + recall + tiny) * (1 + square)
        if self.average == "weighted":
            return K.sum(score * (self.support / (K.sum(self.support) + tiny)))
        return score if self.average is None else K.mean(score)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall.

    Args:
        average: over classes; see `FBetaScore`.
        threshold: above which a prediction is a yes; None: the largest one is.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)


def _check_float(name: str, value: Any) -> None:
    if not isinstance(value, float):
        raise ValueError(
            f"Invalid `{name}` argument value. It should be a Python float. "
            f"Received: {name}={value} of type '{type(value)}'"
        )

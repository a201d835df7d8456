"""Metrics over many thresholds: the area under a curve, the best point of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.metrics.base import rank
from minikeras.metrics.confusion import ConfusionMetric

__all__ = [
    "AUC",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]

_ALL = ("true_positives", "false_positives", "true_negatives", "false_negatives")

# Rates, as arguments of `ratio`.
_SENSITIVITY = ("true_positives", "true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "true_negatives", "false_positives")
_PRECISION = ("true_positives", "true_positives", "false_positives")
_FALL_OUT = ("false_positives", "false_positives", "true_negatives")


def _inner(count: int) -> list[float]:
    """Return the `count` thresholds from 0 to 1 without these two."""
    K.check_size("thresholds", (count,))
    return [i / (count - 1) for i in range(1, count - 1)]


class BestAt(ConfusionMetric):
    """Base of metrics that choose the best of many thresholds.

    Args:
        argument: name of the argument that says what is to be reached.
        value: its value.
        num_thresholds: how many thresholds are tried.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.

    Attributes:
        bound: the rate that must reach the value.
        best: the rate that is then as large as it can be.

    Raises:
        ValueError: if the value is not in [0, 1].
    """

    _direction = "up"
    counts = _ALL
    bound: ClassVar[tuple[str, ...]]
    best: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        argument: str,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{argument}` must be in the range [0, 1]. Received: "
                f"{argument}={value}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 0. Received: "
                f"num_thresholds={num_thresholds}"
            )
        several = num_thresholds > 1
        levels = [0.0, *_inner(num_thresholds), 1.0] if several else [0.5]
        super().__init__(levels, None, class_id, name, dtype)
        self.value = value
        self.num_thresholds = num_thresholds
        setattr(self, argument, value)

    def result(self) -> Any:
        """Return the best rate; 0 if no threshold is good enough."""
        good = self.ratio(*self.bound) >= self.value
        return K.max(K.where(good, self.ratio(*self.best), 0.0))


class SensitivityAtSpecificity(BestAt):
    """Best sensitivity where the specificity is at least `specificity`.

    Args:
        specificity: the least share of noes among what is false, in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    bound, best = _SPECIFICITY, _SENSITIVITY

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "specificity", specificity, num_thresholds, class_id, name, dtype
        )


class SpecificityAtSensitivity(BestAt):
    """Best specificity where the sensitivity is at least `sensitivity`.

    Args:
        sensitivity: the least share of yeses among what is true, in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    bound, best = _SENSITIVITY, _SPECIFICITY

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "sensitivity", sensitivity, num_thresholds, class_id, name, dtype
        )


class PrecisionAtRecall(BestAt):
    """Best precision where the recall is at least `recall`.

    Args:
        recall: the least share of yeses among what is true, in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    bound, best = _SENSITIVITY, _PRECISION

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("recall", recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(BestAt):
    """Best recall where the precision is at least `precision`.

    Args:
        precision: the least share of the yeses that are right, in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    bound, best = _PRECISION, _SENSITIVITY

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__("precision", precision, num_thresholds, class_id, name, dtype)


class AUC(ConfusionMetric):
    """Area under a curve that a moving threshold draws.

    Args:
        num_thresholds: how many thresholds, spread evenly from 0 to 1.
        curve: ``"ROC"``: recall against fall-out; ``"PR"``: precision against recall;
            ``"PRGAIN"``: their gains over always saying yes.
        summation_method: heights between two points: ``"interpolation"``, their mean
            (for PR: of the counts, not of the rates); ``"minoring"``, the lower one;
            ``"majoring"``, the higher one.
        name: of the metric.
        dtype: of the computation; floatx by default.
        thresholds: in place of `num_thresholds`, those between 0 and 1.
        multi_label: whether each column has an area of its own, and the mean is wanted.
        num_labels: how many columns, if they are to be known before the first batch.
        label_weights: weight of each column.
        from_logits: whether predictions are logits, not probabilities.

    Raises:
        ValueError: if there is no such curve or method, or too few thresholds.

    Source: Davis and Goadrich 2006, doi:10.1145/1143844.1143874 (PR interpolation);
    Flach and Kull 2015, NeurIPS (gains).
    """

    _direction = "up"
    counts = _ALL

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        self.curve = _one_of("AUC curve", curve, ("PR", "ROC", "PRGAIN"))
        self.summation_method = _one_of(
            "AUC summation method",
            summation_method,
            ("interpolation", "majoring", "minoring"),
        )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. Received: "
                f"num_thresholds={num_thresholds}"
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        inner = _inner(num_thresholds) if thresholds is None else sorted(thresholds)
        self.init_thresholds = None if thresholds is None else inner
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        self.num_thresholds = len(inner) + 2
        self.built = False
        levels = [-K.epsilon(), *inner, 1.0 + K.epsilon()]
        super().__init__(levels, name=name, dtype=dtype)

    def build_counts(self, shape: Sequence[int]) -> None:
        """Make the counts' variables; not yet if the number of columns is unknown."""
        if self.multi_label and not self.num_labels:
            return
        columns = (self.num_labels,) if self.num_labels else ()
        super().build_counts((*shape, *columns))
        self.built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one more batch at all thresholds.

        Shapes:
            y_true, y_pred: (batch,) or (batch, labels)
            sample_weight: (), (batch,) or the shape of `y_pred`
        """
        y_pred = K.convert_to_tensor(y_pred)
        y_pred = K.sigmoid(y_pred) if self.from_logits else y_pred
        if not self.multi_label:
            if self.label_weights is not None:
                ones = K.ones_like(y_pred)
                weight = 1.0 if sample_weight is None else _column(sample_weight, ones)
                sample_weight = ones * weight * K.convert_to_tensor(self.label_weights)
            super().update_state(y_true, y_pred, sample_weight)
            return
        if not self.built:
            self.num_labels = y_pred.shape[1]
            self.build_counts((self.num_thresholds,))
        self.count(*self.prepared(y_true, y_pred, sample_weight))

    def result(self) -> Any:
        """Return the area; the mean over columns if each has its own."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated_precision()
        else:
            x, y = self._curve()
            areas = (x[:-1] - x[1:]) * self._between(y[:-1], y[1:])
        area = K.sum(areas, axis=0)
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return K.mean(area)
        weights = K.convert_to_tensor(self.label_weights, area.dtype)
        return K.divide_no_nan(K.sum(area * weights), K.sum(weights))

    def _curve(self) -> tuple[Any, Any]:
        """Return the points: abscissas that fall as the threshold rises, ordinates."""
        if self.curve == "ROC":
            return self.ratio(*_FALL_OUT), self.ratio(*_SENSITIVITY)
        if self.curve == "PR":
            return self.ratio(*_SENSITIVITY), self.ratio(*_PRECISION)
        none = K.equal(self.true_positives, 0.0)
        positives = self.true_positives + self.false_negatives
        negatives = self.true_negatives + self.false_positives
        odds = K.divide_no_nan(positives, negatives)
        recall = 1.0 - odds * self.ratio("false_negatives", "true_positives")
        precision = 1.0 - odds * self.ratio("false_positives", "true_positives")
        recall = K.maximum(K.where(none, 0.0, recall), 0.0)
        return recall, K.where(none, 1.0, precision)

    def _between(self, left: Any, right: Any) -> Any:
        """Return the heights between neighboring points."""
        if self.summation_method == "interpolation":
            return (left + right) / 2.0
        choose = K.minimum if self.summation_method == "minoring" else K.maximum
        return choose(left, right)

    def _interpolated_precision(self) -> Any:
        """Return the areas under precision, linear in the counts between thresholds.

        Between two points true positives grow by `slope` with all yeses; precision is
        their quotient, whose integral has a logarithm.
        """
        true = K.convert_to_tensor(self.true_positives)
        yes = true + self.false_positives
        growth = true[:-1] - true[1:]
        slope = K.divide_no_nan(growth, K.maximum(yes[:-1] - yes[1:], 0))
        intercept = true[1:] - slope * yes[1:]
        both = K.logical_and(yes[:-1] > 0, yes[1:] > 0)
        ratio = K.where(both, K.divide_no_nan(yes[:-1], K.maximum(yes[1:], 0)), 1.0)
        positives = K.maximum(true[1:] + self.false_negatives[1:], 0)
        return K.divide_no_nan(slope * (growth + intercept * K.log(ratio)), positives)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        config = {**super().get_config(), "thresholds": self.init_thresholds}
        if config["thresholds"] is None:
            del config["thresholds"]
        return config


def _one_of(what: str, value: str, allowed: Sequence[str]) -> str:
    """Return the one of `allowed` that `value` is but for its case."""
    for name in allowed:
        if name.lower() == value.lower():
            return name
    raise ValueError(
        f'Invalid {what} value: "{value}". Expected values are {list(allowed)}'
    )


def _column(weight: Any, like: Any) -> Any:
    """Return a weight of each sample as one that broadcasts over its labels."""
    weight = K.convert_to_tensor(weight, like.dtype)
    return K.expand_dims(weight, -1) if 0 < rank(weight) < rank(like) else weight

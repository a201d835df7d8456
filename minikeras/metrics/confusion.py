"""Metrics of yes or no at thresholds: counts of true and false positives and negatives.

One base keeps the counts it is asked for, one number for each threshold; all else is
arithmetic on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.losses.base import squeeze_or_expand_to_same_rank
from minikeras.metrics.base import Metric, rank

__all__ = [
    "ConfusionMetric",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]

# A score that no threshold lets through.
_NEVER = -1e10


class ConfusionMetric(Metric):
    """Base of metrics that count right and wrong yeses and noes.

    Args:
        thresholds: above which a prediction is a yes.
        top_k: of each sample, take only the k best predictions for a yes.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.

    Attributes:
        counts: the counts which a subclass needs, by the names of their variables.
    """

    counts: ClassVar[tuple[str, ...]]
    true_positives: K.Variable
    false_positives: K.Variable
    true_negatives: K.Variable
    false_negatives: K.Variable

    def __init__(
        self,
        thresholds: Sequence[float],
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = list(thresholds)
        self.top_k = top_k
        self.class_id = class_id
        self.build_counts((len(self.thresholds),))

    def build_counts(self, shape: Sequence[int]) -> None:
        """Make a variable of this shape for each count."""
        for name in self.counts:
            setattr(self, name, self.add_variable(shape, name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count one more batch.

        Shapes:
            y_true, y_pred: (batch,) or (batch, ...)
            sample_weight: (), (batch,) or the shape of `y_pred`
        """
        y_true, y_pred, weight = self.prepared(y_true, y_pred, sample_weight)
        self.count(*(K.reshape(x, (-1,)) for x in (y_true, y_pred, weight)))

    def prepared(
        self, y_true: Any, y_pred: Any, sample_weight: Any
    ) -> tuple[Any, Any, Any]:
        """Return truth (0 or 1), scores and weights in one shape."""
        y_true = K.cast(K.convert_to_tensor(y_true), K.floatx())
        y_pred = K.cast(K.convert_to_tensor(y_pred), K.floatx())
        y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
        if self.top_k is not None:
            y_pred = _only_top_k(y_pred, self.top_k)
        if self.class_id is not None:
            if rank(y_pred) == 1:
                raise ValueError(
                    "When class_id is provided, y_pred must be a 2D array with shape "
                    f"(num_samples, num_classes), found shape: {y_pred.shape}"
                )
            y_true = y_true[..., self.class_id, None]
            y_pred = y_pred[..., self.class_id, None]
        y_true = K.cast(K.not_equal(y_true, 0), y_pred.dtype)
        if sample_weight is None:
            return y_true, y_pred, K.ones_like(y_pred)
        weight = K.convert_to_tensor(sample_weight, y_pred.dtype)
        if 0 < rank(weight) < rank(y_pred):
            weight = K.expand_dims(weight, -1)
        return y_true, y_pred, K.broadcast_to(weight, K.shape(y_pred))

    def count(self, y_true: Any, y_pred: Any, weight: Any) -> None:
        """Add to the counts; the first axis of the arguments is summed over."""
        levels = K.convert_to_tensor(self.thresholds, y_pred.dtype)
        levels = K.reshape(levels, (-1,) + (1,) * rank(y_pred))
        yes = K.cast(y_pred > levels, y_pred.dtype)
        positive, negative = y_true * weight, (1.0 - y_true) * weight
        for name in self.counts:
            truth = positive if name in _OF_POSITIVES else negative
            found = K.sum(yes * truth, axis=1)
            if name in _OF_NOES:
                found = K.sum(truth, axis=0) - found
            getattr(self, name).assign_add(found)

    def ratio(self, part: str, *whole: str) -> Any:
        """Return the count `part` over the sum of the counts `whole`, 0 over 0 is 0."""
        total = sum(
            (getattr(self, name) for name in whole[1:]), getattr(self, whole[0])
        )
        return K.divide_no_nan(getattr(self, part), total)

    def single(self, values: Any) -> Any:
        """Return the only element of `values` if there is one threshold, else all."""
        return values[0] if len(self.thresholds) == 1 else K.convert_to_tensor(values)


_OF_POSITIVES = ("true_positives", "false_negatives")
_OF_NOES = ("true_negatives", "false_negatives")


def _only_top_k(scores: Any, k: int) -> Any:
    """Return `scores` with all but the k best of each sample made hopeless."""
    best = K.one_hot(K.top_k(scores, k)[1], scores.shape[-1])
    return K.where(K.any(best > 0, axis=-2), scores, _NEVER)


def _checked(thresholds: Any, default: float) -> list[float]:
    """Return `thresholds` as a list.

    Raises:
        ValueError: if one of them is not in [0, 1].
    """
    if thresholds is None:
        return [default]
    several = isinstance(thresholds, (list, tuple))
    levels = list(thresholds) if several else [thresholds]
    invalid = [t for t in levels if t is None or not 0 <= t <= 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return levels


class _AtThresholds(ConfusionMetric):
    """Base of metrics with thresholds of the user's."""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        levels = _checked(thresholds, 0.5 if top_k is None else _NEVER)
        super().__init__(levels, top_k, class_id, name, dtype)
        self.init_thresholds = thresholds

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class _Count(_AtThresholds):
    """Base of metrics that are one count.

    Args:
        thresholds: above which a prediction is a yes; 0.5 by default.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)

    def build_counts(self, shape: Sequence[int]) -> None:
        """Make the only variable, by the name that saved files have for it."""
        setattr(self, self.counts[0], self.add_variable(shape, name="accumulator"))

    def result(self) -> Any:
        """Return the count."""
        return self.single(getattr(self, self.counts[0]))


class TruePositives(_Count):
    """How many yeses are right."""

    counts = ("true_positives",)


class TrueNegatives(_Count):
    """How many noes are right."""

    counts = ("true_negatives",)


class FalsePositives(_Count):
    """How many yeses are wrong."""

    counts = ("false_positives",)


class FalseNegatives(_Count):
    """How many noes are wrong."""

    counts = ("false_negatives",)


class Precision(_AtThresholds):
    """Share of the yeses that are right.

    Args:
        thresholds: above which a prediction is a yes: one or a list; 0.5 by default.
        top_k: of each sample, take only the k best predictions for a yes.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    _direction = "up"
    counts = ("true_positives", "false_positives")

    def result(self) -> Any:
        """Return the share, one for each threshold if there are several."""
        return self.single(self.ratio("true_positives", *self.counts))


class Recall(_AtThresholds):
    """Share of what is true that got a yes.

    Args:
        thresholds: above which a prediction is a yes: one or a list; 0.5 by default.
        top_k: of each sample, take only the k best predictions for a yes.
        class_id: the only class to look at.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    _direction = "up"
    counts = ("true_positives", "false_negatives")

    def result(self) -> Any:
        """Return the share, one for each threshold if there are several."""
        return self.single(self.ratio("true_positives", *self.counts))

"""Metrics of predicted probabilities: means of cross-entropies and divergences."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras import losses
from minikeras.losses.base import merged_weight
from minikeras.metrics.reduction import FunctionMetric

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


class KLDivergence(FunctionMetric):
    """Mean divergence of predicted from true probabilities, in nats."""

    fn = staticmethod(losses.kl_divergence)


class Poisson(FunctionMetric):
    """Mean negative log-likelihood of counts, up to a constant."""

    fn = staticmethod(losses.poisson)


class BinaryCrossentropy(FunctionMetric):
    """Mean cross-entropy of yes or no, in nats.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards 1/2, in [0, 1].
    """

    fn = staticmethod(losses.binary_crossentropy)

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(FunctionMetric):
    """Mean cross-entropy of one-hot targets, in nats.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards equal ones, in [0, 1].
        axis: of the classes.
    """

    fn = staticmethod(losses.categorical_crossentropy)

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionMetric):
    """Mean cross-entropy of class numbers, in nats.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        from_logits: whether predictions are logits, not probabilities.
        ignore_class: a class number for which the cross-entropy is 0.
        axis: of the classes.
    """

    fn = staticmethod(losses.sparse_categorical_crossentropy)

    def __init__(
        self,
        name: str | None = None,
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the cross-entropies, weighted.

        As in Keras, the ignored class counts as 0; not at all if there are weights.
        """
        ignored = self.fn_kwargs["ignore_class"]
        if ignored is not None and sample_weight is not None:
            valid = K.not_equal(y_true, ignored)
            sample_weight = merged_weight(sample_weight, valid, self.dtype, "sum")
        super().update_state(y_true, y_pred, sample_weight)

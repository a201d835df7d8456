"""Accuracies: how often predictions equal the targets."""

from __future__ import annotations

from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.losses.base import matched, squeeze_or_expand_to_same_rank
from minikeras.metrics.reduction import FunctionMetric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return 1 where `y_pred` equals `y_true`, else 0."""
    return _hits(*matched(y_true, y_pred))


def _hits(x: Any, y: Any) -> Any:
    return K.cast(K.equal(x, y), K.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Return 1 where ``y_pred > threshold`` is as `y_true` says, else 0.

    Example:
        >>> binary_accuracy([1, 1, 0], [0.9, 0.4, 0.1])
        array([1., 0., 1.], dtype=float32)
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(
        K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    )
    return _hits(y_true, K.cast(y_pred > threshold, y_true.dtype))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return 1 where the likeliest class is that of the one-hot target, else 0."""
    y_true, y_pred = K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    return _hits(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Return 1 where the likeliest class is the target, a class number; else 0.

    Example:
        >>> sparse_categorical_accuracy([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.9, 0.05]])
        array([0., 1.], dtype=float32)
    """
    y_true, y_pred = K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    if K.ndim(y_true) == K.ndim(y_pred) and y_true.shape[-1] == 1:
        y_true = K.squeeze(y_true, -1)
    hits = _hits(y_true, K.argmax(y_pred, axis=-1))
    alone = (K.ndim(hits) or 0) > 1 and hits.shape[-1] == 1
    return K.squeeze(hits, -1) if alone else hits


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Return 1 where the one-hot target's class is among the k likeliest, else 0."""
    y_true = K.argmax(K.convert_to_tensor(y_true), axis=-1)
    return sparse_top_k_categorical_accuracy(y_true, y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Return 1 where the target, a class number, is among the k likeliest, else 0.

    Args:
        y_true: class numbers.
        y_pred: scores of the classes.
        k: how many count as likeliest.
        from_sorted_ids: whether `y_pred` are class numbers, likeliest first, in place
            of scores.
    """
    y_true, y_pred = K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    targets = K.reshape(y_true, (-1,))
    scores = K.reshape(y_pred, (-1, y_pred.shape[-1]))
    if from_sorted_ids:
        hits = K.any(K.equal(K.expand_dims(targets, 1), scores[:, :k]), axis=1)
    else:
        hits = K.in_top_k(predictions=scores, targets=K.cast(targets, "int32"), k=k)
    return K.reshape(K.cast(hits, K.floatx()), K.shape(y_true))


class Accuracy(FunctionMetric):
    """How often predictions equal targets."""

    _direction = "up"
    fn = staticmethod(accuracy)


class BinaryAccuracy(FunctionMetric):
    """How often predictions lie on the right side of a threshold.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.
        threshold: above which a prediction means 1.
    """

    _direction = "up"
    fn = staticmethod(binary_accuracy)

    def __init__(
        self, name: str | None = None, dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(FunctionMetric):
    """How often the likeliest class is that of the one-hot target."""

    _direction = "up"
    fn = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMetric):
    """How often the likeliest class is the target, a class number."""

    _direction = "up"
    fn = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(FunctionMetric):
    """How often the one-hot target's class is among the k likeliest.

    Args:
        k: how many count as likeliest.
        name: of the metric.
        dtype: of the computation; floatx by default.
    """

    _direction = "up"
    fn = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the target, a class number, is among the k likeliest.

    Args:
        k: how many count as likeliest.
        name: of the metric.
        dtype: of the computation; floatx by default.
        from_sorted_ids: whether predictions are class numbers, likeliest first.
    """

    _direction = "up"
    fn = staticmethod(sparse_top_k_categorical_accuracy)
    not_in_config: ClassVar[dict[str, Any]] = {"from_sorted_ids": False}

    def __init__(
        self,
        k: int = 5,
        name: str | None = None,
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name, dtype, k=k, from_sorted_ids=from_sorted_ids)

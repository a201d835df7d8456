"""Intersection over union: how well predicted and true regions of a class coincide.

All are read off one confusion matrix: rows are true classes, columns predicted ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.metrics.base import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """Mean over some classes of ``|true and predicted| / |true or predicted|``.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count.
        name: of the metric.
        dtype: of the counts and weights; int32 by default.
        ignore_class: a true class that is left out.
        sparse_y_true: whether targets are class numbers, not one-hot.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: of the classes, where they are not numbers.

    Raises:
        ValueError: if a target class is none of the classes.
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        K.check_size("counts of classes", (num_classes, num_classes))
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count pairs of true and predicted classes; other numbers do not count."""
        true = self._classes(y_true, self.sparse_y_true)
        found = self._classes(y_pred, self.sparse_y_pred)
        weight = K.convert_to_tensor(1 if sample_weight is None else sample_weight)
        if K.is_float_dtype(weight.dtype) and not K.is_float_dtype(self.dtype):
            warnings.warn(
                f"{self.name}: the sample weights are of a float dtype, the counts of "
                f"an int one ({self.dtype}): casting drops what follows the point. "
                "Pass `dtype='float32'` to keep it.",
                stacklevel=3,
            )
        weight = K.cast(weight, self.dtype)
        if K.ndim(weight) != 0:
            weight = K.reshape(weight, (-1,))
        valid = K.logical_and(self._in_range(true), self._in_range(found))
        if self.ignore_class is not None:
            valid = K.logical_and(valid, K.not_equal(true, self.ignore_class))
        cells = K.where(valid, true * self.num_classes + found, 0)
        weights = K.where(valid, K.broadcast_to(weight, K.shape(cells)), 0)
        new = K.segment_sum(weights, cells, self.num_classes**2)
        self.total_cm.assign_add(K.reshape(new, self.total_cm.shape))

    def _classes(self, y: Any, sparse: bool) -> Any:
        """Return class numbers as one long vector."""
        y = K.convert_to_tensor(y)
        y = y if sparse else K.argmax(y, axis=self.axis)
        return K.reshape(K.cast(y, "int32"), (-1,))

    def _in_range(self, classes: Any) -> Any:
        return K.logical_and(classes >= 0, classes < self.num_classes)

    def result(self) -> Any:
        """Return the mean over those target classes that occurred."""
        counts = K.cast(self.total_cm, "float32")
        both = K.diagonal(counts)
        either = K.sum(counts, axis=0) + K.sum(counts, axis=1) - both
        ratio = both / (either + K.epsilon())
        occurs = K.cast(either > 0, "float32")
        ratio, occurs = (
            K.take(x, self.target_class_ids, axis=0) for x in (ratio, occurs)
        )
        return K.sum(ratio * occurs) / (K.sum(occurs) + K.epsilon())


class BinaryIoU(IoU):
    """Intersection over union of two classes, told apart by a threshold.

    Args:
        target_class_ids: the classes that count: 0, 1 or both.
        threshold: at or above which a prediction means class 1.
        name: of the metric.
        dtype: of the counts and weights; int32 by default.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count pairs of true and predicted classes."""
        y_pred = K.cast(K.convert_to_tensor(y_pred), "float32")
        super().update_state(y_true, y_pred >= self.threshold, sample_weight)


class MeanIoU(IoU):
    """Mean intersection over union of all classes.

    Args:
        num_classes: how many classes there are.
        name: of the metric.
        dtype: of the counts and weights; int32 by default.
        ignore_class: a true class that is left out.
        sparse_y_true: whether targets are class numbers, not one-hot.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: of the classes, where they are not numbers.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """Intersection over union of some classes, for one-hot targets.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count.
        name: of the metric.
        dtype: of the counts and weights; int32 by default.
        ignore_class: a true class that is left out.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes,
            target_class_ids,
            name,
            dtype,
            ignore_class,
            False,
            sparse_y_pred,
            axis,
        )


class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes, for one-hot targets.

    Args:
        num_classes: how many classes there are.
        name: of the metric.
        dtype: of the counts and weights; int32 by default.
        ignore_class: a true class that is left out.
        sparse_y_pred: whether predictions are class numbers, not scores.
        axis: of the classes.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

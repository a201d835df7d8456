"""Labels as rows of zeros and ones, and vectors of length 1."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray[Any, Any]:
    """Return labels as rows with a one at the place of the label.

    Args:
        x: integers from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: the length of a row; one more than the largest label by default.

    Raises:
        ValueError: if a label is negative, or not below `num_classes`.

    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = num_classes or (int(labels.max()) + 1 if labels.size else 0)
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        raise ValueError(
            f"to_categorical: labels go from {labels.min()} to {labels.max()}, which "
            f"does not fit {count} classes numbered from 0"
        )
    return np.eye(count)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray[Any, Any]:
    """Return `x` divided by its norm of the given `order` along an axis; 0 stays 0."""
    array = np.atleast_1d(np.asarray(x))
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return array / np.where(norm == 0, 1, norm)

"""Elements picked by their position, or by their rank."""

from __future__ import annotations

from typing import Any

from minikeras.backend.config import floatx
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import (
    argsort,
    boolean_mask,
    diag,
    diagonal,
    gather_nd,
    scatter_nd,
    scatter_update,
    searchsorted,
    slice,
    slice_update,
    sort,
    take,
    take_along_axis,
    top_k,
    tril,
    triu,
)

__all__ = [
    "argsort",
    "boolean_mask",
    "diag",
    "diagonal",
    "gather",
    "gather_nd",
    "in_top_k",
    "one_hot",
    "scatter_nd",
    "scatter_update",
    "searchsorted",
    "slice",
    "slice_update",
    "sort",
    "take",
    "take_along_axis",
    "top_k",
    "tril",
    "triu",
]


def gather(reference: Any, indices: Any) -> Tensor:
    """Return the rows of `reference` at `indices`.

    Shapes:
        reference: (rows, ...)
        indices: any
        returns: indices.shape + (...)

    Example:
        >>> gather(np.array([[1, 2], [3, 4], [5, 6]]), [2, 0])
        array([[5, 6],
               [1, 2]])
    """
    return engine.take(reference, indices, 0)


def one_hot(
    indices: Any, num_classes: int, axis: int = -1, dtype: Any = None
) -> Tensor:
    """Return 1 at each index, 0 elsewhere, along a new axis.

    Args:
        indices: integers from 0 to `num_classes` - 1; others give zeros alone.
        num_classes: size of the new axis.
        axis: where the new axis goes.
        dtype: of the result, floatx by default.

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    return engine.one_hot(indices, num_classes, axis=axis, dtype=dtype or floatx())


def in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """Return whether each target is among the `k` classes of highest score.

    Shapes:
        predictions: (batch, classes)
        targets: (batch,)
        returns: (batch,)
    """
    return engine.in_top_k(targets, predictions, k)

"""Categories, which are integers, as vectors; and the bounds between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.backend.elementwise import minimum
from minikeras.backend.indexing import one_hot
from minikeras.backend.introspection import cast, int_shape
from minikeras.backend.reshaping import expand_dims, squeeze
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import class_counts

__all__ = ["ValueSummary", "encode_categories"]


def encode_categories(
    x: Any,
    output_mode: str,
    depth: int,
    dtype: Any,
    weights: Any = None,
    drop_last: bool = True,
) -> Tensor:
    """Return integers as they are, or as vectors with a place for each category.

    Args:
        x: integers; those that are no category are counted nowhere.
        output_mode: ``"int"``; ``"one_hot"``: a vector for each; ``"multi_hot"``: one
            vector for the last axis, 1 for each category met; ``"count"``: how often
            each was met.
        depth: how many categories there are.
        dtype: of the result, where it does not count by weights.
        weights: how much each integer counts.
        drop_last: whether, with ``"one_hot"``, a last axis of size 1 is dropped.

    Example:
        >>> encode_categories(np.array([[0, 2, 2]]), "count", 3, "int32")
        array([[1, 0, 2]], dtype=int32)
    """
    if output_mode == "int":
        return cast(x, dtype)
    x = cast(x, "int64")
    shape = int_shape(x)
    if shape == ():
        x = expand_dims(x, -1)
    if output_mode == "one_hot":
        single = drop_last and shape is not None and len(shape) > 1 and shape[-1] == 1
        return one_hot(squeeze(x, -1) if single else x, depth, dtype=dtype)
    counts = class_counts(x, depth, weights, dtype)
    return minimum(counts, 1) if output_mode == "multi_hot" else counts


class ValueSummary:
    """A few of the numbers that came in batches, and how many each stands for.

    Quantiles of the numbers can be had from it, with an error of a share `epsilon`.

    Args:
        epsilon: at most about ``1 / epsilon`` values are kept.
    """

    def __init__(self, epsilon: float) -> None:
        self.epsilon = epsilon
        self.values = np.zeros((2, 0), np.float32)  # values in order, and their weights

    def add(self, x: Any) -> None:
        """Take in a batch of numbers."""
        ordered = np.sort(np.asarray(x, np.float32).reshape(-1))
        step = max(ordered.size * self.epsilon, 1)
        kept = ordered[int(step - 1) :: int(step)]
        both = np.stack([kept, np.full_like(kept, step)]), self.values
        merged = np.concatenate(both, 1)
        self.values = _thinned(merged[:, np.argsort(merged[0])], self.epsilon)

    def bounds(self, bins: int) -> list[float]:
        """Return what separates so many bins with equally many numbers in each."""
        return _thinned(self.values, 1.0 / bins)[0, :-1].tolist()


def _thinned(values: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    """Return a summary with one value for each `share` of all weights."""
    if values.shape[1] * share < 1:
        return values
    at = share + np.arange(0.0, 1.0, share)
    weights = values[1].cumsum()
    percents = weights / weights[-1]
    kept = np.interp(at, percents, values[0])
    sums = np.interp(at, percents, weights)
    return np.stack([kept, np.diff(sums, prepend=0)]).astype(np.float32)

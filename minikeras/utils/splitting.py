"""Data in two parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras import backend as K

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Return the first and the last samples of a dataset.

    Unlike Keras, which makes two objects of TensorFlow's of them, this returns what it
    was given: arrays, in the same nesting, which `fit` takes.

    Args:
        dataset: an array, or a list, tuple or dict of arrays of one length.
        left_size: how many samples go to the first part: a number, or a share of all.
        right_size: how many go to the second; what is left over by default.
        shuffle: whether to bring the samples into random order first.
        seed: of this order; drawn from the global seed by default.
        preferred_backend: accepted, as in Keras, and not used.

    Raises:
        TypeError: if the data are no arrays, or a size is no number.
        ValueError: if arrays differ in length, or sizes do not fit them.

    Example:
        >>> split_dataset(np.arange(5), left_size=0.6)
        (array([0, 1, 2]), array([3, 4]))
    """
    arrays = K.tree.flatten(dataset)
    if not all(isinstance(a, np.ndarray) for a in arrays):
        raise TypeError(
            "The `dataset` argument must be an array or a list/tuple of arrays. "
            f"Received: dataset={dataset} of type {type(dataset)}"
        )
    if left_size is None and right_size is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    total = _common_length(arrays)
    order = _order(total, seed) if shuffle else np.arange(total)
    left, right = _sizes(left_size, right_size, total)
    first, last = (
        K.tree.map_structure(lambda a, rows=rows: a[rows], dataset)
        for rows in (order[:left], order[total - right :])
    )
    return first, last


def _order(total: int, seed: int | None) -> np.ndarray[Any, Any]:
    key: Any = K.eval(K.draw_seed(None)) if seed is None else seed
    return np.random.default_rng(key).permutation(total)


def _common_length(arrays: list[Any]) -> int:
    """Return the number of samples.

    Raises:
        ValueError: if there are none, or arrays differ.
    """
    lengths = [len(a) for a in arrays]
    if not any(lengths):
        raise ValueError(
            "Received an empty dataset. Argument `dataset` must be an array, or a "
            "non-empty list/tuple of arrays."
        )
    if len(set(lengths)) > 1:
        raise ValueError(
            "Received a list of NumPy arrays with different lengths. Please provide "
            f"a list of NumPy arrays of the same length. Lengths: {lengths}"
        )
    return lengths[0]


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """Return how many samples each part has.

    Raises:
        TypeError: if a size is no number.
        ValueError: if it does not fit.
    """
    for side, size in (("left", left), ("right", right)):
        _check_size(side, size, total)
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be "
            "less than or equal to 1."
        )
    first, last = (
        round(n * total) if isinstance(n, float) else n for n in (left, right)
    )
    first = total - last if first is None else first
    last = total - first if last is None else last
    if first + last > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the "
            f"{total}. Received: left_size + right_size = {first + last} and "
            f"total_length = {total}"
        )
    for side, size in (("left", first), ("right", last)):
        if not size:
            raise ValueError(
                f"With `dataset` of length={total}, `left_size`={first} and "
                f"`right_size`={last}. Resulting {side} side dataset split will be "
                "empty. Adjust any of the aforementioned parameters"
            )
    return first, last


def _check_size(side: str, size: Any, total: int) -> None:
    if size is None:
        return
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        raise TypeError(
            f"Invalid `{side}_size` Type. Expected: int or float or None, Received: "
            f"type({side}_size)={type(size)}."
        )
    if not 0 < size < (total if isinstance(size, int) else 1):
        raise ValueError(
            f"`{side}_size` should be either a positive integer smaller than {total}, "
            f"or a float within the range `[0, 1]`. Received: {side}_size={size}"
        )

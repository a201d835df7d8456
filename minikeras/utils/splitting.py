"""Data in two parts."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.utils.samples import drawn_seed

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

    Unlike Keras, which makes two objects of TensorFlow's of arrays, this returns what
    it was given: arrays, in the same nesting, which `fit` takes. The parts of a
    ``torch.utils.data.Dataset`` are such data sets too, those of a ``tf.data.Dataset``
    likewise, in batches if it was.

    Args:
        dataset: an array, or a list, tuple or dict of arrays of one length; or a data
            set of torch's or TensorFlow's.
        left_size: how many samples go to the first part: a number, or a share of all.
        right_size: how many go to the second; what is left over by default.
        shuffle: whether to bring the samples into random order first.
        seed: of this order; drawn from the global seed by default.
        preferred_backend: "torch" or "tensorflow" makes their data sets of arrays.

    Raises:
        TypeError: if the data are no arrays, or a size is no number.
        ValueError: if arrays differ in length, or sizes do not fit them.

    Example:
        >>> split_dataset(np.arange(5), left_size=0.6)
        (array([0, 1, 2]), array([3, 4]))
    """
    library = _library(dataset)
    arrays = [] if library else K.tree.flatten(dataset)
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
    if arrays and preferred_backend in _MAKERS:
        _common_length(arrays)
        library, dataset = preferred_backend, _MAKERS[preferred_backend](dataset)
    if library == "tensorflow":
        return _split_tensorflow(dataset, left_size, right_size, shuffle, seed)
    total = len(dataset) if library else _common_length(arrays)
    order = _order(total, seed) if shuffle else np.arange(total)
    left, right = _sizes(left_size, right_size, total)
    parts = order[:left], order[total - right :]
    if library == "torch":
        subset = sys.modules["torch"].utils.data.Subset
        return subset(dataset, parts[0].tolist()), subset(dataset, parts[1].tolist())
    first, last = (
        K.tree.map_structure(lambda a, rows=rows: a[rows], dataset) for rows in parts
    )
    return first, last


def _of_torch(arrays: Any) -> Any:
    """Return arrays as a data set of torch's."""
    torch = importlib.import_module("torch")
    columns = [torch.from_numpy(array) for array in K.tree.flatten(arrays)]
    return torch.utils.data.TensorDataset(*columns)


def _of_tensorflow(arrays: Any) -> Any:
    """Return arrays as a data set of TensorFlow's, to which a list is one array."""
    data = importlib.import_module("tensorflow").data
    nested = tuple(arrays) if isinstance(arrays, list) else arrays
    return data.Dataset.from_tensor_slices(nested)


_MAKERS = {"torch": _of_torch, "tensorflow": _of_tensorflow}


def _library(dataset: Any) -> str | None:
    """Return whose data set this is: "torch", "tensorflow", or None for arrays."""
    kinds = {"Dataset": "torch", "DatasetV2": "tensorflow"}
    for base in type(dataset).__mro__:
        if base.__module__.partition(".")[0] == kinds.get(base.__name__):
            return kinds[base.__name__]
    return None


def _split_tensorflow(
    dataset: Any, left_size: Any, right_size: Any, shuffle: bool, seed: int | None
) -> tuple[Any, Any]:
    """Return two parts of a ``tf.data.Dataset``, batched as it is.

    Raises:
        ValueError: if it has no end, or sizes do not fit it.
    """
    batch_size = getattr(dataset, "_batch_size", None)
    samples = dataset if batch_size is None else dataset.unbatch()
    total = int(samples.cardinality())
    if total == -1:  # TensorFlow's number for that
        raise ValueError("A dataset without an end has no two parts")
    if total < 0:
        total = sum(1 for _ in samples)
    left, right = _sizes(left_size, right_size, total)
    if shuffle:
        given = drawn_seed(seed)
        samples = samples.shuffle(total, given, reshuffle_each_iteration=False)
    known = sys.modules["tensorflow"].data.experimental.assert_cardinality
    first = samples.take(left).apply(known(left))
    last = samples.skip(total - right).apply(known(right))
    if batch_size is None:
        return first, last
    return first.batch(batch_size), last.batch(batch_size)


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

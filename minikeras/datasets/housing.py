"""What the two data sets of houses have in common: an array, shuffled and split."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Split", "check_share", "split_shuffled"]

Split = tuple[tuple[Any, Any], tuple[Any, Any]]


def check_share(test_split: float) -> None:
    """Refuse a share of test data that leaves nothing to train with.

    Raises:
        ValueError: if it is not in [0, 1).
    """
    if not 0 <= test_split < 1:
        raise ValueError(
            f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 "
            "(exclusive of 1)."
        )


def split_shuffled(x: Any, y: Any, test_split: float, seed: int) -> Split:
    """Return the rows in random order, the last ones apart, for tests.

    The order is the one that Keras makes of the same seed.
    """
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    first, last = np.split(order, [int(len(x) * (1 - test_split))])
    return (x[first], y[first]), (x[last], y[last])

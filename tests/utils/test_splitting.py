"""Data in two parts: which rows, and what does not fit."""

import numpy as np
import pytest

from minikeras.utils import set_random_seed, split_dataset

X = np.arange(20).reshape(10, 2)


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [
        ({"left_size": 0.8}, 8, 2),
        ({"right_size": 3}, 7, 3),
        ({"left_size": 2, "right_size": 0.5}, 2, 5),
    ],
)
def test_the_first_and_the_last_rows_are_taken(sizes, left, right):
    first, last = split_dataset(X, **sizes)
    np.testing.assert_array_equal(first, X[:left])
    np.testing.assert_array_equal(last, X[10 - right :])


def test_arrays_stay_together_in_random_order():
    data = {"x": X, "y": X[:, 0]}
    first, last = split_dataset(data, 6, shuffle=True, seed=1)
    rows = np.concatenate([first["x"], last["x"]])
    np.testing.assert_array_equal(rows[:, 0], np.concatenate([first["y"], last["y"]]))
    assert sorted(rows[:, 0]) == X[:, 0].tolist() != rows[:, 0].tolist()


def test_the_global_seed_decides_the_order():
    parts = []
    for _ in range(2):
        set_random_seed(7)
        parts.append(split_dataset(X, 5, shuffle=True)[0])
    np.testing.assert_array_equal(*parts)


@pytest.mark.parametrize(
    ("data", "sizes", "error", "message"),
    [
        ([1, 2], {"left_size": 1}, TypeError, "must be an array"),
        (X, {}, ValueError, "At least one of"),
        (X, {"left_size": "1"}, TypeError, "Invalid `left_size` Type"),
        (X, {"left_size": 10}, ValueError, "smaller than 10"),
        (X, {"right_size": 1.0}, ValueError, "`right_size` should be"),
        (X, {"left_size": 0.6, "right_size": 0.6}, ValueError, "greater than 1"),
        (X, {"left_size": 8, "right_size": 0.5}, ValueError, "smaller than the 10"),
        (X, {"left_size": 0.01}, ValueError, "left side dataset split will be empty"),
        ((X, X[:5]), {"left_size": 1}, ValueError, "different lengths"),
        (X[:0], {"left_size": 1}, ValueError, "an empty dataset"),
    ],
)
def test_mistakes_are_named(data, sizes, error, message):
    with pytest.raises(error, match=message):
        split_dataset(data, **sizes)

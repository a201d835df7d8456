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


# -- data sets of others ---------------------------------------------------------------


def elements(dataset):
    """The numbers in a data set of pairs, each of which has to be (n, 10 n)."""
    pairs = [(int(x), int(y)) for x, y in dataset]
    assert all(y == 10 * x for x, y in pairs)
    return [x for x, _ in pairs]


@pytest.mark.parametrize("shuffle", [False, True])
def test_data_sets_of_torch_are_split(shuffle):
    torch = pytest.importorskip("torch")
    pairs = torch.utils.data.TensorDataset(torch.arange(10), torch.arange(10) * 10)
    found = [
        [elements(part) for part in split_dataset(pairs, 0.3, 0.5, shuffle, seed=1)]
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert [len(part) for part in found[0]] == [3, 5]
    if shuffle:
        assert len({*found[0][0], *found[0][1]}) == 8
    else:
        assert found[0] == [[0, 1, 2], [5, 6, 7, 8, 9]]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_data_sets_of_tensorflow_are_split(shuffle, batch_size):
    data = pytest.importorskip("tensorflow").data
    pairs = data.Dataset.from_tensor_slices((np.arange(10), np.arange(10) * 10))
    if batch_size:
        pairs = pairs.batch(batch_size)
    parts = split_dataset(pairs, left_size=6, shuffle=shuffle, seed=1)
    if batch_size:
        assert [len(part) for part in parts] == [2, 1]
        parts = [part.unbatch() for part in parts]
    else:
        assert [len(part) for part in parts] == [6, 4]
    found = [elements(part) for part in parts]
    assert found == [elements(part) for part in parts]  # the same at each pass
    assert sorted([*found[0], *found[1]]) == list(range(10))
    assert (found == [list(range(6)), list(range(6, 10))]) is not shuffle


def test_data_sets_without_an_end_are_not_split():
    data = pytest.importorskip("tensorflow").data
    with pytest.raises(ValueError, match="without an end"):
        split_dataset(data.Dataset.range(3).repeat(), 0.5)


@pytest.mark.parametrize("library", ["torch", "tensorflow"])
def test_arrays_become_data_sets_if_wanted(library):
    pytest.importorskip(library)
    arrays = [np.arange(10), np.arange(10) * 10]
    for given in (arrays, tuple(arrays)):
        first, last = split_dataset(given, 0.2, preferred_backend=library)
        assert elements(first) == [0, 1]
        assert len(last) == 8
    with pytest.raises(ValueError, match="different lengths"):
        split_dataset([np.arange(3), np.arange(4)], 1, preferred_backend=library)

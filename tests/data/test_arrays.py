"""Batches of rows: what is in them, in which order."""

import numpy as np
import pytest

from minikeras.data import ArrayBatches, split_rows


def rng():
    return np.random.default_rng(5)


def test_all_rows_come_once_in_order_and_together():
    x, y = np.arange(14).reshape(7, 2), np.arange(7)
    batches = ArrayBatches([x, y], batch_size=3)
    assert len(batches) == 3
    assert [len(b) for _, b in batches] == [3, 3, 1]
    rows, numbers = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(rows, x)
    np.testing.assert_array_equal(numbers, y)


def test_rows_in_order_are_views():
    x = np.arange(6)
    assert all(np.shares_memory(x, batch) for (batch,) in ArrayBatches([x], 4))


def test_shuffled_rows_stay_together_and_all_come_once():
    x = np.arange(20)
    batches = list(ArrayBatches([x, x * 2], 6, shuffle=True, rng=rng))
    assert [len(a) for a, _ in batches] == [6, 6, 6, 2]
    assert all((b == 2 * a).all() for a, b in batches)
    order = np.concatenate([a for a, _ in batches])
    assert sorted(order) == list(range(20))
    assert list(order) != list(range(20))


def test_what_only_has_rows_is_shuffled_alike(tmp_path):
    class Rows:
        def __init__(self, array):
            self.array, self.shape = array, array.shape

        def __len__(self):
            return len(self.array)

        def __getitem__(self, rows):
            return self.array[rows]

    x = np.arange(20.0).reshape(10, 2)
    on_disk = np.memmap(tmp_path / "x", x.dtype, "w+", shape=x.shape)
    on_disk[:] = x
    batches = ArrayBatches([x, Rows(x), on_disk], 4, shuffle=True, rng=rng)
    order = rng().permutation(10)
    for i, (a, b, c) in enumerate(batches):
        np.testing.assert_array_equal(a, x[order[4 * i : 4 * i + 4]])
        np.testing.assert_array_equal(b, a)
        np.testing.assert_array_equal(c, a)


def test_each_pass_asks_for_new_random_numbers():
    seeds = iter(range(10))
    batches = ArrayBatches(
        [np.arange(9)], 9, shuffle=True, rng=lambda: np.random.default_rng(next(seeds))
    )
    first, second = (list(next(iter(batches))[0]) for _ in range(2))
    assert first != second


def test_shuffling_batches_keeps_neighbors():
    batches = ArrayBatches([np.arange(10)], 4, shuffle="batch", rng=rng)
    found = [list(batch) for (batch,) in batches]
    assert sorted(found) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.parametrize("share, last", [(0.2, 2), (0.25, 3), (0.5, 5), (0.89, 9)])
def test_split_takes_the_last_rows(share, last):
    x = np.arange(10)
    first, rest = split_rows([x, x], share)
    assert list(rest[0]) == list(rest[1]) == list(range(10 - last, 10))
    assert list(first[0]) == list(range(10 - last))


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
def test_an_empty_part_is_an_error(share):
    with pytest.raises(ValueError, match="3 rows cannot be split"):
        split_rows([np.arange(3)], share)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="lengths 3, 4"):
        ArrayBatches([np.arange(3), np.arange(4)])


@pytest.mark.parametrize(
    "arguments, message",
    [({"batch_size": 0}, "batch_size is 1 or more"), ({"shuffle": "all"}, "'batch'")],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArrayBatches([np.arange(3)], **arguments)

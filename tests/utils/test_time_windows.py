"""Windows over series, written out by hand."""

import numpy as np
import pytest

from minikeras import preprocessing
from minikeras.data import Passes, Position
from minikeras.utils import timeseries_dataset_from_array
from minikeras.utils.samples import Samples


def joined(dataset):
    """All batches of a pass in one array each."""
    return [np.concatenate(parts) for parts in zip(*dataset, strict=True)]


@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("rate", [1, 2])
@pytest.mark.parametrize("ends", [(None, None), (3, 17), (0, 12), (5, None)])
@pytest.mark.parametrize("batch_size", [1, 5, 128])
def test_windows_are_slices(rng, length, stride, rate, ends, batch_size):
    series, targets = rng.random((20, 2)), np.arange(20)
    dataset = timeseries_dataset_from_array(
        series,
        targets,
        length,
        sequence_stride=stride,
        sampling_rate=rate,
        batch_size=batch_size,
        start_index=ends[0],
        end_index=ends[1],
    )
    first, last = ends[0] or 0, 20 if ends[1] is None else ends[1]
    starts = [i for i in range(first, last, stride) if i + (length - 1) * rate < last]
    x, y = joined(dataset)
    assert np.array_equal(
        x, [series[i : i + (length - 1) * rate + 1 : rate] for i in starts]
    )
    assert np.array_equal(y, targets[starts])
    assert len(dataset) == -(-len(starts) // batch_size)


def test_windows_without_targets_one_by_one():
    dataset = timeseries_dataset_from_array(np.arange(5), None, 2, batch_size=None)
    assert [window.tolist() for window in dataset] == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_windows_need_targets():
    x = np.arange(10)
    (windows,), (targets,) = zip(
        *timeseries_dataset_from_array(x, x[3:], 3), strict=True
    )
    assert targets.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert windows[:, -1].tolist() == [2, 3, 4, 5, 6, 7, 8]


def test_shuffled_windows_keep_their_targets():
    x = np.arange(50)
    orders = []
    for _ in range(2):
        data = timeseries_dataset_from_array(x, x, 3, shuffle=True, seed=4)
        for _ in range(2):
            windows, targets = joined(data)
            assert np.array_equal(windows[:, 0], targets)
            orders.append(targets.tolist())
    assert orders[:2] == orders[2:]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(48))


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"start_index": -1}, "`start_index` must be 0 or greater"),
        ({"start_index": 11}, "`start_index` must be lower than the length"),
        ({"start_index": 8, "end_index": 7}, "`end_index` must be higher than"),
        ({"end_index": 11}, "`end_index` must be lower than the length"),
        ({"end_index": -2}, "`end_index` must be higher than 0"),
        ({"sampling_rate": 0}, "`sampling_rate` must be higher than 0"),
        ({"sampling_rate": 11}, "`sampling_rate` must be lower than the length"),
        ({"sequence_stride": 0}, "`sequence_stride` must be higher than 0"),
        ({"sequence_stride": 11}, "`sequence_stride` must be lower than the length"),
        ({"format": "torch"}, '`format` should be either "tf" or "grain"'),
    ],
)
def test_arguments_fit_the_series(kwargs, message):
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(np.arange(10), None, 3, **kwargs)


def test_windows_in_grains_form():
    pytest.importorskip("grain")
    x = np.arange(9)
    data = timeseries_dataset_from_array(x, x, 3, batch_size=2, format="grain")
    windows, targets = joined(data)
    assert windows.tolist() == [[i, i + 1, i + 2] for i in range(7)]
    assert targets.tolist() == list(range(7))


def test_the_old_name_is_the_same_function():
    assert preprocessing.timeseries_dataset_from_array is timeseries_dataset_from_array


# -- samples, as all such functions return them ----------------------------------------


def squares(**kwargs):
    return Samples(7, lambda numbers: numbers**2, 2, **kwargs)


def listed(dataset):
    return [batch.tolist() for batch in dataset]


def test_batches_are_found_by_number():
    assert listed(squares()) == [[0, 1], [4, 9], [16, 25], [36]]
    assert squares()[3].tolist() == [36]
    assert squares().cardinality() == len(squares()) == 4
    with pytest.raises(IndexError):
        squares()[4]


def test_parts_of_a_pass():
    assert listed(squares().take(2)) == [[0, 1], [4, 9]]
    assert listed(squares().skip(3)) == [[36]]
    assert listed(squares().skip(1).take(1)) == [[4, 9]]
    assert listed(squares().take(9)) == listed(squares().take(-1)) == listed(squares())
    assert listed(squares().skip(-1)) == []
    assert len(squares().take(2)) == 2


def test_functions_of_batches():
    pairs = Samples(3, lambda n: (n, n * 10), 2)
    added = pairs.map(lambda x, y: x + y).map(lambda z: z + 1)
    assert listed(added) == [[1, 12], [23]]
    assert listed(pairs.take(1).map(lambda x, y: y)) == [[0, 10]]
    one_by_one = Samples(2, lambda n: n, None).map(lambda x: x + 1)
    assert [int(x) for x in one_by_one] == [1, 2]


def test_passes_do_not_disturb_each_other():
    data = squares(shuffle=True, seed=1)
    first, second = iter(data), iter(data)
    mixed = [(next(first).tolist(), next(second).tolist()) for _ in range(4)]
    again = squares(shuffle=True, seed=1)
    assert [a for a, _ in mixed] == listed(again)
    assert [b for _, b in mixed] == listed(again)


def test_batches_are_made_ahead_in_order():
    data = squares(shuffle=True, seed=1, workers=3)
    assert listed(data) == listed(squares(shuffle=True, seed=1))
    assert listed(squares().prefetch(2)) == listed(squares().prefetch())
    assert listed(squares().as_numpy_iterator()) == listed(squares())


@pytest.mark.parametrize("looked_at", [False, True])
def test_a_resumed_pass_has_the_order_of_the_one_that_was_interrupted(looked_at):
    data = squares(shuffle=True, seed=1)
    whole = [listed(data) for _ in range(4)]
    resumed = Passes(squares(shuffle=True, seed=1))
    if looked_at:
        resumed.peek()
    resumed.go_to(Position(rounds=2, taken=1), lambda mark: None)
    assert [listed(resumed), listed(resumed)] == [whole[2][1:], whole[3]]

"""What an index may be, what is refused, and sums over repeated indices."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import DTypeError, ExecutionError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.ops.selection import overlaid
from minikeras.engine.session import Session


@pytest.fixture(autouse=True)
def graph():
    with Graph().as_default() as graph:
        yield graph


def tensor(*shape, dtype="float32"):
    return ops.placeholder(dtype, shape)


def shape_of(index, *shape):
    return ops.getitem(tensor(*shape), index).shape


# -- square brackets -------------------------------------------------------------------


def test_unknown_sizes_are_followed_through_an_index():
    assert shape_of(0, None, 3) == (3,)
    assert shape_of(slice(None), None, 3) == (None, 3)
    assert shape_of(slice(None, None, -1), None, 3) == (None, 3)
    assert shape_of(slice(0, 2), None, 3) == (None, 3)
    assert shape_of((..., slice(0, 2)), None, 3) == (None, 2)
    assert shape_of((slice(None), None, 1), None, 3) == (None, 1)
    assert shape_of([0, 1, 1], None, 3) == (3, 3)
    assert shape_of(tensor(None, 2, dtype="int32"), None, 3) == (None, 2, 3)
    assert shape_of((0, ..., tensor(4, dtype="int64")), None, None, 3) == (4, None)
    assert shape_of(tensor(None, 3, dtype="bool"), None, 3, 5) == (None, 5)


def test_a_tensor_whose_value_is_known_is_a_number():
    n = ops.shape(tensor(2, 3))
    assert shape_of((slice(None, n[0]), slice(1, n[1])), 5, 5) == (2, 2)
    with pytest.raises(ShapeError, match="no element 3"):
        ops.getitem(tensor(3), n[1])


def test_brackets_on_tensors_and_variables_are_getitem(graph):
    x = tensor(4, 3)
    y = x[1:, ::2]
    assert y.node.type == "StridedSlice"
    assert y.name == "strided_slice:0"
    found = Session(graph=graph).run(y, {x: np.arange(12).reshape(4, 3)})
    assert found.tolist() == [[3, 5], [6, 8], [9, 11]]


@pytest.mark.parametrize(
    "index, message",
    [
        (3, "no element 3 in an axis of size 3"),
        (-4, "no element -4"),
        ((0, 0, 0), "too many indices"),
        ((..., 0, ...), "too many indices"),
        (slice(0, 2, 0), "step"),
        (np.array([True, False]), r"mask of shape \(2,\)"),
        (np.array(True), "mask"),
        (True, "mask"),
    ],
)
def test_impossible_indices_are_refused_when_built(index, message):
    with pytest.raises(ShapeError, match=message):
        ops.getitem(tensor(3, 4), index)


def test_an_index_is_an_integer():
    with pytest.raises(DTypeError, match="integers; got float32"):
        ops.getitem(tensor(3), 1.5)
    with pytest.raises(DTypeError, match="integers; got float32"):
        ops.getitem(tensor(3), tensor())


def test_the_gradient_of_repeated_rows_is_summed(graph):
    table, ids = tensor(5, 2), tensor(None, dtype="int32")
    y = ops.take(table, ids, 0) * [[1.0], [10.0], [100.0]]
    (slope,) = gradients(y, [table])
    found = Session(graph=graph).run(slope, {table: np.zeros((5, 2)), ids: [3, 0, 3]})
    assert found.tolist() == [[10, 10], [0, 0], [0, 0], [101, 101], [0, 0]]


def test_sums_over_many_repetitions_are_exact(rng):
    ids = rng.integers(0, 7, 10_000).astype("int32")
    rows = rng.integers(-8, 9, (10_000, 3)).astype("float32")
    found = devices.to_host(ops.segment_sum(rows, ids, 7))
    expected = [rows[ids == i].sum(0) for i in range(7)]
    np.testing.assert_array_equal(found, expected)


# -- gather and scatter ----------------------------------------------------------------


def needs_numpy():
    if devices.backend() != "numpy":
        pytest.skip("CuPy checks no indices")


@pytest.mark.parametrize(
    "pick",
    [
        lambda x, i: ops.take(x, i, 0),
        lambda x, i: ops.take_along_axis(x, i, 0),
        lambda x, i: ops.gather_nd(x, i[:, None]),
        lambda x, i: x[i],
        lambda x, i: x[i[0]],
        lambda x, i: ops.slice(x, i, [1]),
    ],
)
def test_an_index_out_of_range_names_the_node(graph, pick):
    needs_numpy()
    x, i = tensor(3), tensor(1, dtype="int32")
    y = pick(x, i)
    with pytest.raises(ExecutionError, match=f"node '{y.node.name}'") as caught:
        Session(graph=graph).run(y, {x: np.zeros(3), i: [3]})
    assert __file__ in str(caught.value)


def test_errors_of_gathering_are_told_when_built():
    whole, real = tensor(2, dtype="int32"), tensor(2)
    for op in (ops.take, ops.take_along_axis):
        with pytest.raises(DTypeError, match="integers"):
            op(real, real, 0)
    with pytest.raises(ShapeError, match="differ in rank"):
        ops.take_along_axis(tensor(2, 3), whole, 0)
    with pytest.raises(ShapeError, match="positions of 2 numbers"):
        ops.gather_nd(real, whole)
    with pytest.raises(ShapeError, match="contradict"):
        ops.scatter_nd(tensor(4, 1, dtype="int32"), tensor(3), (5,))
    with pytest.raises(ShapeError, match="contradict"):
        ops.scatter_update(real, tensor(4, 1, dtype="int32"), tensor(3))


def test_shapes_of_scattered_updates_may_be_tensors():
    positions, updates = tensor(None, 1, dtype="int32"), tensor(None, 3)
    n = ops.shape(tensor(None, 7))
    assert ops.scatter_nd(positions, updates, (n[1], 3)).shape == (7, 3)
    assert ops.segment_sum(updates, positions[:, 0], n[1]).shape == (7, 3)
    assert ops.segment_sum(updates, positions[:, 0], n[0]).shape == (None, 3)


def test_errors_of_blocks_are_told_when_built():
    with pytest.raises(ShapeError, match="2 elements from 2 on, in an axis of size 3"):
        ops.slice(tensor(3), [2], [2])
    with pytest.raises(ShapeError, match="1 starts and 1 sizes"):
        ops.slice(tensor(3, 3), [2], [1])
    with pytest.raises(ShapeError, match="3 elements from 1 on"):
        ops.slice_update(tensor(3), [1], tensor(3))
    with pytest.raises(ShapeError, match="does not fit into"):
        ops.slice_update(tensor(3), [1], tensor(1, 1))


def test_updates_take_the_dtype_of_what_they_update():
    x = np.zeros(3, "float32")
    assert ops.slice_update(x, [1], [2]).tolist() == [0, 2, 0]
    found = ops.scatter_update(x, np.array([[2], [0]]), np.array([5, 6]))
    assert found.tolist() == [6, 0, 5]
    assert found.dtype == "float32"


def test_a_part_laid_over_a_rest_is_written_once_at_every_place():
    class Counted(np.ndarray):
        def __setitem__(self, index, value):
            writes[index] += 1
            super().__setitem__(index, value)

    rng = np.random.default_rng(0)
    ends = [None, *range(-7, 8)]
    for _ in range(300):
        shape = tuple(rng.integers(0, 7, rng.integers(0, 4)))
        place = [
            slice(*rng.choice(ends, 2), rng.choice([1, 1, -1, 2, 3])) for n in shape
        ]
        place = [
            rng.integers(-n, n) if n and rng.random() < 0.2 else s
            for n, s in zip(shape, place, strict=True)
        ]
        place[rng.integers(len(place) + 1) :] = [Ellipsis]
        rest = rng.random(shape)
        wanted = rest.copy()
        part = np.asarray(wanted[tuple(place)] + 1)
        wanted[tuple(place)] = part
        writes = np.zeros(shape, int)
        found = overlaid(np, part.view(Counted), shape, tuple(place), rest)
        np.testing.assert_array_equal(found, wanted)
        assert (writes == 1).all()

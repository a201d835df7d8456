"""Shapes computed from shapes stay static; what cannot be is refused when built."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session


@pytest.fixture(autouse=True)
def graph():
    with Graph().as_default() as graph:
        yield graph


def tensor(*shape, dtype="float32"):
    return ops.placeholder(dtype, shape)


@pytest.mark.parametrize(
    "shape, newshape, expected",
    [
        ((None, 12), (-1, 3, 4), (None, 3, 4)),
        ((None, 12), (None, 3, 4), (None, 3, 4)),
        ((None, 12), (5, -1), (5, None)),
        ((2, 12), (-1, 3, 4), (2, 3, 4)),
        ((2, 0), (-1, 0), (None, 0)),
        ((None, 0), (0, 3), (0, 3)),
        (None, (-1, 3), (None, 3)),
    ],
)
def test_a_size_is_computed_from_the_others(shape, newshape, expected):
    x = ops.placeholder("float32", shape)
    assert ops.reshape(x, newshape).shape == expected


@pytest.mark.parametrize(
    "newshape", [(5, 5), (-1, 5), (-1, -1), (24, -1, -1), (25,), (), (0,)]
)
def test_elements_must_fill_the_shape(newshape):
    with pytest.raises(ShapeError, match="do not fill"):
        ops.reshape(tensor(2, 12), newshape)


def batch_and(x):
    """Shapes that keep the first size of x, whatever it is."""
    n = ops.shape(x)
    return {
        "concatenate": ops.concatenate([n[:1], [12]], 0),
        "stack": ops.stack([n[0], 12]),
        "a tuple": (n[0], 12),
        "cast": ops.cast(ops.stack([ops.cast(n[0], "int64"), 12]), "int32"),
        "arithmetic": ops.stack([n[0], n[1] * n[2] // 2 * 2]),
        "take": ops.concatenate([ops.take(n, [0]), [12]]),
        "expand_dims": ops.concatenate([ops.expand_dims(n[0], 0), [12]]),
        "squeeze": ops.stack([ops.squeeze(n[:1]), 12]),
        "reshape": ops.concatenate([ops.reshape(n[0], [1]), [12]]),
        "unstack": ops.stack([ops.unstack(n)[0], 12]),
        "flip": ops.flip(ops.stack([12, n[0]])),
        "slice": ops.concatenate([ops.slice(n, [0], [1]), [12]]),
        "steps": ops.concatenate([n[2::-1][-1:], [12]]),
    }


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("way", batch_and(np.zeros((1, 3, 4))))
def test_a_shape_made_of_a_shape_is_static(graph, way, batch):
    x = tensor(batch, 3, 4)
    y = ops.reshape(x, batch_and(x)[way])
    assert y.shape == (batch, 12)
    value = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    found = Session(graph=graph).run(y, {x: value})
    np.testing.assert_array_equal(found, value.reshape(2, 12))


def test_a_known_batch_makes_the_rest_known():
    x = tensor(2, 3, 4)
    assert ops.reshape(x, ops.stack([ops.shape(x)[0], -1])).shape == (2, 12)
    assert ops.reshape(x, (ops.shape(x)[0], 3, -1)).shape == (2, 3, 4)
    assert ops.broadcast_to(tensor(4), ops.shape(x)).shape == (2, 3, 4)
    assert ops.tile(tensor(4), ops.shape(x)[:2]).shape == (2, 12)


def test_shape_size_and_rank_at_once():
    x = np.zeros((2, 3), "float32")
    assert ops.shape(x).tolist() == [2, 3]
    assert ops.size(x) == 6
    assert ops.rank([[1.0]]) == 2


def test_a_shape_is_made_of_integers_not_negative():
    with pytest.raises(DTypeError, match="integers; got float32"):
        ops.reshape(tensor(4), ops.placeholder("float32", (2,)))
    with pytest.raises(ShapeError, match="vector; got shape"):
        ops.reshape(tensor(4), ops.placeholder("int32", (2, 2)))
    with pytest.raises(ShapeError, match="negative"):
        ops.broadcast_to(tensor(4), (-2, 4))


def test_errors_of_reshaping_are_told_when_built():
    with pytest.raises(ShapeError, match="does not order 3 axes"):
        ops.transpose(tensor(1, 2, 3), (0, 1, 1))
    with pytest.raises(ShapeError, match="has not size 1"):
        ops.squeeze(tensor(1, 2), 1)
    with pytest.raises(ShapeError, match=r"\(3,\) and \(3, 2\) do not broadcast"):
        ops.broadcast_to(tensor(3), (3, 2))
    with pytest.raises(ShapeError, match=r"\(3,\) does not broadcast to \(1,\)"):
        ops.broadcast_to(tensor(3), (1,))
    with pytest.raises(ShapeError, match="must be known"):
        ops.swapaxes(ops.placeholder("float32"), 0, 1)
    with pytest.raises(ShapeError, match="2 axes to 1 places"):
        ops.moveaxis(tensor(1, 2, 3), (0, 1), 2)


# -- joining and padding ---------------------------------------------------------------


def test_concatenate_merges_what_is_known():
    parts = [tensor(None, 3), tensor(2, None), ops.placeholder("float32")]
    assert ops.concatenate(parts[:2], 1).shape == (2, None)
    assert ops.concatenate(parts, 0).shape == (None, 3)
    assert ops.concatenate([tensor(None, 3), tensor(2, 4)], 1).shape == (2, 7)


def test_joined_operands_meet_in_one_dtype():
    whole, short = tensor(2, dtype="int32"), tensor(2, dtype="float16")
    assert ops.concatenate([whole, short]).dtype == "float16"
    assert ops.stack([short, np.zeros(2)]).dtype == "float16"


def test_parts_make_up_the_whole():
    x = tensor(None, 6)
    assert [y.shape for y in ops.split(x, (-1, 2))] == [(None, 6), (2, 6)]
    with pytest.raises(ShapeError, match="6 elements do not make parts 4"):
        ops.split(x, 4, 1)
    with pytest.raises(ShapeError, match=r"do not make parts \(5, 2\)"):
        ops.split(x, (5, 2), 1)
    with pytest.raises(ShapeError, match=r"do not make parts \(7, -1\)"):
        ops.split(x, (7, -1), 1)


def test_errors_of_joining_are_told_when_built():
    with pytest.raises(ShapeError, match="contradict"):
        ops.concatenate([tensor(2, 3), tensor(2, 4)], 0)
    with pytest.raises(ShapeError, match="contradict"):
        ops.stack([tensor(2), tensor(3)])
    with pytest.raises(ShapeError, match="num must be given"):
        ops.unstack(tensor(None, 3))
    with pytest.raises(ShapeError, match="2 parts of an axis of size 3"):
        ops.unstack(tensor(3), 2)
    with pytest.raises(ShapeError, match="2 numbers for 3 elements"):
        ops.repeat(tensor(3), (1, 2), 0)
    with pytest.raises(ShapeError, match="vectors"):
        ops.meshgrid(tensor(2, 2))


def test_unused_parts_have_zero_gradients(graph):
    x = tensor(3, 2)
    first = ops.split(x, 3)[0]
    middle = ops.unstack(x)[1]
    (slope,) = gradients([first, middle], [x])
    found = Session(graph=graph).run(slope, {x: np.zeros((3, 2))})
    assert found.tolist() == [[1, 1], [1, 1], [0, 0]]


def test_errors_of_padding_are_told_when_built():
    with pytest.raises(ShapeError, match="widths"):
        ops.pad(tensor(2, 3), ((1, 1),) * 3)
    with pytest.raises(ShapeError, match="widths"):
        ops.pad(tensor(2), ((-1, 1),))
    with pytest.raises(ShapeError, match="a border of 3 cannot reflect"):
        ops.pad(tensor(3), ((3, 0),), "reflect")
    with pytest.raises(ValueError, match="mode 'wrap'"):
        ops.pad(tensor(3), 1, "wrap")


def test_errors_of_diagonals_are_told_when_built():
    with pytest.raises(ShapeError, match="a vector or a matrix"):
        ops.diag(tensor(1, 2, 3))
    with pytest.raises(ShapeError, match="tril: a matrix"):
        ops.tril(tensor(3))

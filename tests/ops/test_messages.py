"""What is refused, and warned of, in the words of Keras."""

import re

import numpy as np
import pytest

X = np.arange(12, dtype="float32").reshape(3, 4)
IMAGES = np.zeros((2, 8, 8, 3), "float32")


def tensor(*shape):
    return lambda room: room.KerasTensor(shape)


# Calls of a function by its name, with what makes its arguments in either library.
REFUSED = [
    ("pad", (X, 1, "reflect", 2.0)),
    ("reshape", (X, (-2, 6))),
    ("reshape", (X, (-1, -1, 2))),
    ("transpose", (tensor(2, 3, 4), [0, 0, 0])),
    ("transpose", (tensor(2, 3, 4), [0, 1])),
    ("transpose", (tensor(2, 3, 4), [0, 1, 5])),
    ("rot90", (X, 1, (0, 0))),
    ("rot90", (X[0],)),
    ("where", (X > 1, X)),
    ("slice", (tensor(3, 3), (1, 1), (2, 2, 2))),
    ("slice", (tensor(3, 3), (1, 1, 1), (2, 2))),
    ("unstack", (tensor(2, None, None), None, 1)),
    ("meshgrid", (tensor(4), tensor(4), {"indexing": "kk"})),
    ("conv", (tensor(2, 10, 3), tensor(3, 5, 4))),
    ("depthwise_conv", (IMAGES, np.zeros((2, 2, 5, 1), "float32"))),
    ("conv_transpose", (IMAGES, np.zeros((2, 2, 4, 5), "float32"))),
    ("batch_normalization", (tensor(None, 5), *[tensor(5)] * 2, -1, tensor(3))),
    ("image.crop_images", (tensor(None, 10, 3), 2, 3, 4, 5)),
    ("image.crop_images", (tensor(10, None, 3), 2, 3, 4, 5)),
    ("linalg.qr", (tensor(None, 4),)),
    ("linalg.qr", (tensor(4),)),
    ("fft", ((tensor(None), tensor(None)),)),
    ("fft2", ((tensor(None, None, 3), tensor(None, None, 3)),)),
    ("eye", (3.0,)),
]
WARNED = [
    ("softmax", (X[:, :1],)),
    ("softmax", (X[:1], 0)),
    ("layer_normalization", (X, {"rms_scaling": True})),
]


def called(room, name, given):
    def made(x):
        if isinstance(x, tuple):
            return tuple(map(made, x))
        return x(room) if callable(x) else x

    function = room.ops
    for part in name.split("."):
        function = getattr(function, part)
    named = given[-1] if isinstance(given[-1], dict) else {}
    return function(*map(made, given[: len(given) - bool(named)]), **named)


def words(message):
    """Return the first words of a message, in which there are no shapes yet."""
    own = str(message).rpartition("\x1b[1m")[2]  # behind what Keras adds
    return re.match(r"[^\d(\[{:.]+", own).group()


@pytest.fixture(scope="module")
def rooms():
    import minikeras

    return minikeras, pytest.importorskip("keras")


@pytest.mark.parametrize("name, given", REFUSED)
def test_errors_are_those_of_keras(rooms, name, given):
    ours, theirs = rooms
    with pytest.raises((ValueError, TypeError)) as wanted:
        called(theirs, name, given)
    with pytest.raises((ValueError, TypeError)) as found:
        called(ours, name, given)
    assert isinstance(found.value, wanted.type)
    if wanted.type is ValueError:  # a TypeError is JAX's own
        assert words(wanted.value) in str(found.value)


@pytest.mark.parametrize("name, given", WARNED)
def test_warnings_are_those_of_keras(rooms, name, given):
    ours, theirs = rooms
    with pytest.warns(UserWarning, match="softmax|rms_scaling") as wanted:
        called(theirs, name, given)
    with pytest.warns(UserWarning, match=re.escape(words(wanted[0].message))):
        called(ours, name, given)


def test_a_row_keeps_all_its_updates():
    """Keras's tests have these numbers."""
    from minikeras import ops

    places, updates = [[0], [0], [1]], np.array([3.0, 5.0, 2.0])
    for reduction, start, want in [
        ("add", [0.0, 0, 0, 0], [8, 2, 0, 0]),
        ("max", [0.0, 0, 0, 0], [5, 2, 0, 0]),
        ("min", [10.0, 10, 10, 10], [3, 2, 10, 10]),
        ("mul", [2.0, 3, 1, 1], [30, 6, 1, 1]),
    ]:
        found = ops.scatter_update(np.array(start), places, updates, reduction)
        np.testing.assert_array_equal(found, want)
    with pytest.raises(ValueError, match="reduction"):
        ops.scatter_update(updates, places, updates, "mean")


@pytest.mark.parametrize("name", ["one_hot", "multi_hot"])
def test_sparse_results_are_refused(rooms, name):
    with pytest.raises(ValueError, match="Unsupported value `sparse=True` with"):
        getattr(rooms[0].ops, name)(np.array([0, 1]), 3, sparse=True)

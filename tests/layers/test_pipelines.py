"""Layers in `tf.data`: with TensorFlow where it is, and with a stand-in everywhere."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from minikeras import Sequential, layers


class Symbolic:
    """A symbolic tensor as TensorFlow's: a shape, a dtype, and no value yet."""

    def __init__(self, shape, dtype):
        self.shape, self.dtype = shape, SimpleNamespace(name=dtype)

    def set_shape(self, shape):
        self.shape = shape

    def __array__(self, *args, **kwargs):
        raise NotImplementedError("a symbolic tensor has no value")


@pytest.fixture
def stand_in(monkeypatch):
    """Put in TensorFlow's place what notes the calls of Python it is given."""
    calls = []

    def numpy_function(run, tensors, kinds):
        calls.append(run)
        return [Symbolic(None, kind) for kind in kinds]

    tf = SimpleNamespace(
        is_symbolic_tensor=lambda x: isinstance(x, Symbolic),
        numpy_function=numpy_function,
    )
    monkeypatch.setitem(sys.modules, "tensorflow", tf)
    return calls


def test_a_symbolic_tensor_of_tensorflow_becomes_a_call_for_later(stand_in):
    layer = layers.Rescaling(2.0, offset=1.0)
    output = layer(Symbolic((None, 3), "float32"))
    assert (output.shape, output.dtype.name) == ((None, 3), "float32")
    (found,) = stand_in[0](np.array([[1.0, 2.0, 3.0]], "float32"))
    np.testing.assert_array_equal(found, [[3.0, 5.0, 7.0]])


def test_what_is_no_tensor_stays_where_it_is(stand_in):
    class Weighted(layers.Layer):
        def call(self, inputs, factor, shift=None):
            return {"sum": inputs["a"] + factor * inputs["b"] + shift}

    tensors = {k: Symbolic((2,), "float32") for k in "ab"}
    found = Weighted()(tensors, factor=10.0, shift=np.float32(0.5))
    assert [*found] == ["sum"]
    assert found["sum"].shape == (2,)
    given = np.array([1, 2], "float32"), np.array([3, 4], "float32")
    np.testing.assert_array_equal(stand_in[0](*given)[0], [31.5, 42.5])


def test_arrays_are_computed_at_once_beside_tensorflow(stand_in):
    assert layers.Rescaling(2.0)(np.ones(3))[0] == 2.0
    assert not stand_in


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


@pytest.mark.parametrize("threads", [None, 4])
def test_images_in_a_pipeline(tf, threads):
    images = np.random.default_rng(1).random((8, 6, 6, 3), "float32")
    resize = layers.Resizing(3, 3)
    data = tf.data.Dataset.from_tensor_slices(images).batch(4)
    data = data.map(resize, num_parallel_calls=threads)
    assert data.element_spec.shape.as_list() == [None, 3, 3, 3]
    found = np.concatenate([batch.numpy() for batch in data])
    np.testing.assert_array_equal(found, resize(images))


def test_words_and_models_in_a_pipeline(tf):
    lookup = layers.StringLookup(vocabulary=["a", "b"])
    words = tf.data.Dataset.from_tensor_slices([["a", "z"], ["b", "a"]])
    assert [x.numpy().tolist() for x in words.map(lookup)] == [[1, 0], [2, 1]]
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    rows = np.random.default_rng(2).random((4, 3), "float32")
    data = tf.data.Dataset.from_tensor_slices(rows).batch(2)
    pairs = [*data.map(lambda x: (model(x), 2 * x))]
    found = np.concatenate([y.numpy() for y, _ in pairs])
    np.testing.assert_allclose(found, model(rows), rtol=1e-6)

"""Inputs, and what single layers promise beside their formula."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from minikeras.layers import Embedding, Input, InputLayer, Softmax

X = np.arange(6.0, dtype="float32").reshape(2, 3)


def test_an_input_has_the_shape_it_was_given():
    assert Input((3,)).shape == (None, 3)
    assert Input((3,), batch_size=2).shape == (2, 3)
    assert Input(batch_shape=(2, None)).shape == (2, None)
    assert Input(()).shape == (None,)
    with pytest.warns(UserWarning, match="`input_shape` is deprecated"):
        assert InputLayer(input_shape=(3,)).output.shape == (None, 3)


def test_an_input_has_a_name_and_a_dtype():
    x = Input((3,), dtype="int32", name="ids")
    assert x.dtype == "int32"
    assert x._keras_history.operation.name == "ids"


def test_an_input_can_be_a_placeholder_that_exists():
    tensor = K.placeholder((None, 3))
    assert Input(tensor=tensor) is tensor
    assert layers.Dense(2)(tensor)._keras_history.operation.input is tensor


@pytest.mark.parametrize(
    "args, message",
    [
        ({}, "must pass a `shape`"),
        ({"shape": 3}, r"Did you mean shape=\(3,\)"),
        ({"shape": (3,), "batch_shape": (2, 3)}, "both `shape` and `batch_shape`"),
        ({"shape": (3,), "sparse": True}, "`sparse=True` is not supported"),
    ],
)
def test_an_input_without_a_clear_shape_is_refused(args, message):
    with pytest.raises(ValueError, match=message):
        Input(**args)


def test_an_input_layer_has_the_config_of_keras():
    import keras

    args = {"shape": (3, None), "batch_size": 2, "dtype": "int32", "name": "mine"}
    config = InputLayer(**args).get_config()
    assert config == keras.layers.InputLayer(**args).get_config()
    assert InputLayer.from_config(config).output.shape == (2, 3, None)


def test_embeddings_learn_from_the_rows_that_are_used():
    layer = Embedding(4, 2)
    ids = np.array([[1, 1, 3]])
    layer(ids)
    weight = np.arange(6.0, dtype="float32").reshape(1, 3, 2)
    slopes = K.function(
        lambda x: K.gradients(K.sum(layer(x) * weight), [layer.embeddings])[0]
    )
    np.testing.assert_allclose(slopes(ids), [[0, 0], [2, 4], [0, 0], [4, 5]])


def test_embeddings_may_be_given():
    table = np.arange(8.0, dtype="float32").reshape(4, 2)
    layer = Embedding(4, 2, weights=[table], trainable=False)
    np.testing.assert_array_equal(layer(np.array([3, 0])), table[[3, 0]])
    assert layer.trainable_weights == []


def test_softmax_leaves_out_what_is_masked():
    import keras

    mask = np.array([[True, False, True], [False, False, False]])
    y = Softmax()(X, mask=mask)
    np.testing.assert_allclose(y, np.asarray(keras.layers.Softmax()(X, mask=mask)))
    assert y[0, 1] == 0


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "average", "maximum", "minimum"]
)
def test_merging_functions_are_their_layers(name):
    layer = getattr(layers, name.capitalize())()
    pair = [X, X[::-1] + 1]
    np.testing.assert_array_equal(getattr(layers, name)(pair), layer(pair))


def test_joining_functions_are_their_layers():
    assert layers.concatenate([X, X], axis=0).shape == (4, 3)
    assert layers.dot([X, X], axes=1).shape == (2, 1)


def test_merging_needs_shapes_that_fit():
    with pytest.raises(ValueError, match="do not broadcast: 3 against 2"):
        layers.Add()([X, X[:, :2]])


def test_a_reshape_must_keep_the_number_of_elements():
    with pytest.raises(ValueError, match="total size of the tensor must be unchanged"):
        layers.Reshape((4,))(X)


def test_a_crop_must_leave_something():
    with pytest.raises(ValueError, match="smaller than the corresponding spatial"):
        layers.Cropping1D(2)(np.ones((1, 4, 2)))


def test_upsampling_with_a_cubic_is_that_of_keras(rng):
    import keras

    x = rng.normal(size=(1, 4, 5, 2)).astype("float32")
    args = {"size": (2, 3), "interpolation": "bicubic"}
    y, z = (room.UpSampling2D(**args)(x) for room in (layers, keras.layers))
    np.testing.assert_allclose(y, np.asarray(z), rtol=1e-4, atol=1e-5)

"""Weights of bounded stretch, embeddings walked both ways, pooling to a size."""

from __future__ import annotations

import re

import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Model, Sequential
from tests.layers.test_against_keras import close, comparable


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


KINDS = {
    "Dense": ((4, 3), lambda room: room.Dense(5)),
    "Conv2D": ((2, 5, 4, 3), lambda room: room.Conv2D(4, 2)),
}


def wrapped(keras, kind, **arguments):
    """Return one of each library, with the same weights, and an input."""
    shape, make = KINDS[kind]
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    own = layers.SpectralNormalization(make(layers), **arguments)
    theirs = keras.layers.SpectralNormalization(make(keras.layers), **arguments)
    own(x), theirs(x)
    own.set_weights(theirs.get_weights())
    return own, theirs, x


@pytest.mark.parametrize("kind", KINDS)
def test_spectral_normalization_is_that_of_keras(keras, kind):
    own, theirs, x = wrapped(keras, kind, power_iterations=2)
    assert [w.path.split("/", 1)[1] for w in own.weights] == [
        w.path.split("/", 1)[1] for w in theirs.weights
    ]
    for training in (False, True, True, False):
        close(own(x, training=training), theirs(x, training=training))
        for v, w in zip(own.weights, theirs.weights, strict=True):
            close(v.numpy(), w)
    assert comparable(own.get_config()) == comparable(theirs.get_config())
    assert own.compute_output_shape(x.shape) == theirs.compute_output_shape(x.shape)
    again = layers.deserialize(layers.serialize(own))
    assert layers.serialize(again) == layers.serialize(own)


def test_the_largest_singular_value_becomes_1(keras):
    own, _, x = wrapped(keras, "Dense", power_iterations=50)
    own(x, training=True)
    values = np.linalg.svd(own.kernel.numpy(), compute_uv=False)
    np.testing.assert_allclose(values[0], 1, rtol=1e-4)


def test_a_kernel_of_zeros_stays(keras):
    own, _, x = wrapped(keras, "Dense")
    own.kernel.assign(np.zeros((3, 5)))
    u = own.vector_u.numpy()
    assert (own(x, training=True) == 0).all()
    np.testing.assert_array_equal(own.kernel.numpy(), 0)
    np.testing.assert_array_equal(own.vector_u.numpy(), u)


def test_embeddings_can_be_normalized():
    # Keras 3.15 casts the vectors to the integers that they stand for.
    layer = layers.SpectralNormalization(layers.Embedding(5, 3), power_iterations=50)
    y = layer(np.array([[0, 4]]), training=True)
    assert y.dtype == "float32"
    values = np.linalg.svd(layer.kernel.numpy(), compute_uv=False)
    np.testing.assert_allclose(values[0], 1, rtol=1e-3)


def test_spectral_normalization_wants_a_kernel_and_iterations():
    with pytest.raises(ValueError, match="greater than zero"):
        layers.SpectralNormalization(layers.Dense(2), power_iterations=0)
    with pytest.raises(ValueError, match="no attribute 'kernel'"):
        layers.SpectralNormalization(layers.ReLU())(np.zeros((2, 3), "float32"))


def test_a_step_of_training_starts_at_the_normalized_kernel(rng):
    # As in Keras on TensorFlow; on JAX its training loses what `call` assigns.
    model = Sequential(
        [
            layers.Input((3,)),
            layers.SpectralNormalization(layers.Dense(5, use_bias=False)),
            layers.Dense(1, use_bias=False),
        ]
    )
    w, u, out = (a.astype("float64") for a in model.get_weights())
    x = rng.normal(size=(8, 3))
    y = x[:, :1]
    v = u @ w.T
    v /= np.linalg.norm(v)
    u = v @ w
    u /= np.linalg.norm(u)
    w /= v @ w @ u.T
    error = 2 * (x @ w @ out - y) / len(x)
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=8, verbose=0)
    kernel, vector, last = model.get_weights()
    close(vector, u)
    close(kernel, w - 0.01 * x.T @ error @ out.T)
    close(last, out - 0.01 * (x @ w).T @ error)


# -- embeddings ------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
def test_an_embedding_leads_back_to_logits(keras, tied, rng):
    arguments = {"tie_weights": tied, "logit_soft_cap": 0.5, "mask_zero": True}
    own = layers.ReversibleEmbedding(7, 3, **arguments)
    theirs = keras.layers.ReversibleEmbedding(7, 3, **arguments)
    own.build(), theirs.build()
    own.set_weights(theirs.get_weights())
    vectors = rng.normal(size=(2, 4, 3)).astype("float32")
    close(own(vectors, reverse=True), theirs(vectors, reverse=True))
    assert own.compute_output_shape((None, 4, 3), reverse=True) == (None, 4, 7)
    assert own(layers.Input((None, 3)), reverse=True).shape == (None, None, 7)


def test_the_way_back_has_a_dtype():
    layer = layers.ReversibleEmbedding(7, 3, dtype="mixed_float16")
    assert layer(np.array([[1]])).dtype == "float16"
    assert layer(np.zeros((1, 3), "float16"), reverse=True).dtype == "float16"
    layer = layers.ReversibleEmbedding(
        7, 3, dtype="mixed_float16", reverse_dtype="float32"
    )
    assert layer(np.zeros((1, 3), "float16"), reverse=True).dtype == "float32"


def test_a_language_model_shares_its_table():
    table = layers.ReversibleEmbedding(6, 4, mask_zero=True)
    tokens = layers.Input((None,), dtype="int32")
    hidden = layers.GRU(4, return_sequences=True)(table(tokens))
    model = Model(tokens, table(hidden, reverse=True))
    assert model.output.shape == (None, None, 6)
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.array([[1, 2, 3], [4, 5, 0]])
    before = table.embeddings.numpy().copy()
    model.fit(x, x, verbose=0)
    assert (table.embeddings.numpy() != before).any()
    assert len(model.trainable_weights) == 4


# -- pooling ---------------------------------------------------------------------------


@pytest.mark.parametrize("given", [(2, 3), 1.5, "3", (1,)])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_sizes_are_checked_as_in_keras(keras, given, rank):
    name = f"AdaptiveMaxPooling{rank}D"
    try:
        size = getattr(keras.layers, name)(given).output_size
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            getattr(layers, name)(given)
    else:
        assert getattr(layers, name)(given).output_size == size


def test_pooling_to_a_size_serves_images_of_any_size(rng):
    model = Sequential(
        [
            layers.Input((None, None, 2)),
            layers.AdaptiveAveragePooling2D((2, 3)),
            layers.AdaptiveMaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    for height, width in ((5, 7), (2, 3), (9, 4)):
        x = rng.normal(size=(4, height, width, 2)).astype("float32")
        model.fit(x, x[:, 0, 0, :1], verbose=0)
        assert model.predict(x, verbose=0).shape == (4, 1)

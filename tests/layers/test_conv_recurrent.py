"""Convolutional LSTMs against Keras: masks, states, both directions, training."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from minikeras.models import Model, Sequential
from tests.layers.test_recurrent import MASK, pair, same

ARGUMENTS = {"filters": 2, "kernel_size": 2}


@pytest.fixture
def movies(rng):
    return rng.normal(size=(3, 5, 4, 3, 2)).astype("float32")


def test_masked_steps_are_skipped(movies):
    # Keras 3.15 fails on JAX: its mask has not the rank of the states.
    layer = layers.ConvLSTM2D(**ARGUMENTS, return_state=True)
    found = layer(movies, mask=MASK)
    for i, keep in enumerate(MASK):
        alone = layer(movies[i : i + 1, keep])
        same([y[i : i + 1] for y in found], alone)


@pytest.mark.parametrize("sequences", [False, True])
def test_states_are_returned_and_taken(movies, sequences):
    def make(room):
        return room.ConvLSTM2D(
            **ARGUMENTS, return_sequences=sequences, return_state=True
        )

    own, theirs = pair(make, movies)
    same(own(movies), theirs(movies))
    states = [np.ones((3, 3, 2, 2), "float32"), np.zeros((3, 3, 2, 2), "float32")]
    same(own(movies, initial_state=states), theirs(movies, initial_state=states))
    shape = (None, 5, 4, 3, 2)
    assert tuple(own.compute_output_shape(shape)) == theirs.compute_output_shape(shape)
    mask = np.ones((3, 5), bool)
    kept, *others = own.compute_mask(None, mask)
    assert (kept is mask) == sequences
    assert others == [None, None]


def test_a_stateful_layer_goes_on(movies):
    own, theirs = pair(lambda room: room.ConvLSTM2D(**ARGUMENTS, stateful=True), movies)
    for layer in (own, theirs):
        layer.reset_state()
    first = own(movies)
    same(first, theirs(movies))
    second = own(movies)
    same(second, theirs(movies))
    assert np.abs(second - first).max() > 1e-3
    own.reset_state()
    same(own(movies), first)


def test_it_goes_both_ways(movies):
    def make(room):
        return room.Bidirectional(room.ConvLSTM2D(**ARGUMENTS, return_sequences=True))

    same(*(layer(movies) for layer in pair(make, movies)))


def test_dropout_drops_the_same_at_each_step(movies):
    layer = layers.ConvLSTM2D(
        **ARGUMENTS, padding="same", dropout=0.5, recurrent_dropout=0.3, seed=1
    )
    steady = np.repeat(movies[:, :1], 5, 1)
    assert np.abs(layer(steady, training=True) - layer(steady)).max() > 1e-3
    # Without a state a step's output depends on what its input has lost alone.
    layer.set_weights([w * (i != 1) for i, w in enumerate(layer.get_weights())])
    cell = layer.cell

    @K.function
    def projected(x):
        with cell.same_noise(3, True):
            return cell.project(K.swapaxes(x, 0, 1), True)

    y = projected(steady)
    np.testing.assert_allclose(y, np.repeat(y[:1], 5, 0), rtol=1e-5, atol=1e-6)


def test_it_can_be_trained(movies):
    model = Sequential(
        [
            layers.Input((None, 4, 3, 2)),
            layers.ConvLSTM2D(**ARGUMENTS, dropout=0.1, return_sequences=True),
            layers.ConvLSTM2D(**ARGUMENTS, recurrent_dropout=0.1),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    before = [w.copy() for w in model.get_weights()]
    losses = model.fit(movies, movies[:, 0, 0, 0, :1], epochs=3, verbose=0).history
    assert np.isfinite(losses["loss"]).all()
    changed = [
        np.abs(a - b).max() > 0
        for a, b in zip(before, model.get_weights(), strict=True)
    ]
    assert all(changed)


def test_arguments_are_those_of_the_cell(movies):
    layer = layers.ConvLSTM2D(**ARGUMENTS, strides=2, recurrent_dropout=0.2, seed=4)
    assert layer.filters == 2
    assert layer.strides == (2, 2)
    assert layer.recurrent_dropout == 0.2
    assert layers.LSTM(3, kernel_regularizer="l2").kernel_regularizer.l2 == 0.01
    with pytest.raises(
        AttributeError, match="'ConvLSTM2D' has no attribute 'nonsense'"
    ):
        layer.nonsense  # noqa: B018


def test_space_must_be_known():
    with pytest.raises(ValueError, match="static input shapes"):
        layers.ConvLSTM2D(2, 2)(layers.Input((5, None, 3, 2)))
    with pytest.raises(ValueError, match="channel dimension"):
        layers.ConvLSTM1D(2, 2)(layers.Input((5, 3, None)))
    with pytest.raises(ValueError, match="not compatible"):
        layers.ConvLSTM2D(2, 2, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match="ndim=5"):
        layers.ConvLSTM2D(2, 2)(layers.Input((5, 3, 2)))


def test_a_model_of_steps_of_unknown_number(movies):
    x = layers.Input((None, 4, 3, 2))
    y = layers.ConvLSTM2D(**ARGUMENTS, return_sequences=True)(x)
    assert tuple(y.shape) == (None, None, 3, 2, 2)
    model = Model(x, y)
    assert model.predict(movies[:, :2], verbose=0).shape == (3, 2, 3, 2, 2)

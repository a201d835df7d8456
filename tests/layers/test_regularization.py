"""Noise is as strong as it should be, never the same twice, and the same again."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers

ONES = np.ones((200, 100), "float32")


def test_dropout_drops_its_share_and_keeps_the_mean():
    y = layers.Dropout(0.3, seed=1)(ONES, training=True)
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-6)
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert abs(y.mean() - 1) < 0.02


def test_each_call_draws_anew():
    layer = layers.Dropout(0.5, seed=1)
    one, other = (layer(ONES, training=True) for _ in range(2))
    assert abs((one == other).mean() - 0.5) < 0.02


def test_one_seed_gives_one_sequence():
    one, other = (layers.Dropout(0.5, seed=7) for _ in range(2))
    for _ in range(2):
        y, z = one(ONES, training=True), other(ONES, training=True)
        np.testing.assert_array_equal(y, z)


def test_layers_without_a_seed_differ():
    one, other = (layers.Dropout(0.5)(ONES, training=True) for _ in range(2))
    assert (one != other).any()


def test_a_noise_shape_drops_together():
    y = layers.Dropout(0.5, noise_shape=(None, 1))(ONES, training=True)
    assert (y == y[:, :1]).all()
    assert 0.3 < (y[:, 0] == 0).mean() < 0.7


@pytest.mark.parametrize(
    "name, shape, space, args",
    [
        ("SpatialDropout1D", (40, 5, 20), (1,), {}),
        ("SpatialDropout2D", (40, 3, 4, 20), (1, 2), {}),
        ("SpatialDropout2D", (40, 20, 3, 4), (2, 3), {"data_format": "channels_first"}),
        ("SpatialDropout3D", (40, 2, 3, 2, 20), (1, 2, 3), {}),
    ],
)
def test_spatial_dropout_drops_whole_channels(name, shape, space, args):
    y = getattr(layers, name)(0.5, **args)(np.ones(shape, "float32"), training=True)
    assert (y.min(axis=space) == y.max(axis=space)).all()
    assert abs((y == 0).mean() - 0.5) < 0.06


def test_gaussian_noise_has_its_deviation():
    noise = layers.GaussianNoise(0.2, seed=2)(ONES, training=True) - ONES
    assert abs(noise.mean()) < 0.005
    assert abs(noise.std() - 0.2) < 0.005


def test_gaussian_dropout_is_as_spread_as_dropout():
    y = layers.GaussianDropout(0.2, seed=2)(ONES, training=True)
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.std() - 0.5) < 0.01  # sqrt(0.2 / 0.8)


def test_alpha_dropout_keeps_mean_and_variance(rng):
    x = rng.normal(size=(400, 200)).astype("float32")
    y = layers.AlphaDropout(0.2, seed=3)(x, training=True)
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


def test_noise_differs_in_each_run_of_a_traced_function():
    layer = layers.Dropout(0.5, seed=1)
    run = K.function(lambda x: layer(x, training=True))
    assert (run(ONES) != run(ONES)).any()


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_a_rate_is_a_share(rate):
    with pytest.raises(ValueError, match=f"between 0 and 1. Received: rate={rate}"):
        layers.Dropout(rate)

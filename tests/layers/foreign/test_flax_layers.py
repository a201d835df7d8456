"""Flax's modules as layers, against Flax itself."""

import numpy as np
import pytest

import minikeras
from minikeras import layers

linen = pytest.importorskip("flax.linen")


class Net(linen.Module):
    """A dense layer, dropout and normalization."""

    @linen.compact
    def __call__(self, x, training=False):
        x = linen.Dense(4)(x)
        x = linen.BatchNorm(use_running_average=not training)(x)
        return linen.Dropout(0.5, deterministic=not training)(x)

    def halved(self, x):
        return x / 2

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


minikeras.saving.register_keras_serializable("flax_layers")(Net)


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((8, 3)).astype("float32")


def test_values_are_those_of_the_module(x):
    layer = layers.FlaxLayer(Net())
    found = layer(x)
    weights = {
        kind: {
            name: {k: v.numpy() for k, v in part.items()}
            for name, part in parts.items()
        }
        for kind, parts in {**layer.params, **layer.state}.items()
    }
    np.testing.assert_allclose(found, Net().apply(weights, x), rtol=1e-5)
    given = layers.FlaxLayer(Net(), variables=weights)
    np.testing.assert_allclose(given(x), found, rtol=1e-6)
    assert len(layer.trainable_weights) == 4
    assert len(layer.non_trainable_weights) == 2


def test_it_is_trained_and_its_state_follows(x):
    layer = layers.FlaxLayer(Net())
    model = minikeras.Sequential([minikeras.Input((3,)), layer, layers.Dense(1)])
    model.compile("adam", "mse")
    before = layer.get_weights()
    model.fit(x, x[:, :1], verbose=0)
    assert all((a != b).any() for a, b in zip(before, layer.get_weights(), strict=True))


def test_another_method_is_called_by_its_name(x):
    for method in (Net().halved, "halved", Net.halved):
        layer = layers.FlaxLayer(Net(), method=method, variables={"params": {}})
        np.testing.assert_allclose(layer(x), x / 2)


def test_it_comes_back_from_its_config(x):
    net = Net()
    config = layers.FlaxLayer(net, name="net").get_config()
    assert {"call_fn", "init_fn"}.isdisjoint(config)
    assert layers.FlaxLayer.from_config(config)(x).shape == (8, 4)
    named = layers.FlaxLayer(net, method=net.halved, variables={"params": {}})
    config = named.get_config()
    assert config["method"] == "halved"
    np.testing.assert_allclose(layers.FlaxLayer.from_config(config)(x), x / 2)

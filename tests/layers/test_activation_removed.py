"""Layers whose activation is taken away after they have been built."""

import numpy as np
import pytest

import minikeras
from minikeras import layers

IMAGES = (2, 4, 5, 3)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda a: layers.Dense(2, activation=a), (3, 4)),
        (lambda a: layers.EinsumDense("ab,bc->ac", 2, activation=a), (3, 4)),
        (lambda a: layers.Conv2D(2, 2, activation=a), IMAGES),
        (lambda a: layers.Conv2DTranspose(2, 2, activation=a), IMAGES),
        (lambda a: layers.DepthwiseConv2D(2, activation=a), IMAGES),
        (lambda a: layers.SeparableConv2D(2, 2, activation=a), IMAGES),
        (lambda a: layers.SimpleRNN(2, activation=a), (3, 5, 4)),
    ],
)
def test_it_is_linear_then(layer, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    one, linear = layer("tanh"), layer("linear")
    before = one(x)
    linear.build(x.shape)
    linear.set_weights(one.get_weights())
    holder = getattr(one, "cell", one)
    holder.activation = None
    np.testing.assert_allclose(one(x), linear(x), rtol=1e-6)
    assert not np.allclose(one(x), before)
    assert holder.get_config()["activation"] is None


def test_the_head_of_a_trained_model_yields_logits():
    model = minikeras.Sequential(
        [minikeras.Input((3,)), layers.Dense(4, activation="softmax")]
    )
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    before = model(x)
    model.layers[-1].activation = None
    logits = model(x)
    np.testing.assert_allclose(minikeras.ops.softmax(logits), before, rtol=1e-5)


def test_a_quantized_layer_too():
    layer = layers.Dense(4, activation="relu")
    x = -np.ones((2, 3), "float32")
    layer.build(x.shape)
    layer.set_weights([np.ones((3, 4)), np.zeros(4)])
    layer.quantize("int8")
    layer.activation = None
    np.testing.assert_allclose(layer(x), -3 * np.ones((2, 4)), rtol=1e-2)

"""TensorFlow's saved models as layers, against TensorFlow itself."""

import numpy as np
import pytest

import minikeras
from minikeras import layers

tf = pytest.importorskip("tensorflow")


class Model(tf.Module):
    """An affine map that counts its calls in training."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], name="kernel")
        self.calls = tf.Variable(0.0, trainable=False, name="calls")

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    def serve(self, x):
        return tf.tanh(x @ self.kernel)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    def train(self, x):
        self.calls.assign_add(1.0)
        return tf.tanh(x @ self.kernel)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    model, path = Model(), str(tmp_path_factory.mktemp("model"))
    tf.saved_model.save(model, path, signatures={"serving_default": model.serve})
    return path


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((8, 3)).astype("float32")


def test_values_and_shapes_are_tensorflows(folder, x):
    layer, model = layers.TFSMLayer(folder), Model()
    np.testing.assert_allclose(layer(x), model.serve(x), rtol=1e-6)
    assert layer(minikeras.Input((3,))).shape == (None, 2)
    named = layers.TFSMLayer(folder, call_endpoint="serving_default")(x)
    np.testing.assert_allclose(named["output_0"], model.serve(x), rtol=1e-6)


def test_it_is_trained_as_in_tensorflow(folder, x):
    y = x[:, :2]
    layer = layers.TFSMLayer(folder, call_training_endpoint="train")
    model = minikeras.Sequential([layer])
    model.compile(minikeras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    twin = Model()
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((twin.train(x) - y) ** 2)
        twin.kernel.assign_sub(0.1 * tape.gradient(loss, twin.kernel))
    kernel, calls = layer.get_weights()
    np.testing.assert_allclose(kernel, twin.kernel, rtol=1e-5)
    assert calls == 3
    assert [w.trainable for w in layer.weights] == [True, False]


def test_gradients_reach_the_layers_before(folder, x):
    layer, model = layers.TFSMLayer(folder), Model()
    slope = minikeras.grad(lambda x: minikeras.ops.sum(layer(x) ** 2))(x)
    with tf.GradientTape() as tape:
        point = tf.constant(x)
        tape.watch(point)
        loss = tf.reduce_sum(model.serve(point) ** 2)
    np.testing.assert_allclose(slope, tape.gradient(loss, point), rtol=1e-4, atol=1e-6)


def test_an_unknown_endpoint_is_refused(folder):
    with pytest.raises(ValueError, match=r"'nothing' is neither .*serving_default"):
        layers.TFSMLayer(folder, call_endpoint="nothing")


def test_a_config_is_refused_unless_it_is_trusted(folder, x):
    layer = layers.TFSMLayer(folder, name="model")
    config = layer.get_config()
    assert config["filepath"] == folder
    assert (config["call_endpoint"], config["call_training_endpoint"]) == (
        "serve",
        None,
    )
    with pytest.raises(ValueError, match="arbitrary code execution"):
        layers.TFSMLayer.from_config(config)
    again = layers.TFSMLayer.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(again(x), layer(x))

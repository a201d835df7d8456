"""Models train alike, whether their steps are compiled or run node by node."""

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras import layers
from minikeras.engine import devices
from minikeras.engine.compiler import without

pytestmark = pytest.mark.skipif(
    devices.backend() != "numpy", reason="plans are compiled on NumPy alone"
)

RNG = np.random.default_rng(20260101)
CLASSES = RNG.integers(0, 4, 40)
HOT = np.eye(4, dtype="float32")[CLASSES]
WORDS = RNG.integers(0, 30, (40, 7))
IMAGES = RNG.random((40, 10, 10, 2), dtype="float32")
STEPS = RNG.random((40, 6, 8), dtype="float32")


def words():
    return [
        layers.Embedding(30, 6, mask_zero=True),
        layers.LSTM(5, return_sequences=True),
        layers.GRU(4),
        layers.Dense(4, activation="softmax"),
    ]


def images():
    return [
        layers.ZeroPadding2D(1),
        layers.Conv2D(6, 3),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.DepthwiseConv2D(3),
        layers.MaxPooling2D(),
        layers.Conv2D(4, 3),
        layers.GroupNormalization(2),
        layers.SpatialDropout2D(0.3),
        layers.Flatten(),
        layers.Dense(4),
    ]


class Block(layers.Layer):
    """Attention and what goes with it."""

    def build(self, input_shape):
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.2)
        self.attention.build(input_shape, input_shape)

    def call(self, x, training=None):
        return x + self.attention(x, x, training=training, use_causal_mask=True)


def attention():
    return [
        Block(),
        layers.LayerNormalization(),
        layers.Dense(8, activation="gelu"),
        layers.GaussianNoise(0.1),
        layers.RMSNormalization(),
        layers.GlobalAveragePooling1D(),
        layers.Dense(4, activation="softmax"),
    ]


MODELS = {
    "words": (words, WORDS, "sparse_categorical_crossentropy", CLASSES, "accuracy"),
    "images": (images, IMAGES, "mse", HOT, "mae"),
    "attention": (
        attention,
        STEPS,
        "categorical_crossentropy",
        HOT,
        minikeras.metrics.TopKCategoricalAccuracy,
    ),
}


def trained(name, *off):
    """Return losses, metrics and weights after five steps, one of them shorter."""
    K.clear_session()
    minikeras.utils.set_random_seed(3)
    build, x, loss, y, metric = MODELS[name]
    with without("wait", *off):
        model = minikeras.Sequential([minikeras.Input(x.shape[1:]), *build()])
        optimizer = minikeras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0)
        metric = metric if isinstance(metric, str) else metric(2)
        model.compile(optimizer, loss, metrics=[metric])
        history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    return [np.array(v) for v in history.values()], model.get_weights()


@pytest.mark.parametrize("name", MODELS)
def test_a_compiled_model_trains_as_one_that_is_not(name):
    wanted = trained(name, "compile")
    for off in (("native",), ()):
        found = trained(name, *off)
        for values, others in zip(found, wanted, strict=True):
            for value, other in zip(values, others, strict=True):
                np.testing.assert_allclose(value, other, rtol=1e-5, atol=1e-6)

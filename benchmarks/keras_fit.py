"""Keras's side: the same code for minikeras and for Keras on each of its backends."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import workloads as w
from runs import OnEpoch, Work, calls


def load(framework: str, threads: int) -> tuple[Callable, str]:
    """Import a Keras with its threads; return what prepares a run, and versions."""
    if framework.startswith("minikeras"):
        keras, version = importlib.import_module("minikeras"), "minikeras"
    else:
        backend = importlib.import_module(os.environ["KERAS_BACKEND"])
        limit_threads(backend, threads)
        keras = importlib.import_module("keras")
        version = f"Keras {keras.__version__}, {backend.__name__} {backend.__version__}"
    return lambda *args: prepare(keras, *args), version


def limit_threads(backend: ModuleType, threads: int) -> None:
    """Hold a backend to its threads; JAX goes by the cores that it may run on."""
    if backend.__name__ == "torch":
        backend.set_num_threads(threads)
    elif backend.__name__ == "tensorflow":
        backend.config.threading.set_intra_op_parallelism_threads(threads)
        backend.config.threading.set_inter_op_parallelism_threads(threads)


def prepare(keras: Any, workload: w.Workload, x: Any, y: Any) -> Work:
    """Build the model; return what fits it, or predicts."""
    model = build(keras, workload)
    loss = "mse" if workload.regression else cross_entropy(keras)
    model.compile(optimizer="adam", loss=loss)
    if workload.task == "predict":
        return calls(lambda: model.predict(x[:1], verbose=0))

    def fit(steps: int, on_epoch: OnEpoch) -> None:
        class Watched(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
                self.model.stop_training = not on_epoch([logs["loss"]])

        count = steps * workload.batch
        model.fit(
            x[:count],
            y[:count],
            batch_size=workload.batch,
            epochs=1000,
            verbose=0,
            callbacks=[Watched()],
        )

    return fit


def cross_entropy(keras: Any) -> Any:
    """The loss of class numbers and logits."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build(keras: Any, workload: w.Workload) -> Any:
    """Make the functional model."""
    inputs = outputs = keras.Input(workload.inputs)
    for layer in workload.layers:
        outputs = LAYERS[type(layer)](keras.layers, layer, outputs)
    return keras.Model(inputs, outputs)


def dense(layers: Any, dense: w.Dense, x: Any) -> Any:
    """He's start keeps the signal of a thousand layers."""
    activation = "relu" if dense.relu else None
    return layers.Dense(dense.units, activation, kernel_initializer="he_uniform")(x)


def conv(layers: Any, conv: w.Conv, x: Any) -> Any:
    """A convolution with its relu."""
    return layers.Conv2D(
        conv.filters, 3, activation="relu", kernel_initializer="he_uniform"
    )(x)


def block(layers: Any, block: w.Block, x: Any) -> Any:
    """Attention and dense layers, each added to its input and normalized."""
    width = x.shape[-1]
    attended = layers.MultiHeadAttention(block.heads, width // block.heads)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    inner = dense(layers, w.Dense(block.inner), x)
    inner = dense(layers, w.Dense(width, relu=False), inner)
    return layers.LayerNormalization()(layers.Add()([x, inner]))


LAYERS = {
    w.Dense: dense,
    w.Conv: conv,
    w.Pool: lambda layers, _, x: layers.MaxPooling2D(2)(x),
    w.Flatten: lambda layers, _, x: layers.Flatten()(x),
    w.LSTM: lambda layers, lstm, x: layers.LSTM(lstm.units)(x),
    w.Block: block,
    w.Mean: lambda layers, _, x: layers.GlobalAveragePooling1D()(x),
}

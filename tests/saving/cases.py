"""Models that are written by one library and read by the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

Keras = Any  # real Keras, or ours


@dataclass
class Case:
    """A model, its inputs and how it is trained."""

    name: str
    make: Callable[[Keras], Any]
    inputs: tuple[tuple[int, ...], ...]  # without the batch
    whole: int | None = None  # inputs are whole numbers below this
    optimizer: Callable[[Keras], Any] = lambda keras: "adam"
    legacy: bool = True  # whether an .h5 file can hold it


def data(case: Case, rng: np.random.Generator, rows: int = 8) -> list[Any]:
    if case.whole:
        return [rng.integers(0, case.whole, (rows, *shape)) for shape in case.inputs]
    return [
        rng.standard_normal((rows, *shape)).astype("float32") for shape in case.inputs
    ]


def mlp(keras: Keras) -> Any:
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="relu", kernel_regularizer="l2"),
            keras.layers.Dropout(0.2),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(3, activation="softmax"),
        ],
        name="mlp",
    )


def unbuilt_input(keras: Keras) -> Any:
    model = keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(2)])
    model.build((None, 4))
    return model


def branches(keras: Keras) -> Any:
    layers = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, activation="tanh", name="shared")
    joined = layers.Concatenate()([shared(a), shared(b), layers.Add()([a, b])])
    return keras.Model([a, b], [layers.Dense(2, name="out")(joined), joined])


def nested(keras: Keras) -> Any:
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(6), layers.ReLU()])
    x = keras.Input((4,))
    h = layers.Dense(4)(x)
    head = keras.Sequential([keras.Input((6,)), layers.Dense(2)], name="head")
    return keras.Model(x, head(inner(h)))


def convolutions(keras: Keras) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.SeparableConv2D(4, 3),
            layers.Conv2DTranspose(2, 2),
            layers.GroupNormalization(2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


def recurrent(keras: Keras) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.RNN(
                [layers.GRUCell(3), layers.SimpleRNNCell(4)], return_sequences=True
            ),
            layers.TimeDistributed(layers.Dense(3)),
            layers.GRU(2),
        ]
    )


def attention(keras: Keras) -> Any:
    layers = keras.layers
    x = keras.Input((6,), dtype="int32")
    h = layers.Embedding(11, 8)(x)
    y = layers.MultiHeadAttention(2, 4)(h, h)
    h = layers.LayerNormalization()(layers.Add()([h, y]))
    h = layers.EinsumDense("abc,cd->abd", (6, 5), bias_axes="d")(h)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(h)))


def half(keras: Keras) -> Any:
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, dtype="bfloat16"),
            keras.layers.Dense(3, dtype="mixed_bfloat16"),
            keras.layers.Dense(2, dtype="float16"),
        ]
    )


def with_arguments(keras: Keras) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(
                6,
                activation=layers.LeakyReLU(0.1),
                kernel_initializer=keras.initializers.HeNormal(seed=3),
                bias_constraint=keras.constraints.MaxNorm(2.0),
                activity_regularizer=keras.regularizers.L1(1e-3),
            ),
            layers.PReLU(),
            layers.UnitNormalization(),
            layers.Dense(2, use_bias=False, trainable=False),
        ]
    )


def sgd_schedule(keras: Keras) -> Any:
    schedules = keras.optimizers.schedules
    rate = schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.9)
    return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)


CASES = [
    Case("mlp", mlp, ((4,),)),
    Case("built later", unbuilt_input, ((4,),), optimizer=sgd_schedule),
    Case("branches", branches, ((4,), (4,))),
    Case("nested", nested, ((4,),), optimizer=lambda k: k.optimizers.RMSprop(0.01)),
    Case("convolutions", convolutions, ((8, 8, 2),), optimizer=lambda k: "nadam"),
    Case("recurrent", recurrent, ((5, 3),)),
    Case("attention", attention, ((6,),), whole=11),
    Case("halves", half, ((4,),), legacy=False),
    Case(
        "arguments",
        with_arguments,
        ((4,),),
        optimizer=lambda k: k.optimizers.AdamW(0.01, clipnorm=1.0, use_ema=True),
    ),
]


def trained(case: Case, keras: ModuleType, x: list[Any], steps: int = 2) -> Any:
    """Return the model, compiled, after some steps on `x`."""
    model = case.make(keras)
    model.compile(
        case.optimizer(keras),
        loss="mean_squared_error",
        metrics=["mae"] if len(x) == 1 else None,
    )
    for _ in range(steps):
        train(model, x)
    return model


def train(model: Any, x: list[Any]) -> float:
    y = [np.ones((len(x[0]), *out.shape[1:]), "float32") for out in model.outputs]
    given = [part[0] if len(part) == 1 else part for part in (x, y)]
    loss = model.train_on_batch(*given)
    return float(np.ravel(loss)[0])


def outputs(model: Any, x: list[Any]) -> list[Any]:
    found = model.predict(x[0] if len(x) == 1 else x, verbose=0)
    return found if isinstance(found, list) else [found]

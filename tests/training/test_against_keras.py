"""The same weights and data through real Keras and through ours: the same numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import minikeras

ROWS, FEATURES, CLASSES = 40, 4, 3


@dataclass
class Case:
    """One way to compile and fit.

    `targets` names the kind of y; what is callable in `compile` gets the library.
    """

    name: str
    targets: str
    compile: dict[str, Any]
    fit: dict[str, Any] = field(default_factory=dict)


def weights(n):
    return (np.arange(n) % 5 / 2).astype("float32")


CASES = [
    Case("sgd, mse", "real", {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]}),
    Case(
        "momentum, two targets",
        "pair",
        {
            "optimizer": lambda lib: lib.optimizers.SGD(0.05, momentum=0.9),
            "loss": lambda lib: lib.losses.MeanAbsoluteError(),
            "metrics": ["mse", "mape"],
        },
        {"validation_split": 0.2},
    ),
    Case(
        "adam, sparse classes, accuracy",
        "sparse",
        {
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        {"validation_data": "same"},
    ),
    Case(
        "one-hot classes, class weights",
        "one-hot",
        {
            "optimizer": "rmsprop",
            "loss": "categorical_crossentropy",
            "metrics": ["acc"],
            "weighted_metrics": ["accuracy", "categorical_crossentropy"],
        },
        {"class_weight": {0: 0.5, 2: 3.0}},
    ),
    Case(
        "sparse classes, class weights",
        "sparse",
        {"optimizer": "adamw", "loss": "crossentropy", "weighted_metrics": ["acc"]},
        {"class_weight": {1: 2.0}},
    ),
    Case(
        "binary, sample weights",
        "binary",
        {
            "optimizer": lambda lib: lib.optimizers.Adam(0.01, clipnorm=0.5),
            "loss": "binary_crossentropy",
            "metrics": ["accuracy"],
            "weighted_metrics": ["accuracy", "mse"],
        },
        {"sample_weight": weights(ROWS), "validation_split": 0.2},
    ),
    Case(
        "huber, weights in a column",
        "real",
        {
            "optimizer": "nadam",
            "loss": lambda lib: lib.losses.Huber(delta=0.5),
            "weighted_metrics": lambda lib: [lib.metrics.RootMeanSquaredError()],
        },
        {"sample_weight": weights(ROWS)[:, None]},
    ),
    Case(
        "a loss that sums",
        "real",
        {
            "optimizer": lambda lib: lib.optimizers.SGD(1e-3),
            "loss": lambda lib: lib.losses.MeanSquaredError(reduction="sum"),
            "loss_weights": 0.5,
        },
    ),
    Case(
        "metrics with several numbers, one twice",
        "one-hot",
        {
            "optimizer": "sgd",
            "loss": "categorical_crossentropy",
            "metrics": lambda lib: [
                lib.metrics.AUC(),
                lib.metrics.Precision(),
                "mae",
                lib.metrics.MeanAbsoluteError(name="mae"),
            ],
        },
    ),
    Case(
        "validation by weights, in smaller batches, every second epoch",
        "real",
        {"optimizer": "sgd", "loss": "mae", "weighted_metrics": ["mse"]},
        {
            "validation_data": "weighted",
            "validation_batch_size": 8,
            "validation_freq": 2,
        },
    ),
    Case(
        "some steps of an epoch at a time",
        "real",
        {"optimizer": "sgd", "loss": "mse"},
        {"steps_per_epoch": 1, "validation_data": "same", "validation_steps": 2},
    ),
    Case("targets without a last axis", "flat", {"optimizer": "sgd", "loss": "mse"}),
]

UNITS = {"real": 1, "flat": 1, "pair": 2, "sparse": 3, "one-hot": 3, "binary": 1}
ACTIVATIONS = {"sparse": "softmax", "one-hot": "softmax", "binary": "sigmoid"}


def data(targets):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(ROWS, FEATURES)).astype("float32")
    labels = rng.integers(0, CLASSES, ROWS)
    y = {
        "real": rng.normal(size=(ROWS, 1)),
        "flat": rng.normal(size=ROWS),
        "pair": rng.normal(size=(ROWS, 2)),
        "sparse": labels,
        "one-hot": np.eye(CLASSES)[labels],
        "binary": (labels > 0).astype("float64"),
    }
    return x, y[targets]


def arrays():
    rng = np.random.default_rng(3)
    return lambda *shape: rng.normal(size=shape).astype("float32") * 0.4


def network(lib, targets):
    units, activation = UNITS[targets], ACTIVATIONS.get(targets)
    return lib.Sequential(
        [
            lib.layers.Dense(6, activation="tanh", kernel_regularizer="l2"),
            lib.layers.Dense(units, activation=activation),
        ]
    )


def resolved(lib, arguments):
    return {k: v(lib) if callable(v) else v for k, v in arguments.items()}


def fitted(lib, case):
    """Return history, evaluation and so on."""
    x, y = data(case.targets)
    model = network(lib, case.targets)
    model.build((None, FEATURES))
    make = arrays()
    model.set_weights([make(*w.shape) for w in model.get_weights()])
    model.compile(**resolved(lib, case.compile), jit_compile=False)  # quicker, here
    fit = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0} | case.fit
    held_out = {"same": (x, y), "weighted": (x, y, weights(ROWS))}
    if "validation_data" in fit:
        fit["validation_data"] = held_out[fit["validation_data"]]
    history = model.fit(x, y, **fit)
    predicted = model.predict(x, batch_size=16, verbose=0)
    evaluated = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    trained = model.train_on_batch(x[:16], y[:16], return_dict=True)
    tested = model.test_on_batch(x[:16], y[:16], return_dict=True)
    return predicted, history.history, evaluated, trained, tested


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_numbers_are_those_of_keras(case, keras):
    (predicted, *logs), (wanted, *wanted_logs) = (
        fitted(minikeras, case),
        fitted(keras, case),
    )
    np.testing.assert_allclose(predicted, wanted, rtol=1e-4, atol=1e-6)
    for got, want in zip(logs, wanted_logs, strict=True):
        assert list(got) == list(want)
        for name, value in got.items():
            np.testing.assert_allclose(value, want[name], 1e-4, 1e-6, err_msg=name)

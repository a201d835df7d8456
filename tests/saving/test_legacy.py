"""Files in the layout of Keras 2, written here by hand as that wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Model, Sequential, load_model

GLOROT = {"class_name": "GlorotUniform", "config": {"seed": None}}
ZEROS = {"class_name": "Zeros", "config": {}}


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    own = {"name": name, "trainable": True, "dtype": "float32", **config}
    return {"class_name": class_name, "config": own}


def dense(name: str, units: int, **config: Any) -> dict[str, Any]:
    rules = {"kernel_initializer": GLOROT, "bias_initializer": ZEROS}
    return layer("Dense", name, units=units, activation="relu", **rules, **config)


def sequential() -> dict[str, Any]:
    first = layer(
        "InputLayer",
        "dense_input",
        batch_input_shape=[None, 3],
        sparse=False,
        ragged=False,
    )
    norm = layer(
        "BatchNormalization",
        "norm",
        axis=[1],
        momentum=0.9,
        epsilon=0.001,
        gamma_initializer={"class_name": "Ones", "config": {}},
    )
    hidden = dense("dense", 4, batch_input_shape=[None, 3])
    inner = [first, hidden, norm, dense("dense_1", 2)]
    return {"class_name": "Sequential", "config": {"name": "s", "layers": inner}}


def functional() -> dict[str, Any]:
    def called(config: dict[str, Any], *nodes: list[list[Any]]) -> dict[str, Any]:
        named = {"name": config["config"]["name"], "inbound_nodes": list(nodes)}
        return {**config, **named}

    first = layer("InputLayer", "x", batch_input_shape=[None, 3], sparse=False)
    inner = [
        called(first),
        called(dense("a", 3), [["x", 0, 0, {}]], [["a", 0, 0, {}]]),
        called(layer("Add", "add"), [["x", 0, 0, {}], ["a", 1, 0, {}]]),
        called(dense("b", 2), [["add", 0, 0, {}]]),
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "m", "layers": inner, **ends}}


TRAINING = {
    "optimizer_config": {
        "class_name": "Adam",
        "config": {
            "name": "Adam",
            "learning_rate": 0.25,
            "decay": 0.0,
            "beta_1": 0.8,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "amsgrad": False,
            "jit_compile": False,
            "is_legacy_optimizer": False,
        },
    },
    "loss": {
        "class_name": "MeanSquaredError",
        "config": {"reduction": "auto", "name": "mean_squared_error"},
    },
    "metrics": [
        [
            {
                "class_name": "MeanMetricWrapper",
                "config": {"name": "mae", "dtype": "float32", "fn": "mae"},
            }
        ]
    ],
    "weighted_metrics": None,
    "loss_weights": None,
}


def written(
    path: Path, config: dict[str, Any], weights: dict[str, dict[str, Any]]
) -> Path:
    """Write a file as Keras 2 does; weights go by layer, and then by name."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps(TRAINING).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, values in weights.items():
            own = group.create_group(name)
            own.attrs["weight_names"] = [f"{name}/{k}:0".encode() for k in values]
            for key, value in values.items():
                own[f"{name}/{key}:0"] = value
    return path


def values_of(rng: np.random.Generator, **shapes: Any) -> dict[str, Any]:
    return {k: rng.random(shape).astype("float32") for k, shape in shapes.items()}


def test_a_sequential_model_of_keras_2(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    four = {"gamma": 4, "beta": 4, "moving_mean": 4, "moving_variance": 4}
    weights = {
        "dense": values_of(rng, kernel=(3, 4), bias=(4,)),
        "norm": values_of(rng, **four),
        "dense_1": values_of(rng, kernel=(4, 2), bias=(2,)),
    }
    path = written(tmp_path / "m.h5", sequential(), weights)
    model = load_model(path)
    x = rng.standard_normal((6, 3)).astype("float32")
    a, n, b = weights.values()
    h = np.maximum(x @ a["kernel"] + a["bias"], 0)
    h = (h - n["moving_mean"]) / np.sqrt(n["moving_variance"] + 0.001)
    h = h * n["gamma"] + n["beta"]
    want = np.maximum(h @ b["kernel"] + b["bias"], 0)
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-5, atol=1e-5)
    assert float(model.optimizer.learning_rate) == 0.25
    assert model.optimizer.beta_1 == 0.8
    logs = model.evaluate(x, want, verbose=0, return_dict=True)
    assert set(logs) == {"loss", "mae"}
    model.load_weights(path, by_name=True)


def test_a_functional_model_of_keras_2(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    weights = {
        "x": {},
        "a": values_of(rng, kernel=(3, 3), bias=(3,)),
        "add": {},
        "b": values_of(rng, kernel=(3, 2), bias=(2,)),
    }
    model = load_model(written(tmp_path / "m.h5", functional(), weights))
    x = rng.standard_normal((6, 3)).astype("float32")
    a, b = weights["a"], weights["b"]
    h = np.maximum(x @ a["kernel"] + a["bias"], 0)
    h = x + np.maximum(h @ a["kernel"] + a["bias"], 0)
    want = np.maximum(h @ b["kernel"] + b["bias"], 0)
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-5)


def test_code_in_a_lambda_of_keras_2_is_refused(tmp_path: Path) -> None:
    code = layer("Lambda", "code", function=["4wEAAAA=", None, None])
    config = sequential()
    config["config"]["layers"][2] = code
    with pytest.raises(ValueError, match="arbitrary code execution"):
        load_model(written(tmp_path / "m.h5", config, {}), safe_mode=False)


def two(units: int, name: str = "b") -> Sequential:
    return Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, name="a"),
            layers.Dense(units, name=name),
        ]
    )


def test_layers_by_name_and_by_place(tmp_path: Path) -> None:
    model, path = two(2), tmp_path / "m.h5"
    model.save(path)
    renamed = two(2, "c")
    before = renamed.layers[1].get_weights()
    renamed.load_weights(path, by_name=True)
    np.testing.assert_array_equal(renamed.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(renamed.layers[1].get_weights()[0], before[0])
    renamed.load_weights(path)
    np.testing.assert_array_equal(renamed.get_weights()[2], model.get_weights()[2])


def test_what_does_not_fit_is_said_or_skipped(tmp_path: Path) -> None:
    path, other = tmp_path / "m.h5", two(5)
    two(2).save(path)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"Shape mismatch in layer #1 \(named b"):
        other.load_weights(path)
    for old, new in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.warns(UserWarning, match="Skipping loading weights: Shape mismatch"):
        other.load_weights(path, skip_mismatch=True)
    assert (other.get_weights()[0] != before[0]).any()
    shallow = Sequential([layers.Input((3,)), layers.Dense(4)])
    with pytest.raises(ValueError, match="Model expected 1 layers, found 2 saved"):
        shallow.load_weights(path)


def test_long_lists_of_names_are_split(tmp_path: Path) -> None:
    x = layers.Input((2,))
    y = x
    for i in range(120):
        y = layers.Dense(2, name=f"{'long' * 150}_{i}")(y)
    model = Model(x, y)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert "layer_names0" in file["model_weights"].attrs
    found = load_model(tmp_path / "m.h5")
    for a, b in zip(model.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

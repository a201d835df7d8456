"""Operators and functions of `ops` between layers: configs and files as in Keras."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
import pytest
from keras.src import activations as keras_activations
from keras.src.ops import core, einops, image, linalg, math, nn
from keras.src.ops import numpy as keras_numpy

import minikeras
from minikeras import backend as K
from minikeras import layers, ops
from minikeras.layers import plain

MODULES = [core, einops, image, linalg, math, nn, keras_numpy]
MODULES.append(keras_activations.activations)
CLASSES = {
    name: cls
    for module in MODULES
    for name, cls in vars(module).items()
    if inspect.isclass(cls)
    and issubclass(cls, keras.Operation)
    and cls.__module__ == module.__name__
    and name != "SegmentReduction"  # the base of others
}


@pytest.fixture(autouse=True)
def _fresh_names() -> None:
    keras.utils.clear_session(free_memory=False)
    minikeras.utils.clear_session(free_memory=False)


def test_every_class_of_keras_is_here_in_its_module() -> None:
    assert plain.homes == {name: cls.__module__ for name, cls in CLASSES.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_settings_and_operands_are_those_of_keras(name: str) -> None:
    cls = CLASSES[name]
    own = plain.operation_class(name)
    _, *init = inspect.signature(cls.__init__).parameters.values()
    _, *call = inspect.signature(cls.call).parameters.values()
    settings = [p.name for p in init if p.name not in ("name", "rms_scaling")]
    assert [
        k for k in own.settings.parameters if k != "kwargs" or k in settings
    ] == settings
    assert [*own.operands.parameters] == [p.name for p in call]


def arithmetic(lib: Any, x: Any, y: Any) -> Any:
    z = (x + y) * 2.0 - 1 / (lib.ops.abs(x) + 1)
    return (2 - z) ** 2 % 3 // 1 + (-y) * (x > y) + lib.ops.cast(x >= 0, "float32")


def indexing(lib: Any, x: Any, y: Any) -> Any:
    return lib.ops.concatenate([x[:, 1:3], y[..., ::2], x[:, 2:][:, -1:]], axis=-1)


def shaping(lib: Any, x: Any, y: Any) -> Any:
    z = lib.ops.stack([x, y], axis=1)
    z = lib.ops.transpose(z, (0, 2, 1))
    z = lib.ops.reshape(z, (-1, 2, 6))
    first, second = lib.ops.split(z, 2, axis=1)
    z = lib.ops.squeeze(first, axis=1) @ np.ones((6, 3), "float32")
    return lib.ops.repeat(z, 2, axis=-1) + lib.ops.max(second, axis=(1, 2))[:, None]


def reducing(lib: Any, x: Any, y: Any) -> Any:
    mean = lib.ops.mean(x, axis=-1, keepdims=True)
    z = lib.ops.where(x > mean, x, y)
    z = lib.ops.einsum("ij,ij->i", z, lib.ops.clip(y, -1, 1))
    return lib.ops.expand_dims(z, -1) + lib.ops.logsumexp(x, axis=1, keepdims=True)


def networks(lib: Any, x: Any, y: Any) -> Any:
    z = lib.activations.relu(x, negative_slope=0.1) + lib.activations.gelu(y)
    z = lib.ops.softmax(z) + lib.ops.gelu(z) + lib.activations.silu(z * 0.1)
    return lib.ops.leaky_relu(z, negative_slope=0.3) + lib.activations.elu(z)


def branches(lib: Any, x: Any, y: Any) -> Any:
    a, b = lib.layers.Dense(4, name="one")(x), lib.layers.Dense(4, name="two")(x + y)
    z = lib.layers.Add()([a, b]) + lib.ops.maximum(a, b)
    return lib.layers.Dense(2, name="three")(z * lib.ops.sigmoid(b))


BODIES = [arithmetic, indexing, shaping, reducing, networks, branches]


def model_of(lib: Any, body: Any) -> Any:
    x, y = lib.Input((6,), name="x"), lib.Input((6,), name="y")
    return lib.Model([x, y], body(lib, x, y), name="m")


def values() -> list[np.ndarray]:
    draw = np.random.default_rng(3)
    return [draw.normal(size=(4, 6)).astype("float32") for _ in range(2)]


def plain_json(config: Any) -> Any:
    return json.loads(json.dumps(config, default=str))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_config_is_that_of_keras(body: Any) -> None:
    ours, theirs = model_of(minikeras, body), model_of(keras, body)
    mine, wanted = (plain_json(m.get_config())["layers"] for m in (ours, theirs))
    assert [c["name"] for c in mine] == [c["name"] for c in wanted]
    assert mine == wanted


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
@pytest.mark.parametrize("writer", [keras, minikeras], ids=["keras", "minikeras"])
def test_files_move_both_ways(writer: Any, body: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "model.keras")
    written = model_of(writer, body)
    written.save(path)
    wanted = np.asarray(written.predict(values(), verbose=0))
    for reader in (minikeras, keras):
        read = reader.models.load_model(path)
        found = np.asarray(read.predict(values(), verbose=0))
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_a_clone_computes_the_same(body: Any) -> None:
    model = model_of(minikeras, body)
    clone = minikeras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    again = minikeras.Model.from_config(clone.get_config())
    again.set_weights(model.get_weights())
    for other in (clone, again):
        found, wanted = (m.predict(values(), verbose=0) for m in (other, model))
        np.testing.assert_array_equal(found, wanted)


def test_picks_by_a_list_survive_a_file(tmp_path: Any) -> None:
    x = minikeras.Input((6,))
    model = minikeras.Model(x, [x[:, [0, 5, 2]], x[[1, 0]], x[1, 0:2]])
    model.save(tmp_path / "m.keras")
    read = minikeras.models.load_model(tmp_path / "m.keras")
    given = values()[0]
    first, second, third = (np.asarray(y) for y in read(given))
    np.testing.assert_array_equal(first, given[:, [0, 5, 2]])
    np.testing.assert_array_equal(second, given[[1, 0]])
    np.testing.assert_array_equal(third, given[1, 0:2])


def test_a_shared_layer_is_written_with_the_calls_of_the_model_alone() -> None:
    shared = layers.Dense(3)
    first = minikeras.Input((6,))
    minikeras.Model(first, shared(first))
    x = minikeras.Input((6,))
    model = minikeras.Model(x, shared(x) + shared(x * 2))
    read = minikeras.Model.from_config(model.get_config())
    read.set_weights(model.get_weights())
    given = values()[0]
    np.testing.assert_array_equal(read(given), model(given))


def test_a_setting_that_is_a_tensor_is_a_part_of_no_file() -> None:
    x = minikeras.Input((6,))
    model = minikeras.Model(x, ops.reshape(x, (K.shape(x)[0] * 2, 3)))
    given = values()[0]
    np.testing.assert_array_equal(model(given), given.reshape(8, 3))
    with pytest.raises(NotImplementedError, match="by a function which files"):
        model.get_config()


@pytest.mark.parametrize("name", ["exponential", "mish", "linear"])
def test_activations_that_keras_has_no_operation_for(name: str) -> None:
    x = minikeras.Input((6,))
    model = minikeras.Model(x, getattr(minikeras.activations, name)(x))
    read = minikeras.Model.from_config(model.get_config())
    wanted = getattr(keras.activations, name)(values()[0])
    np.testing.assert_allclose(read(values()[0]), wanted, rtol=2e-6)


def test_within_a_layer_functions_just_compute() -> None:
    class Twice(layers.Layer):
        def call(self, x: Any) -> Any:
            return ops.add(x, x) + x

    x = minikeras.Input((6,))
    model = minikeras.Model(x, Twice()(x))
    assert [type(op).__name__ for op in model.operations] == ["InputLayer", "Twice"]


def test_an_operation_by_hand_computes_and_joins() -> None:
    mean = plain.Mean(axis=-1, keepdims=True)
    given = values()[0]
    np.testing.assert_allclose(mean(given), given.mean(-1, keepdims=True), rtol=1e-6)
    x = minikeras.Input((6,))
    model = minikeras.Model(x, mean(x))
    assert model.operations[-1] is mean
    assert mean.get_config() == {"name": "mean", "axis": -1, "keepdims": True}


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(AttributeError, match="no function of `ops`"):
        plain.operation_class("Means")
    with pytest.raises(TypeError, match="axes"):
        plain.operation_class("Mean")(axes=1)


def test_an_unused_input_stays_an_input() -> None:
    def of(lib: Any) -> Any:
        a, b = lib.Input((3,), name="a"), lib.Input((3,), name="b")
        return lib.Model({"a": a, "b": b}, a * 2)

    ours, theirs = of(minikeras), of(keras)
    assert plain_json(ours.get_config()) == plain_json(theirs.get_config())
    read = minikeras.Model.from_config(ours.get_config())
    given = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(read({"a": given, "b": given}), given * 2)


def test_configs_of_keras_2_are_read_and_loops_refused() -> None:
    def config(*nodes: tuple[str, str]) -> dict[str, Any]:
        first = {"batch_input_shape": [None, 4], "dtype": "float32", "name": "x"}
        row = {"class_name": "InputLayer", "name": "x", "config": first}
        dense = [
            {
                "class_name": "Dense",
                "name": name,
                "config": {"units": 4, "name": name},
                "inbound_nodes": [[[before, 0, 0, {}]]],
            }
            for name, before in nodes
        ]
        return {
            "name": "m",
            "layers": [{**row, "inbound_nodes": []}, *dense],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["b", 0, 0]],
        }

    read = minikeras.Model.from_config(config(("b", "a"), ("a", "x")))
    assert [layer.name for layer in read.layers] == ["x", "a", "b"]
    with pytest.raises(ValueError, match="form loops"):
        minikeras.Model.from_config(config(("b", "a"), ("a", "b")))
    with pytest.raises(ValueError, match="Missing node: c"):
        minikeras.Model.from_config(config(("b", "c")))

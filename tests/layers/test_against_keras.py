"""Every layer does what Keras's does: arguments, weights, values, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from tests.layers.cases import CASES, Case

# What Keras writes for features that minikeras has not, or writes in two ways.
NOT_COMPARED = {
    "name",
    "quantization_config",
    "synchronized",
}

# One case of each layer whose gradients can be compared.
SMOOTH = {c.layer: c for c in CASES if not (c.random or c.integers)}.values()

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(scope="module")
def keras() -> Any:
    import keras

    return keras


def inputs_of(case: Case, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if case.integers:
        arrays = [rng.integers(0, case.integers, shape) for shape in case.shapes]
    else:
        arrays = [rng.normal(size=s).astype("float32") for s in case.shapes]
    return arrays if case.listed else arrays[0]


def shapes_of(case: Case, open_axes: tuple[int, ...] = ()) -> Any:
    shapes = [
        tuple(None if i in open_axes else n for i, n in enumerate(shape))
        for shape in case.shapes
    ]
    return shapes if case.listed else shapes[0]


def ours(case: Case) -> layers.Layer:
    return getattr(layers, case.layer)(**case.args)


_pairs: dict[str, tuple[layers.Layer, Any]] = {}


def pair_of(keras: Any, case: Case) -> tuple[layers.Layer, Any]:
    """Return the layer of each library, built, with the same random weights."""
    if case.id not in _pairs:
        quick = {k: "zeros" for k in ours(case).get_config() if "_initializer" in k}
        args = {**quick, **case.args}
        theirs = getattr(keras.layers, case.layer)(**args)
        own = getattr(layers, case.layer)(**args)
        theirs(inputs_of(case))
        own(inputs_of(case))
        _pairs[case.id] = own, theirs
    own, theirs = _pairs[case.id]
    rng = np.random.default_rng(1)
    values = [rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in theirs.weights]
    theirs.set_weights(values)
    own.set_weights(values)
    if hasattr(theirs, "finalize_state"):
        theirs.finalize_state()
    return own, theirs


def comparable(config: Any) -> Any:
    """Return a config without module names, absent values and kinds of sequences.

    Keras passes some numbers through float32.
    """
    if isinstance(config, float):
        return float(f"{config:.6g}")
    if isinstance(config, dict):
        if "class_name" in config:
            config = {k: config[k] for k in ("class_name", "config")}
            if config["class_name"] == "DTypePolicy":
                return config["config"]["name"]
        kept = {k: comparable(v) for k, v in config.items() if k not in NOT_COMPARED}
        return {k: v for k, v in kept.items() if v is not None}
    if isinstance(config, (list, tuple)):
        return [comparable(part) for part in config]
    return config


def close(a: Any, b: Any, tolerance: float = 2e-5) -> None:
    np.testing.assert_allclose(a, np.asarray(b), rtol=tolerance, atol=tolerance)


@each_case
def test_the_config_is_that_of_keras(keras, case):
    theirs = comparable(getattr(keras.layers, case.layer)(**case.args).get_config())
    own = comparable(ours(case).get_config())
    assert own == {k: v for k, v in theirs.items() if k in own or k != "trainable"}


@each_case
def test_a_config_makes_the_same_layer(case):
    layer = ours(case)
    config = layers.serialize(layer)
    again = layers.deserialize(config)
    assert type(again) is type(layer)
    assert layers.serialize(again) == config


@each_case
def test_weights_have_the_names_and_shapes_of_keras(keras, case):
    own, theirs = pair_of(keras, case)

    def described(layer, weights):
        return [(w.path.split("/", 1)[1], tuple(w.shape), w.trainable) for w in weights]

    assert described(own, own.weights) == described(theirs, theirs.weights)
    assert len(own.trainable_weights) == len(theirs.trainable_weights)


@each_case
def test_outputs_are_those_of_keras(keras, case):
    own, theirs = pair_of(keras, case)
    x = inputs_of(case)
    for training in (False, True):
        if training and case.random:
            continue
        takes = {"training": training}
        y = own(x, **takes)
        # Keras gives `training` to those layers only that take it.
        given = takes if "training" in theirs.call.__code__.co_varnames else {}
        z = theirs(x, **given)
        assert y.dtype == "float32"
        close(y, z)
        close(own.losses, theirs.losses)
        for v, w in zip(own.weights, theirs.weights, strict=True):
            close(v.numpy(), w)


@each_case
def test_shapes_are_known_before_the_run(keras, case):
    for open_axes in ((), (0,), case.open_axes):
        shapes = shapes_of(case, open_axes)
        theirs = getattr(keras.layers, case.layer)(**case.args)
        want = tuple(theirs.compute_output_shape(shapes))
        assert ours(case).compute_output_shape(shapes) == want
        listed = shapes if case.listed else [shapes]
        symbols = [layers.Input(batch_shape=shape) for shape in listed]
        y = ours(case)(symbols if case.listed else symbols[0])
        assert tuple(y.shape) == want


@pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.id)
def test_gradients_are_those_of_keras(keras, case):
    import jax

    own, theirs = pair_of(keras, case)
    x = inputs_of(case)
    weight = np.random.default_rng(2).normal(size=own(x).shape).astype("float32")

    @K.function
    def slopes(x):
        loss = K.sum(own(x, training=True) * weight)
        return K.gradients(loss, [*own.trainable_variables, *K.tree.flatten(x)])

    def loss(trained, x):
        others = [v.value for v in theirs.non_trainable_variables]
        takes = "training" in theirs.call.__code__.co_varnames
        y, _ = theirs.stateless_call(
            trained, others, x, **({"training": True} if takes else {})
        )
        return (y * weight).sum()

    trained = [v.value for v in theirs.trainable_variables]
    by_weight, by_input = jax.grad(loss, argnums=(0, 1))(trained, x)
    found = slopes(x)
    assert len(found) == len(by_weight) + len(case.shapes)
    expected = [*by_weight, *(by_input if case.listed else [by_input])]
    for got, want in zip(found, expected, strict=True):
        close(got, want, 2e-4)


MIXED = [
    ("Dense", {"units": 3}, (2, 4)),
    ("Conv2D", {"filters": 2, "kernel_size": 2}, (2, 4, 4, 3)),
    ("BatchNormalization", {}, (8, 4)),
    ("LayerNormalization", {}, (2, 4)),
    ("GroupNormalization", {"groups": 2}, (2, 4)),
    ("LSTM", {"units": 3}, (2, 5, 4)),
    ("PReLU", {}, (2, 4)),
]


@pytest.mark.parametrize("name, args, shape", MIXED)
def test_mixed_precision_is_that_of_keras(keras, rng, name, args, shape):
    x = rng.normal(size=shape).astype("float32")
    both = [
        getattr(room, name)(**args, dtype="mixed_float16")
        for room in (layers, keras.layers)
    ]
    for layer in both:
        layer(x)
    own, theirs = both
    own.set_weights(theirs.get_weights())
    y = own(x, training=True)
    takes = {"training": True} if name in ("BatchNormalization", "LSTM") else {}
    z = np.asarray(theirs(x, **takes))
    assert y.dtype == z.dtype == np.float16
    assert {w.dtype for w in own.weights} == {"float32"}
    close(y, z, 2e-3)
    for v, w in zip(own.weights, theirs.weights, strict=True):
        close(v.numpy(), w, 2e-3)


def test_gradients_of_mixed_precision_have_the_dtype_of_the_weights(rng):
    layer = layers.Dense(3, dtype="mixed_float16")
    x = rng.normal(size=(2, 4)).astype("float32")
    layer(x)
    slopes = K.function(lambda x: K.gradients(K.sum(layer(x)), layer.weights))(x)
    assert {g.dtype for g in slopes} == {np.dtype("float32")}
    close(slopes[0], np.repeat(x.sum(0)[:, None], 3, 1), 2e-3)

"""Activations against Keras's own, by name."""

import inspect
import pickle
import re

import numpy as np
import pytest

from minikeras import activations
from minikeras import backend as K

X = np.linspace(-8.0, 8.0, 24, dtype="float32").reshape(4, 6)

# What a call needs beside x, or other arguments than the defaults.
CASES = [
    *((name, {}) for name in activations.__all__ if name[-3:] != "ize"),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"negative_slope": 0.2, "max_value": 3.0, "threshold": 1.5}),
    ("relu", {"threshold": 2.0}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("squareplus", {"b": 2}),
]
CASES = [case for case in CASES if case[0] not in ("get", "sparsemax", "threshold")]


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_values_are_those_of_keras(keras, name, kwargs):
    theirs = getattr(keras.activations, name)
    ours = getattr(activations, name)
    found = ours(X, **kwargs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, theirs(X, **kwargs), rtol=2e-5, atol=2e-6)


def test_sparsemax_is_the_nearest_point_with_sum_one(rng):
    # Keras 3.15's own is wrong where there is more than one row.
    found = activations.sparsemax(X / 4)
    np.testing.assert_allclose(found.sum(-1), 1.0, rtol=1e-6)
    distance = np.sum((found - X / 4) ** 2, -1)
    for _ in range(50):
        other = rng.dirichlet(np.ones(6), 4)
        assert (distance <= np.sum((other - X / 4) ** 2, -1) + 1e-6).all()


def test_threshold_is_that_of_keras(keras):
    wanted = keras.activations.threshold(X, 1.0, -2.0)
    np.testing.assert_array_equal(activations.threshold(X, 1.0, -2.0), wanted)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES} | {"threshold"}))
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    ours = inspect.signature(getattr(activations, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.activations, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


def test_every_activation_of_keras_is_here(keras):
    theirs = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert theirs <= set(activations.__all__)


def test_tensors_stay_symbolic():
    x = K.placeholder((None, 3))
    for name in ("relu", "softmax", "gelu", "linear"):
        y = activations.get(name)(x)
        assert K.is_symbolic(y)
        assert y.shape == (None, 3)


class TestGet:
    def test_by_name_or_none_or_itself(self):
        assert activations.get("relu") is activations.relu
        assert activations.get("swish") is activations.silu
        assert activations.get(None) is activations.linear
        assert activations.get(np.tanh) is np.tanh

    def test_a_wrong_name_gets_a_hint(self):
        message = (
            "Could not interpret activation function identifier: 'rleu'. "
            "Did you mean 'relu'?"
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            activations.get("rleu")

    def test_what_is_no_function_is_refused(self):
        with pytest.raises(ValueError, match="activation function identifier: 3"):
            activations.get(3)


class TestConfig:
    def test_own_activations_are_names(self, keras):
        for name in ("relu", "silu", "linear", "softmax"):
            config = activations.serialize(getattr(activations, name))
            assert config == name
            assert config == keras.activations.serialize(
                getattr(keras.activations, name)
            )
            assert activations.deserialize(config) is getattr(activations, name)

    def test_a_users_function_is_found_in_its_scope(self):
        def cube(x):
            return x * x * x

        config = activations.serialize(cube)
        with K.custom_object_scope({"cube": cube}):
            assert activations.deserialize(config) is cube
            assert activations.get("cube") is cube
        with pytest.raises(TypeError, match="Could not locate function 'cube'"):
            activations.deserialize(config)

    def test_a_function_of_keras_own_form(self):
        config = {
            "module": "keras.activations",
            "class_name": "function",
            "config": "tanh",
            "registered_name": "tanh",
        }
        assert activations.get(config) is activations.tanh


def test_activations_go_through_pickles():
    for name in {name for name, _ in CASES}:
        function = getattr(activations, name)
        assert pickle.loads(pickle.dumps(function)) is function

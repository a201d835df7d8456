"""Activation functions against Keras, at their kinks and far out."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session

NAMES = [
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
]

every_function = pytest.mark.parametrize("name", NAMES)


def with_slope(function, x):
    with Graph().as_default() as graph:
        at = ops.constant(x)
        y = function(at)
        return Session(graph=graph).run([y, gradients(y, at)[0]])


@every_function
def test_values_and_slopes_are_those_of_keras(name):
    import jax
    import keras

    x = np.linspace(-9.1, 9.3, 61).astype("float32")
    room = keras.activations if name == "mish" else keras.ops
    theirs = getattr(room, name)
    slope = jax.vmap(jax.grad(lambda x: theirs(x)))
    for found, wanted in zip(
        with_slope(getattr(ops, name), x), (theirs(x), slope(x)), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=5e-6)


@every_function
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_nothing_is_lost_far_out(name, dtype):
    """Beyond where exponentials overflow, functions and slopes go on smoothly."""
    function = getattr(ops, name)
    for sign in (-1, 1):
        far = [20, 50, 100] if dtype == "float16" else [100, 1000, 10000]
        y, slope = with_slope(function, np.array([sign * x for x in far], dtype))
        assert y.dtype == slope.dtype == dtype
        assert np.isfinite(y).all()
        assert np.isfinite(slope).all()


@every_function
def test_nan_stays_nan(name):
    assert np.isnan(getattr(ops, name)(np.float32("nan")))


@every_function
def test_lists_and_numbers_will_do(name):
    function = getattr(ops, name)
    np.testing.assert_array_equal(
        function([-1.5, 0.5]), function(np.array([-1.5, 0.5], "float32"))
    )
    assert function(1.5).dtype == "float32"


def test_slopes_at_the_kinks_are_those_of_tensorflow():
    at_zero = {"relu": 0, "relu6": 0, "leaky_relu": 0.2, "elu": 1, "softsign": 1}
    for name, wanted in at_zero.items():
        _, slope = with_slope(getattr(ops, name), np.zeros(1, "float32"))
        assert slope == np.float32(wanted), name


def test_small_probabilities_keep_their_digits():
    x = np.array([-80.0, -20.0], "float32")
    np.testing.assert_allclose(ops.sigmoid(x), np.exp(x), rtol=1e-6)
    np.testing.assert_allclose(ops.softplus(x), np.exp(x), rtol=1e-6)
    np.testing.assert_array_equal(ops.log_sigmoid(x), x)

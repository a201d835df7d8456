"""Normalization against Keras, in half precision, and far from zero."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5, 6)).astype("float32")
A, B = RNG.standard_normal((2, 6)).astype("float32")
V = RNG.uniform(0.5, 2, 6).astype("float32")


def test_results_are_those_of_keras():
    import keras

    theirs = keras.ops
    for found, wanted in [
        (
            ops.batch_normalization(X, A, V, -1, B, A, 0.01),
            theirs.batch_normalization(X, A, V, -1, B, A, 0.01),
        ),
        (
            ops.batch_normalization(X.swapaxes(1, 2), A, V, 1, B, A),
            theirs.batch_normalization(X.swapaxes(1, 2), A, V, 1, B, A),
        ),
        (ops.layer_normalization(X, A, B), theirs.layer_normalization(X, A, B)),
        (
            ops.layer_normalization(X, X[0], X[1], (1, 2), 0.1),
            theirs.layer_normalization(X, X[0], X[1], axis=(1, 2), epsilon=0.1),
        ),
        (ops.rms_normalization(X, A), theirs.rms_normalization(X, A)),
        (ops.l2_normalize(X, 1), theirs.normalize(X, 1)),
        *zip(ops.moments(X, (0, 1)), theirs.moments(X, (0, 1)), strict=True),
    ]:
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_half_precision_does_not_overflow():
    x = np.array([[300, -300, 300, -300]], "float16")  # its squares are beyond 65504
    for y in (ops.layer_normalization(x), ops.rms_normalization(x)):
        assert y.dtype == "float16"
        np.testing.assert_allclose(y, np.sign(x), rtol=1e-3)
    np.testing.assert_allclose(ops.l2_normalize(x), np.sign(x) / 2, rtol=1e-3)
    mean, variance = ops.moments(x, 1)
    assert (mean, mean.dtype, variance.dtype) == (0, "float16", "float16")


def test_a_large_mean_does_not_cost_digits():
    x = (X + 4096).astype("float32")
    mean, variance = ops.moments(x, (0, 1))
    exact = x.astype("float64")
    wanted = (exact - exact.mean((0, 1))) / np.sqrt(exact.var((0, 1)) + 1e-3)
    found = ops.batch_normalization(x, mean, variance)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_what_is_zero_stays_zero():
    np.testing.assert_array_equal(ops.l2_normalize(np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(ops.layer_normalization(np.ones((2, 3))), 0)


def test_an_axis_counted_from_the_start_needs_the_rank():
    with Graph().as_default():
        x = ops.placeholder("float32", None)
        assert ops.batch_normalization(x, A, V, -1).shape is None
        with pytest.raises(ShapeError, match="axis 1 count from the end"):
            ops.batch_normalization(x, A, V, 1)

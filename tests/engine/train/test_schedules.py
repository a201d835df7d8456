"""Learning-rate schedules against their formulas in Python."""

import math

import numpy as np
import pytest

import minikeras.engine as tf

STEPS = [0, 1, 5, 9, 10, 11, 20, 25, 35]


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def along(schedule):
    """Return the schedule's values at STEPS."""
    step = tf.Variable(0, trainable=False)
    rate = schedule(step)
    assert rate.shape == ()
    with tf.Session() as session:
        return [session.run(rate, {step: n}) for n in STEPS]


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential_decay(staircase):
    found = along(lambda n: tf.train.exponential_decay(0.5, n, 10, 0.8, staircase))
    rounded = math.floor if staircase else float
    np.testing.assert_allclose(
        found, [0.5 * 0.8 ** rounded(n / 10) for n in STEPS], rtol=1e-6
    )


def test_piecewise_constant():
    found = along(lambda n: tf.train.piecewise_constant(n, [5, 20], [1.0, 0.5, 0.1]))
    expected = [1.0 if n <= 5 else 0.5 if n <= 20 else 0.1 for n in STEPS]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="2 boundaries need 3 values; got 2"):
        tf.train.piecewise_constant(0, [1, 2], [1.0, 2.0])


@pytest.mark.parametrize("power", [1.0, 0.5, 2.0])
def test_polynomial_decay(power):
    found = along(lambda n: tf.train.polynomial_decay(0.1, n, 20, 0.01, power))
    left = [1 - min(n, 20) / 20 for n in STEPS]
    np.testing.assert_allclose(found, [0.09 * x**power + 0.01 for x in left], rtol=1e-5)


def test_polynomial_decay_in_cycles():
    found = along(lambda n: tf.train.polynomial_decay(0.1, n, 10, 0.01, cycle=True))
    spans = [10 * max(1, math.ceil(n / 10)) for n in STEPS]
    left = [1 - n / span for n, span in zip(STEPS, spans, strict=True)]
    np.testing.assert_allclose(found, [0.09 * x + 0.01 for x in left], rtol=1e-5)


def test_a_schedule_can_be_named(graph):
    rate = tf.train.exponential_decay(0.5, 3, 10, 0.8, name="rate")
    assert graph.get_tensor_by_name("rate:0") is rate
    with tf.Session() as session:
        assert session.run("rate:0") == pytest.approx(0.5 * 0.8**0.3)

"""Random operations: new numbers each run, the same in each program; initializers."""

import numpy as np
import pytest
from scipy import stats

import minikeras.engine as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def draw(build, runs=1, seed=None):
    """Return what a program draws, in a graph of its own."""
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        if seed is not None:
            tf.set_random_seed(seed)
        y = build()
        return [session.run(y) for _ in range(runs)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_program_draws_the_same_numbers_every_time():
    def build():
        return tf.random_normal([5])

    first, second = draw(build, 2)
    assert not np.array_equal(first, second), "each run draws anew"
    assert same(draw(build, 2), [first, second])


def test_seeds_of_the_graph_and_of_the_operation():
    def plain():
        return tf.random_uniform([4])

    def seeded():
        return tf.random_uniform([4], seed=3)

    assert same(draw(plain, 2, seed=1), draw(plain, 2, seed=1))
    assert not same(draw(plain, seed=1), draw(plain, seed=2))
    assert not same(draw(plain), draw(plain, seed=2))
    assert same(draw(seeded), draw(seeded))
    assert not same(draw(seeded), draw(seeded, seed=1))
    assert not same(draw(seeded, seed=1), draw(plain, seed=1))


def test_two_operations_draw_differently_unless_they_have_one_seed(graph):
    a, b = tf.random_normal([3]), tf.random_normal([3])
    c, d = tf.random_normal([3], seed=1), tf.random_normal([3], seed=1)
    with tf.Session() as session:
        a, b, c, d = session.run([a, b, c, d])
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(c, d)


def test_a_value_is_drawn_once_a_run(graph):
    x = tf.random_normal([3])
    with tf.Session() as session:
        a, b = session.run([x, x + 0.0])
    np.testing.assert_array_equal(a, b)


def test_distributions():
    (normal,) = draw(lambda: tf.random_normal([20000], mean=2.0, stddev=3.0))
    assert stats.kstest(normal, "norm", (2, 3)).pvalue > 1e-3
    (uniform,) = draw(lambda: tf.random_uniform([20000], -1.0, 3.0))
    assert stats.kstest(uniform, "uniform", (-1, 4)).pvalue > 1e-3
    (cut,) = draw(lambda: tf.truncated_normal([20000], mean=1.0, stddev=0.5))
    assert stats.kstest((cut - 1) / 0.5, stats.truncnorm(-2, 2).cdf).pvalue > 1e-3
    (gamma,) = draw(lambda: tf.random_gamma([20000], alpha=2.0, beta=4.0))
    assert stats.kstest(gamma, stats.gamma(2, scale=0.25).cdf).pvalue > 1e-3
    assert normal.dtype == uniform.dtype == cut.dtype == gamma.dtype == np.float32
    (dice,) = draw(lambda: tf.random_uniform([6000], 1, 7, dtype=tf.int32))
    assert dice.dtype == np.int32
    assert stats.chisquare(np.bincount(dice, minlength=7)[1:]).pvalue > 1e-3
    (wide,) = draw(lambda: tf.random_uniform([2], dtype=tf.float64))
    assert wide.dtype == np.float64
    assert draw(lambda: tf.random_gamma([2], alpha=[1.0, 2.0, 3.0]))[0].shape == (2, 3)
    with pytest.raises(ValueError, match="maxval"):
        tf.random_uniform([2], dtype=tf.int32)


def test_random_shuffle_and_multinomial():
    rows = np.arange(20).reshape(10, 2)
    (shuffled,) = draw(lambda: tf.random_shuffle(rows))
    assert not np.array_equal(shuffled, rows)
    np.testing.assert_array_equal(shuffled[shuffled[:, 0].argsort()], rows)
    logits = np.log([[0.2, 0.8, 1e-9], [0.5, 0.25, 0.25]])
    (classes,) = draw(lambda: tf.multinomial(logits, 4000))
    assert classes.dtype == np.int64
    shares = [np.bincount(row, minlength=3) / 4000 for row in classes]
    np.testing.assert_allclose(shares, np.exp(logits), atol=0.03)


def test_a_new_sample_may_depend_on_a_shape_known_at_the_run(graph):
    n = tf.placeholder(tf.int32)
    y = tf.random_normal([n, 2], name="noise")
    assert y.shape == (None, 2)
    with tf.Session() as session:
        assert session.run("noise:0", {n: 5}).shape == (5, 2)


def test_noise_has_no_gradient_and_its_parameters_have():
    mean = tf.constant(1.0)
    y = tf.reduce_sum(tf.random_normal([4], mean, 2.0))
    with tf.Session() as session:
        assert session.run(tf.gradients(y, mean)) == [4]


# -- initializers ----------------------------------------------------------------------

SHAPE = (40, 60, 5, 6)  # fan_in 40 * 60 * 5, fan_out 40 * 60 * 6
FANS = {"fan_in": 12000, "fan_out": 14400, "fan_avg": 13200}


@pytest.mark.parametrize("mode", FANS)
@pytest.mark.parametrize(
    "distribution", ["truncated_normal", "untruncated_normal", "uniform"]
)
def test_variance_scaling(mode, distribution):
    make = tf.variance_scaling_initializer(2.0, mode, distribution)
    (value,) = draw(lambda: make(SHAPE))
    assert value.var() == pytest.approx(2 / FANS[mode], rel=0.05)
    limits = {
        "uniform": np.sqrt(3 * 2 / FANS[mode]),
        "truncated_normal": 2 * np.sqrt(2 / FANS[mode]) / 0.87962566,
        "untruncated_normal": np.inf,
    }
    assert np.abs(value).max() <= limits[distribution] * 1.00001
    assert value.mean() == pytest.approx(0, abs=1e-3)


def test_glorot_and_simple_initializers():
    (uniform,) = draw(lambda: tf.glorot_uniform_initializer()([100, 200]))
    assert np.abs(uniform).max() <= np.sqrt(6 / 300)
    assert uniform.var() == pytest.approx(2 / 300, rel=0.05)
    (normal,) = draw(lambda: tf.glorot_normal_initializer(seed=1)([100, 200]))
    assert normal.var() == pytest.approx(2 / 300, rel=0.05)
    (vector,) = draw(lambda: tf.variance_scaling_initializer()([1000]))
    assert vector.var() == pytest.approx(1 / 1000, rel=0.2)
    cases = [
        (tf.zeros_initializer(), np.zeros((2, 3))),
        (tf.ones_initializer(), np.ones((2, 3))),
        (tf.constant_initializer(7.0), np.full((2, 3), 7)),
        (tf.constant_initializer([1, 2, 3, 4, 5, 6]), [[1, 2, 3], [4, 5, 6]]),
    ]
    for make, expected in cases:
        (value,) = draw(lambda make=make: make([2, 3], dtype=tf.float64))
        assert value.dtype == np.float64
        np.testing.assert_array_equal(value, expected)
    (value,) = draw(lambda: tf.random_uniform_initializer(2.0, 3.0)([500]))
    assert 2 <= value.min() < 2.1
    assert 2.9 < value.max() <= 3
    (value,) = draw(lambda: tf.random_normal_initializer(5.0, 0.1)([500]))
    assert value.mean() == pytest.approx(5, abs=0.05)
    (value,) = draw(lambda: tf.truncated_normal_initializer(stddev=2.0)([500]))
    assert np.abs(value).max() <= 4


def test_an_initializer_is_a_value():
    make = tf.random_normal_initializer(stddev=0.5, seed=3)
    assert make == tf.random_normal_initializer(0.0, 0.5, 3)
    assert "stddev=0.5" in repr(make)
    assert same(draw(lambda: make([3])), draw(lambda: make([3])))
    with pytest.raises(ValueError, match="not a valid initializer"):
        tf.variance_scaling_initializer(mode="fan")
    with pytest.raises(ValueError, match="not a valid initializer"):
        tf.variance_scaling_initializer(scale=-1.0)

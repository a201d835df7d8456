"""Optimizers against their formulas in NumPy, written out from the papers."""

from pathlib import Path

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import GradientError

STEPS = 60


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


# -- the oracles: each yields the weights after step 1, 2, 3 ... -----------------------


def descent(w, gradient, lr):
    while True:
        w = w - lr * gradient(w)
        yield w


def momentum(w, gradient, lr, m, nesterov=False):
    v = np.zeros_like(w)
    while True:
        g = gradient(w)
        v = m * v + g
        w = w - lr * (g + m * v) if nesterov else w - lr * v
        yield w


def adagrad(w, gradient, lr, start=0.1):
    a = np.full_like(w, start)
    while True:
        g = gradient(w)
        a = a + g**2
        w = w - lr * g / np.sqrt(a)
        yield w


def adadelta(w, gradient, lr=0.001, rho=0.95, eps=1e-8):
    a, b = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        a = rho * a + (1 - rho) * g**2
        d = np.sqrt(b + eps) / np.sqrt(a + eps) * g
        b = rho * b + (1 - rho) * d**2
        w = w - lr * d
        yield w


def rmsprop(w, gradient, lr, decay=0.9, m=0.0, eps=1e-10, centered=False):
    square, mean, v = np.ones_like(w), np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w)
        square = decay * square + (1 - decay) * g**2
        mean = decay * mean + (1 - decay) * g
        variance = square - mean**2 if centered else square
        v = m * v + lr * g / np.sqrt(variance + eps)
        w = w - v
        yield w


def adam(w, gradient, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g, t = gradient(w), t + 1
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        rate = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
        w = w - rate * m / (np.sqrt(v) + eps)
        yield w


def ftrl(w, gradient, lr, power=-0.5, start=0.1, l1=0.0, l2=0.0, shrinkage=0.0):
    a, z = np.full_like(w, start), np.zeros_like(w)
    while True:
        g = gradient(w)
        grown = a + g**2
        z = z + g + 2 * shrinkage * w - (grown**-power - a**-power) / lr * w
        a = grown
        quadratic = a**-power / lr + 2 * l2
        w = np.where(np.abs(z) > l1, (np.sign(z) * l1 - z) / quadratic, 0.0)
        yield w


CASES = {
    "descent": (
        lambda: tf.train.GradientDescentOptimizer(0.05),
        lambda *start: descent(*start, 0.05),
    ),
    "momentum": (
        lambda: tf.train.MomentumOptimizer(0.02, 0.9),
        lambda *start: momentum(*start, 0.02, 0.9),
    ),
    "nesterov": (
        lambda: tf.train.MomentumOptimizer(0.02, 0.8, use_nesterov=True),
        lambda *start: momentum(*start, 0.02, 0.8, nesterov=True),
    ),
    "adagrad": (
        lambda: tf.train.AdagradOptimizer(0.3),
        lambda *start: adagrad(*start, 0.3),
    ),
    "adagrad-start": (
        lambda: tf.train.AdagradOptimizer(0.3, initial_accumulator_value=2.0),
        lambda *start: adagrad(*start, 0.3, 2.0),
    ),
    "adadelta": (
        lambda: tf.train.AdadeltaOptimizer(),
        lambda *start: adadelta(*start),
    ),
    "adadelta-settings": (
        lambda: tf.train.AdadeltaOptimizer(1.0, rho=0.8, epsilon=1e-4),
        lambda *start: adadelta(*start, 1.0, 0.8, 1e-4),
    ),
    "rmsprop": (
        lambda: tf.train.RMSPropOptimizer(0.01),
        lambda *start: rmsprop(*start, 0.01),
    ),
    "rmsprop-momentum": (
        lambda: tf.train.RMSPropOptimizer(0.01, decay=0.7, momentum=0.5, epsilon=0.1),
        lambda *start: rmsprop(*start, 0.01, 0.7, 0.5, 0.1),
    ),
    "rmsprop-centered": (
        lambda: tf.train.RMSPropOptimizer(0.01, momentum=0.3, centered=True),
        lambda *start: rmsprop(*start, 0.01, m=0.3, centered=True),
    ),
    "adam": (lambda: tf.train.AdamOptimizer(), lambda *start: adam(*start)),
    "adam-settings": (
        lambda: tf.train.AdamOptimizer(0.1, beta1=0.5, beta2=0.9, epsilon=0.01),
        lambda *start: adam(*start, 0.1, 0.5, 0.9, 0.01),
    ),
    "ftrl": (lambda: tf.train.FtrlOptimizer(0.2), lambda *start: ftrl(*start, 0.2)),
    "ftrl-settings": (
        lambda: tf.train.FtrlOptimizer(
            0.2,
            learning_rate_power=-0.7,
            initial_accumulator_value=0.3,
            l1_regularization_strength=0.5,
            l2_regularization_strength=0.2,
            l2_shrinkage_regularization_strength=0.1,
        ),
        lambda *start: ftrl(*start, 0.2, -0.7, 0.3, 0.5, 0.2, 0.1),
    ),
}

WEIGHTS = np.array([[1.0, -2.0, 0.01], [0.3, 4.0, -1.5]])
CURVATURE = np.array([[1.0, 0.2, 3.0], [0.5, 2.0, 0.1]])
TARGET = np.array([[0.5, 1.0, 0.0], [-1.0, 2.0, 2.0]])


def gradient(w):
    return CURVATURE * (w - TARGET) + 0.1 * np.cos(w)


def loss_of(w):
    bowl = tf.constant(CURVATURE) * tf.square(w - tf.constant(TARGET)) / 2.0
    return tf.reduce_sum(bowl + 0.1 * tf.sin(w))


@pytest.mark.parametrize("name", CASES)
def test_steps_are_those_of_the_formula(session, name):
    make, oracle = CASES[name]
    w = tf.Variable(WEIGHTS)
    step = make().minimize(loss_of(w))
    session.run(tf.global_variables_initializer())
    expected = oracle(WEIGHTS, gradient)
    for i in range(STEPS):
        session.run(step)
        # Adam's powers are float32, as in TensorFlow.
        tolerance = 1e-5 if name.startswith("adam") else 1e-12
        np.testing.assert_allclose(
            session.run(w),
            next(expected),
            rtol=tolerance,
            atol=tolerance,
            err_msg=f"{i}",
        )


@pytest.mark.parametrize("name", CASES)
def test_float32_weights_stay_float32(session, name):
    w = tf.Variable(WEIGHTS.astype("float32"))
    optimizer = CASES[name][0]()
    step = optimizer.minimize(tf.reduce_sum(tf.square(w)))
    session.run(tf.global_variables_initializer())
    session.run(step)
    assert {v.dtype for v in optimizer.variables()} <= {"float32"}
    assert session.run(w).dtype == np.float32


def test_a_formula_that_is_off_would_be_seen(session):
    w = tf.Variable(WEIGHTS)
    step = tf.train.AdagradOptimizer(0.3).minimize(loss_of(w))
    session.run(tf.global_variables_initializer())
    wrong = adagrad(WEIGHTS, gradient, 0.3003)
    for _ in range(STEPS):
        session.run(step)
        expected = next(wrong)
    assert not np.allclose(session.run(w), expected, rtol=1e-5)


# -- several variables, learning rates, global step ------------------------------------


def test_all_gradients_are_taken_before_any_update(session):
    a, b = tf.Variable(2.0), tf.Variable(3.0)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(a * b)
    session.run(tf.global_variables_initializer())
    session.run(step)
    np.testing.assert_allclose(session.run([a, b]), [2 - 0.3, 3 - 0.2], rtol=1e-6)


def test_a_loss_fetched_with_the_step_is_that_before_it(session):
    w = tf.Variable(2.0)
    loss = tf.square(w)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    session.run(tf.global_variables_initializer())
    assert session.run([loss, step]) == [4, None]
    assert session.run([step, loss])[1] == pytest.approx(1.6**2)


def test_the_learning_rate_may_be_a_tensor_or_a_function(session):
    w = tf.Variable(1.0)
    rate = tf.placeholder("float")
    by_tensor = tf.train.GradientDescentOptimizer(rate).minimize(3.0 * w)
    by_call = tf.train.GradientDescentOptimizer(lambda: 0.5).minimize(3.0 * w)
    session.run(tf.global_variables_initializer())
    session.run(by_tensor, {rate: 0.1})
    assert session.run(w) == pytest.approx(0.7)
    session.run(by_tensor, {rate: 0.2})
    assert session.run(w) == pytest.approx(0.1)
    session.run(by_call)
    assert session.run(w) == pytest.approx(-1.4)


def test_the_global_step_counts(session):
    w = tf.Variable(1.0)
    count = tf.train.get_or_create_global_step()
    assert tf.train.get_or_create_global_step() is count
    step = tf.train.GradientDescentOptimizer(0.1).minimize(w * w, global_step=count)
    session.run(tf.global_variables_initializer())
    for _ in range(3):
        session.run(step)
    assert tf.train.global_step(session, count) == 3
    assert tf.trainable_variables() == [w]
    with pytest.raises(ValueError, match="already"):
        tf.train.create_global_step()


def test_gradients_can_be_changed_before_they_are_applied(session):
    a, b = tf.Variable([3.0, 4.0]), tf.Variable(1.0)
    optimizer = tf.train.GradientDescentOptimizer(1.0)
    pairs = optimizer.compute_gradients(tf.reduce_sum(a * a))
    assert [v for _, v in pairs] == [a, b]
    assert pairs[1][0] is None
    clipped = [(g if g is None else tf.clip_by_norm(g, 1.0), v) for g, v in pairs]
    step = optimizer.apply_gradients(clipped)
    session.run(tf.global_variables_initializer())
    session.run(step)
    np.testing.assert_allclose(session.run(a), [3 - 0.6, 4 - 0.8], rtol=1e-6)
    assert session.run(b) == 1


def test_only_the_listed_variables_change(session):
    a, b = tf.Variable(1.0), tf.Variable(1.0)
    step = tf.train.AdamOptimizer(0.1).minimize(a * b, var_list=[b])
    session.run(tf.global_variables_initializer())
    session.run(step)
    assert session.run(a) == 1
    assert session.run(b) < 1


def test_grad_loss_scales_the_gradient(session):
    a = tf.Variable([1.0, 1.0])
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    step = optimizer.minimize(a * a, grad_loss=tf.constant([1.0, 10.0]))
    session.run(tf.global_variables_initializer())
    session.run(step)
    np.testing.assert_allclose(session.run(a), [0.8, -1.0], atol=1e-6)


# -- names and slots -------------------------------------------------------------------


def test_the_step_and_the_slots_are_named_as_in_tensorflow(session):
    w = tf.Variable([1.0, 2.0], name="w")
    optimizer = tf.train.AdamOptimizer()
    step = optimizer.minimize(tf.reduce_sum(w * w))
    assert step.name == "Adam"
    assert repr(step) == "<tf.Operation 'Adam' type=NoOp>"
    assert optimizer.get_slot_names() == ["m", "v"]
    assert optimizer.get_slot(w, "m").name == "w/Adam:0"
    assert optimizer.get_slot(w, "v").name == "w/Adam_1:0"
    assert optimizer.get_slot(w, "v").shape == (2,)
    assert optimizer.get_slot(w, "none") is None
    names = ["beta1_power:0", "beta2_power:0", "w/Adam:0", "w/Adam_1:0"]
    assert [v.name for v in optimizer.variables()] == names
    assert tf.trainable_variables() == [w]
    session.run(tf.global_variables_initializer())
    session.run(step)
    np.testing.assert_allclose(
        session.run(optimizer.get_slot(w, "m")), [0.2, 0.4], rtol=1e-6
    )


def test_a_second_step_of_one_optimizer_has_the_same_slots(session):
    w = tf.Variable(1.0)
    optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
    first, second = optimizer.minimize(w), optimizer.minimize(2.0 * w)
    assert len(optimizer.variables()) == 1
    session.run(tf.global_variables_initializer())
    session.run(first)
    session.run(second)
    assert session.run(w) == pytest.approx(1 - 0.1 - 0.1 * (0.9 + 2))


def test_a_step_can_be_named():
    w = tf.Variable(1.0)
    assert tf.train.MomentumOptimizer(0.1, 0.9).minimize(w, name="go").name == "go"


# -- errors ----------------------------------------------------------------------------


def test_a_loss_that_depends_on_no_variable_is_an_error():
    tf.Variable(1.0, name="w")
    loss = tf.square(tf.constant(2.0), name="loss")
    with pytest.raises(ValueError, match=r"'loss:0'.*'w:0'.*does not depend"):
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)


def test_the_operation_that_stops_all_gradients_is_named():
    w = tf.Variable([[1.0, 2.0]], name="w")
    hit = tf.equal(tf.argmax(w, 1, name="guess"), tf.constant([1], tf.int64))
    loss = tf.reduce_mean(tf.cast(hit, tf.float32), name="loss")
    with pytest.raises(GradientError) as error:
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    message = str(error.value)
    for part in ("'loss:0'", "'w:0'", "'guess'", "test_optimizers.py:"):
        assert part in message
    program = Path(__file__).read_text().splitlines()
    line = next(n for n, text in enumerate(program, 1) if 'name="guess"' in text)
    assert f"test_optimizers.py:{line}" in message


def test_a_stopped_gradient_is_named_too():
    w = tf.Variable(1.0, name="w")
    loss = tf.square(tf.stop_gradient(w, name="wall"))
    with pytest.raises(ValueError, match="gradients stop at node 'wall'"):
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)


def test_no_variables_at_all():
    with pytest.raises(ValueError, match="no variables"):
        tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1.0))
    w = tf.Variable(1.0)
    with pytest.raises(ValueError, match="no variable has a gradient"):
        tf.train.GradientDescentOptimizer(0.1).apply_gradients([(None, w)])


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="positive"):
        tf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.0)
    with pytest.raises(ValueError, match="l1_regularization_strength"):
        tf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0)
    with pytest.raises(ValueError, match="learning_rate_power"):
        tf.train.FtrlOptimizer(0.1, learning_rate_power=0.5)

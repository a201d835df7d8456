"""Branches and loops of K: which one is taken, what is run, what comes out."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor

X = np.arange(12, dtype="float32").reshape(4, 3)


# -- switch ----------------------------------------------------------------------------


def test_switch_on_a_scalar_runs_only_the_branch_chosen():
    counts = {"then": K.variable(0.0), "else": K.variable(0.0)}
    p = K.placeholder((), dtype="bool")

    def branch(name):
        return lambda: K.update_add(counts[name], 1.0)

    f = K.function([p], [K.switch(p, branch("then"), branch("else"))])
    f([True])
    f([True])
    f([False])
    assert {name: float(v) for name, v in counts.items()} == {"then": 2, "else": 1}


def test_switch_takes_values_too():
    p, x = K.placeholder((), dtype="int32"), K.placeholder((None, 3))
    f = K.function([p, x], [K.switch(p, x, -x)])
    np.testing.assert_array_equal(f([1, X])[0], X)
    np.testing.assert_array_equal(f([0, X])[0], -X)


def test_switch_of_arrays_is_an_array():
    assert K.switch(True, lambda: 3, lambda: 1 / 0) == 3
    np.testing.assert_array_equal(K.switch(X > 5, X, 0 * X), np.where(X > 5, X, 0))


def test_switch_by_rows():
    rows = np.array([True, False, True, False])
    wanted = np.where(rows[:, None], X, -X)
    np.testing.assert_array_equal(K.switch(rows, X, -X), wanted)
    p, x = K.placeholder((None,), dtype="bool"), K.placeholder((None, 3))
    f = K.function([p, x], [K.switch(p, lambda: x, lambda: -x)])
    np.testing.assert_array_equal(f([rows, X])[0], wanted)


def test_switch_needs_values_of_enough_axes():
    with pytest.raises(ShapeError, match="2 axes, the values 1"):
        K.switch(X > 1, X[0], X[0])


# -- phases ----------------------------------------------------------------------------


@pytest.fixture
def _fresh():
    K.clear_session()
    yield
    K.clear_session()


@pytest.mark.usefixtures("_fresh")
def test_the_learning_phase_decides_unless_told():
    x = K.placeholder((3,))
    y = K.in_train_phase(lambda: x * 2, x)
    z = K.in_test_phase(x * 2, lambda: x)
    f = K.function([x, K.learning_phase()], [y, z])
    ones = np.ones(3)
    np.testing.assert_array_equal(f([ones, True]), [2 * ones, ones])
    np.testing.assert_array_equal(f([ones, False]), [ones, 2 * ones])
    np.testing.assert_array_equal(K.function([x], [y, z])([ones]), [ones, 2 * ones])


@pytest.mark.usefixtures("_fresh")
def test_a_learning_phase_that_is_set_is_final():
    K.set_learning_phase(1)
    assert K.in_train_phase(lambda: "train", lambda: "test") == "train"
    assert K.in_test_phase("test", "train") == "train"


def test_training_may_be_given():
    assert K.in_train_phase("train", "test", training=True) == "train"
    assert K.in_train_phase("train", lambda: "test", training=0) == "test"
    flag = K.placeholder((), dtype="bool")
    f = K.function([flag], [K.in_train_phase(K.constant(1.0), K.constant(2.0), flag)])
    assert f([True]) == [1]
    assert f([False]) == [2]


# -- loops -----------------------------------------------------------------------------


def symbolically(call, *arrays):
    inputs = [K.placeholder((None,) * a.ndim, dtype=a.dtype) for a in arrays]
    y = call(*inputs)
    assert isinstance(y, Tensor)
    return K.function(inputs, y)(arrays)


def both(call, wanted, *arrays):
    for found in (call(*arrays), symbolically(call, *arrays)):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_map_fn():
    both(lambda x: K.map_fn(lambda row: K.sum(row), x), X.sum(1), X)
    both(lambda x: K.map_fn(lambda p: p[0] * p[1], (x, x)), X * X, X)


def test_map_fn_gives_the_dtype_asked_for():
    assert K.map_fn(lambda row: K.sum(row), X, dtype="int32").dtype == "int32"


def test_folds_from_either_side():
    def combine(total, row):
        return total * 0.5 + row

    left, right = X[0], X[-1]
    for row in X[1:]:
        left = left * 0.5 + row
    for row in X[-2::-1]:
        right = right * 0.5 + row
    both(lambda x: K.foldl(combine, x), left, X)
    both(lambda x: K.foldr(combine, x), right, X)


def test_folds_may_start_from_a_value():
    first = np.float32([1, 1, 1])
    both(lambda x: K.foldl(lambda a, b: a + b, x, first), X.sum(0) + 1, X)
    both(lambda x: K.foldr(lambda a, b: a - b, x, first), 1 - X.sum(0), X)


def test_loops_are_those_of_the_engine():
    def step(carry, x):
        return carry + x, carry

    both(lambda x: K.scan(step, x[0], x)[0], X[0] + X.sum(0), X)
    both(
        lambda x: K.while_loop(lambda y: K.sum(y) < 1e3, lambda y: (2 * y,), (x,))[0],
        X * 16,
        X,
    )
    both(lambda x: K.fori_loop(0, 3, lambda i, y: y * 2, x), X * 8, X)
    both(lambda x: K.map(lambda row: row[::-1], x), X[:, ::-1], X)
    both(lambda x: K.cond(K.sum(x) > 0, lambda: x, lambda: -x), X, X)


# -- gradients and printing ------------------------------------------------------------


def test_no_gradient_passes_a_stop():
    x = K.placeholder((3,))
    y = K.sum(x * K.stop_gradient(x))
    (slope,) = K.function([x], K.gradients(y, [x]))([X[1]])
    np.testing.assert_array_equal(slope, X[1])
    a, b = K.stop_gradient([x, 2 * x])
    np.testing.assert_array_equal(K.function([x], [a, b])([X[1]]), [X[1], 2 * X[1]])


def test_printing_passes_the_value_on(capfd):
    x = K.placeholder((3,))
    y = K.print_tensor(x, "x is ") * 2
    np.testing.assert_array_equal(K.function([x], [y])([X[1]])[0], 2 * X[1])
    assert "x is [3.0 4.0 5.0]" in capfd.readouterr().err
    np.testing.assert_array_equal(K.print_tensor(X[1], "now "), X[1])
    assert "now [3.0 4.0 5.0]" in capfd.readouterr().err

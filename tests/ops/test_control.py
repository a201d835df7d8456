"""Functions of functions: at once on arrays, in the graph on tensors, as in Keras."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import ops
from minikeras.engine import tree

X = np.random.default_rng(3).normal(size=(5, 3)).astype("float32")


def both(call, *arrays):
    """Return what `call` gives on arrays, and what a function of tensors gives."""
    now = call(ops, *arrays)
    inputs = [K.placeholder((None,) * a.ndim, dtype=a.dtype) for a in arrays]
    outputs = call(ops, *inputs)
    return now, K.function(inputs, outputs)(arrays)


def check(call, *arrays):
    import keras

    wanted = keras.tree.map_structure(np.asarray, call(keras.ops, *arrays))
    for found in both(call, *arrays):
        tree.map_structure(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, wanted
        )


@pytest.mark.parametrize("sign", [1, -1])
def test_cond(sign):
    check(
        lambda ops, x: ops.cond(
            ops.sum(x) > 0, lambda: ops.exp(x), lambda: ops.negative(x)
        ),
        sign * np.abs(X),
    )


@pytest.mark.parametrize("index", [0, 1, 2])
def test_switch(index):
    check(
        lambda ops, i, x: ops.switch(i, [ops.exp, ops.negative, ops.square], x),
        np.int32(index) * np.ones((), "int32"),
        X,
    )


def test_an_index_out_of_range_is_the_nearest_one():
    branches = [lambda: 10, lambda: 20, lambda: 30]
    assert ops.switch(7, branches) == 30
    assert ops.switch(-7, branches) == 10


def test_map():
    check(lambda ops, x: ops.map(lambda row: ops.sum(row) * 2, x), X)
    check(lambda ops, x: ops.map(lambda p: p[0] + p[1], (x, x + 1)), X)


def test_vectorized_map():
    check(lambda ops, x: ops.vectorized_map(lambda row: ops.max(row), x), X)


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(reverse):
    def step(carry, x):
        return carry * 0.5 + x, carry

    check(lambda ops, x: ops.scan(step, ops.zeros_like(x[0]), x, reverse=reverse), X)


def test_scan_without_inputs_repeats():
    def step(carry, _):
        return carry * 2, carry

    check(lambda ops, x: ops.scan(step, x, length=4), X)


def test_while_loop():
    def double(i, x):
        return i + 1, x * 2

    check(
        lambda ops, i, x: ops.while_loop(lambda i, x: i < 5, double, (i, x)),
        np.zeros((), "int32"),
        X,
    )


def test_while_loop_stops_at_its_limit():
    check(
        lambda ops, x: ops.while_loop(
            lambda x: ops.sum(x) < 1e9, lambda x: (x * 2,), (x,), maximum_iterations=3
        ),
        np.abs(X),
    )


def test_fori_loop():
    check(
        lambda ops, x: ops.fori_loop(2, 5, lambda i, y: y * ops.cast(i, "float32"), x),
        X,
    )


def test_a_loop_sees_the_values_of_variables():
    v = K.variable([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(ops.map(lambda x: x * 2, v), [2, 4, 6])
    total, _ = ops.scan(lambda c, x: (c + x, None), np.float32(0), v)
    assert total == 6


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.scan(1, 0.0, X), TypeError, "should be a callable"),
        (lambda: ops.scan(print, 0.0), ValueError, "to scan over and"),
        (
            lambda: ops.scan(print, 0.0, X, unroll=-1),
            ValueError,
            "must be an positive integer or boolean",
        ),
        (lambda: ops.scan(print, 0.0, X, unroll=1.5), ValueError, "positive integer"),
        (lambda: ops.scan(print, 0.0, X, length=4), ValueError, "`length` of 4"),
        (lambda: ops.switch(0, []), ValueError, "no branches"),
        (lambda: ops.switch(0.5, [print]), TypeError, "integer"),
    ],
)
def test_what_cannot_be_done(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("unroll", [True, False, 2])
def test_unrolling_changes_nothing(unroll):
    def total(carry, x):
        return carry + x, carry + x

    last, sums = ops.scan(total, np.float32(0), X[:, 0], unroll=unroll)
    np.testing.assert_allclose(sums, np.cumsum(X[:, 0]), rtol=1e-6)
    assert last == sums[-1]


def test_numbers_come_out_of_loops_as_arrays():
    assert ops.while_loop(lambda i: i < 10, lambda i: i + 1, 0).dtype == "int32"
    assert ops.fori_loop(0, 10, lambda i, s: s + i, 0).dtype == "int32"
    state = {"a": 2.0, "b": (3.0,)}

    def double(carry, _):
        new = {"a": carry["a"] * 2, "b": (carry["b"][0] * 2,)}
        return new, new["a"] + new["b"][0]

    last, sums = ops.scan(double, state, length=3)
    assert last["a"].dtype == "float32"
    np.testing.assert_array_equal(sums, [10, 20, 40])


def test_a_dict_is_one_variable_of_a_loop():
    def call(ops, a, b):
        return ops.while_loop(
            lambda d: d["a"] < 10,
            lambda d: {"a": d["a"] + 1, "b": d["b"] * 2},
            {"a": a, "b": b},
            maximum_iterations=5,
        )

    check(call, np.zeros((), "int32"), X)


@pytest.mark.parametrize(
    "other",
    [
        lambda: ops.zeros((4,)),
        lambda: ops.zeros((3, 1)),
        lambda: ops.zeros((3,), "int32"),
        lambda: [ops.zeros((3,))],
    ],
)
def test_branches_return_the_same_kind(other):
    with pytest.raises(ValueError, match="of the same kind"):
        ops.cond(K.placeholder((), dtype="bool"), lambda: ops.ones((3,)), other)


def test_branches_may_know_more_or_less_of_a_shape():
    x = K.placeholder((None, 3))
    y = ops.cond(ops.sum(x) > 0, lambda: x, lambda: ops.ones((5, 3)))
    assert y.shape == (None, 3)
    assert ops.cond(np.bool_(True), lambda: ops.ones(3), lambda: 0).shape == (3,)

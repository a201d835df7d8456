"""Order of effects, branches, loops, printing, assertions, Python functions."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import (
    DTypeError,
    ExecutionError,
    GraphError,
    ShapeError,
)


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


# -- the order of effects --------------------------------------------------------------


def test_a_group_runs_all_and_yields_nothing(session):
    v, w = tf.Variable(0.0), tf.Variable(0.0)
    both = tf.group(v.assign(1.0), w.assign(2.0).op, name="both")
    assert both.name == "both"
    assert session.run(both) is None
    assert session.run([v, w]) == [1, 2]
    assert session.run(tf.group()) is None


def test_a_tuple_waits_for_all_of_its_members(session):
    v = tf.Variable(0.0)
    x = tf.constant(1.0)
    first, nothing, second = tf.tuple([x, None, v.assign(5.0)], name="all")
    assert first.name == "all/Identity:0"
    assert nothing is None
    assert session.run(first) == 1
    assert session.run(v) == 5
    assert session.run(second) == 5


# -- branches --------------------------------------------------------------------------


def test_cond_runs_one_branch(session):
    v = tf.Variable(0.0)
    x = tf.placeholder("float")
    y = tf.cond(x > 0.0, lambda: v.assign_add(1.0), lambda: tf.constant(-1.0))
    session.run(v.initializer)
    assert session.run(y, {x: -1.0}) == -1
    assert session.run(v) == 0
    assert session.run(y, {x: 1.0}) == 1
    assert session.run(v) == 1
    old = tf.cond(x > 0.0, fn1=lambda: [x * 2.0], fn2=lambda: [x])
    assert session.run(old, {x: 4.0}) == 8
    assert isinstance(tf.cond(x > 0.0, lambda: [x], lambda: [x], strict=True), list)
    assert session.run(tf.cond(True, lambda: x, lambda: -x), {x: 3.0}) == 3


def test_an_error_inside_a_branch_names_the_scope_and_the_line(session):
    rows = tf.constant([1.0, 2.0])
    i = tf.placeholder("int32")
    with tf.name_scope("model"):
        y = tf.cond(
            tf.constant(True),
            lambda: tf.gather(rows, i, name="chosen"),
            lambda: tf.constant(0.0),
        )
    with pytest.raises(ExecutionError, match=r"'model/chosen'.*test_flow\.py:\d+"):
        session.run(y, {i: 7})


def test_cond_needs_both_branches():
    with pytest.raises(TypeError, match="true_fn and a false_fn"):
        tf.cond(tf.constant(True), lambda: tf.constant(1.0))


def test_cond_has_gradients(session):
    x = tf.placeholder("float")
    y = tf.cond(x > 0.0, lambda: x * x, lambda: 3.0 * x)
    (slope,) = tf.gradients(y, x)
    assert session.run(slope, {x: 5.0}) == 10
    assert session.run(slope, {x: -5.0}) == 3


def test_case_takes_the_first_that_holds(session):
    x = tf.placeholder("float")
    y = tf.case(
        [(x < 0.0, lambda: tf.constant(-1.0)), (x < 10.0, lambda: tf.constant(1.0))],
        default=lambda: tf.constant(99.0),
    )
    assert [session.run(y, {x: value}) for value in (-3.0, 3.0, 30.0)] == [-1, 1, 99]
    last = tf.case({x < 0.0: lambda: -x, x >= 0.0: lambda: x})
    assert session.run(last, {x: -2.0}) == 2


def test_a_branch_may_depend_on_a_value_outside(session):
    v, w = tf.Variable(0.0), tf.Variable(0.0)
    bump = v.assign_add(1.0)

    def branch():
        with tf.control_dependencies([bump]):
            return w.assign_add(10.0)

    y = tf.cond(tf.constant(True), branch, lambda: tf.constant(0.0))
    session.run(tf.global_variables_initializer())
    assert session.run(y) == 10
    assert session.run([v, w]) == [1, 10]
    group = tf.group(bump, name="all")

    def other():
        with tf.control_dependencies([group]):
            return tf.constant(0.0)

    with pytest.raises(GraphError, match="'all'"):
        tf.cond(tf.constant(True), other, other)


# -- loops -----------------------------------------------------------------------------


def test_while_loop(session):
    n = tf.placeholder(tf.int32)
    count, total = tf.while_loop(
        lambda i, s: i < n, lambda i, s: (i + 1, s + tf.cast(i, tf.float32)), [0, 0.0]
    )
    assert session.run([count, total], {n: 5}) == [5, 10]
    assert session.run([count, total], {n: 0}) == [0, 0]
    alone = tf.while_loop(lambda i: i < n, lambda i: [i * 2], [tf.constant(1)])
    assert session.run(alone, {n: 20}) == 32


def test_a_loop_sees_what_it_assigns(session):
    v = tf.Variable(0)

    def body(i):
        new = tf.cond(i > 1, lambda: v.assign(i), lambda: tf.constant(0))
        with tf.control_dependencies([new]):
            return i + 1 + 0 * v

    last = tf.while_loop(lambda i: (i < 9) & (v < 4), body, [tf.constant(0)])
    session.run(v.initializer)
    assert session.run([last, v]) == [5, 4]


def test_a_loop_counts_with_a_variable(session):
    v = tf.Variable(0)
    last = tf.while_loop(lambda i: i < 6, lambda i: v.assign_add(2), [tf.constant(0)])
    session.run(v.initializer)
    assert session.run([last, v]) == [6, 6]


def test_a_loop_that_assigns_what_it_has_read_is_refused(session):
    v = tf.Variable(0, name="v")
    with pytest.raises(GraphError, match="'v' is read and then assigned"):
        tf.while_loop(lambda i: i < 3, lambda i: v.assign(v + 1), [tf.constant(0)])


def test_while_loop_has_gradients(session):
    x = tf.placeholder("float64")
    _, y = tf.while_loop(
        lambda i, y: i < 3,
        lambda i, y: (i + 1, y * x),
        (0, tf.constant(1.0, "float64")),
    )
    (slope,) = tf.gradients(y, x)
    assert session.run(slope, {x: 2.0}) == pytest.approx(12)


def test_scan_and_folds(session):
    x = tf.constant([1.0, 2.0, 3.0, 4.0])
    results = session.run(
        {
            "scan": tf.scan(lambda a, b: a + b, x),
            "from": tf.scan(lambda a, b: a + b, x, initializer=10.0),
            "back": tf.scan(lambda a, b: a + b, x, reverse=True),
            "left": tf.foldl(lambda a, b: 2.0 * a + b, x),
            "right": tf.foldr(lambda a, b: 2.0 * a + b, x, initializer=0.0),
        }
    )
    np.testing.assert_array_equal(results["scan"], [1, 3, 6, 10])
    np.testing.assert_array_equal(results["from"], [11, 13, 16, 20])
    np.testing.assert_array_equal(results["back"], [10, 9, 7, 4])
    assert results["left"] == ((1 * 2 + 2) * 2 + 3) * 2 + 4
    assert results["right"] == (((4 * 2) + 3) * 2 + 2) * 2 + 1


def test_map_fn(session):
    x, y = tf.constant([1.0, 2.0, 3.0]), tf.constant([10.0, 20.0, 30.0])
    squares = tf.map_fn(lambda v: v * v, x)
    sums = tf.map_fn(lambda pair: pair[0] + pair[1], (x, y), dtype=tf.float32)
    several = tf.map_fn(lambda v: (v, -v), x, dtype=(tf.float32, tf.float32))
    np.testing.assert_array_equal(session.run(squares), [1, 4, 9])
    np.testing.assert_array_equal(session.run(sums), [11, 22, 33])
    np.testing.assert_array_equal(session.run(several[1]), [-1, -2, -3])


# -- printing, asserting, calling Python -----------------------------------------------


def test_print_shows_values_whenever_it_is_run(session, capfd):
    x = tf.placeholder("float")
    y = tf.Print(x, [x, tf.shape(x), x * 2.0], message="x: ", name="shown")
    assert y.op.type == "Print"
    assert capfd.readouterr().err == "", "nothing is printed when it is built"
    np.testing.assert_array_equal(
        session.run(y + 1.0, {x: [1.0, 2.0, 3.0, 4.0]}), [2, 3, 4, 5]
    )
    assert capfd.readouterr().err == "x: [1.0 2.0 3.0...][4][2.0 4.0 6.0...]\n"
    session.run(x, {x: 1.0})
    assert capfd.readouterr().err == ""
    (slope,) = tf.gradients(y, x)
    assert session.run(slope, {x: 5.0}) == 1


def test_print_a_few_times(session, capfd):
    x = tf.constant([1, 2, 3, 4])
    y = tf.Print(x, [x], first_n=2, summarize=-1)
    for _ in range(3):
        session.run(y)
    assert capfd.readouterr().err == "[1 2 3 4]\n" * 2


def test_assert_fails_when_it_is_run(session):
    x = tf.placeholder("float", name="x")
    check = tf.Assert(tf.reduce_all(x > 0.0), [x], name="positive")
    with tf.control_dependencies([check]):
        y = tf.sqrt(x)
    assert check.name == "positive"
    np.testing.assert_array_equal(session.run(y, {x: [4.0]}), [2])
    assert session.run(check, {x: [4.0]}) is None
    with pytest.raises(
        ExecutionError, match=r"(?s)\[4.0 -1.0\].*'positive'.*test_flow"
    ):
        session.run(y, {x: [4.0, -1.0]})


def test_py_func(session):
    x = tf.placeholder("float64")
    y = tf.py_func(lambda v: np.sort(v), [x], tf.float64)
    low, high = tf.py_func(lambda v: (v.min(), v.max()), [x], [tf.float64, tf.float32])
    values = session.run([y, low, high], {x: [3.0, 1.0, 2.0]})
    np.testing.assert_array_equal(values[0], [1, 2, 3])
    assert (values[1], values[2], values[2].dtype) == (1, 3, np.float32)
    assert tf.gradients(tf.reduce_sum(y), x) == [None]
    y.set_shape((2,))
    with pytest.raises(ShapeError, match=r"announced as \(2,\); got \(3,\)"):
        session.run(y, {x: [3.0, 1.0, 2.0]})
    few = tf.py_func(lambda: 1.0, [], [tf.float64, tf.float64], name="few")
    with pytest.raises(ShapeError, match=r"(?s)1 results; 2 announced.*'few'"):
        session.run(few)
    with pytest.raises(DTypeError):
        tf.py_func(lambda: 1.0, [], "no such dtype")

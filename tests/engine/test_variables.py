"""Variables: initial values, assignments, collections."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import DTypeError, ShapeError


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


def start(session):
    session.run(tf.global_variables_initializer())


def test_an_initial_value_may_be_anything_that_makes_a_tensor(session):
    made = [
        tf.Variable(3),
        tf.Variable(3.0),
        tf.Variable([1, 2]),
        tf.Variable(np.float64(2)),
        tf.Variable(tf.constant(1.0) + 1.0),
        tf.Variable(lambda: tf.zeros((2,))),
        tf.Variable(5, dtype=tf.float32),
        tf.Variable(True),
        tf.Variable("text"),
    ]
    start(session)
    values = session.run(made)
    kinds = ["int32", "float32", "int32", "float64", "float32", "float32", "float32"]
    assert [str(np.asarray(x).dtype) for x in values[:7]] == kinds
    assert values[7] == np.True_
    assert values[8] == "text"
    assert made[6].dtype == tf.float32
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable()


def test_variables_are_initialized_in_the_order_in_which_they_were_made(session):
    first = tf.Variable(2.0)
    second = tf.Variable(first * 3.0)
    third = tf.Variable(second.initialized_value() + first.initialized_value())
    start(session)
    assert session.run([first, second, third]) == [2, 6, 8]


def test_a_random_initial_value_is_drawn_once_for_all_who_use_it(session):
    first = tf.Variable(tf.random_normal([3]))
    second = tf.Variable(first.initialized_value())
    start(session)
    np.testing.assert_array_equal(*session.run([first, second]))


def test_assignments(session):
    v = tf.Variable([1.0, 2.0])
    start(session)
    np.testing.assert_array_equal(session.run(v.assign([3, 4])), [3, 4])
    np.testing.assert_array_equal(session.run(v.assign_add([1.0, 1.0])), [4, 5])
    np.testing.assert_array_equal(session.run(v.assign_sub([2.0, 0.0])), [2, 5])
    np.testing.assert_array_equal(session.run(tf.assign(v, v * 2.0)), [4, 10])
    np.testing.assert_array_equal(session.run(tf.assign_add(v, [1.0, 1.0])), [5, 11])
    np.testing.assert_array_equal(session.run(tf.assign_sub(v, [1.0, 1.0])), [4, 10])
    v.load([7.0, 8.0], session)
    np.testing.assert_array_equal(v.eval(session), [7, 8])
    np.testing.assert_array_equal(session.run(v[1:]), [8])


def test_an_assignment_must_fit():
    v = tf.Variable([1.0, 2.0], name="v")
    with pytest.raises(ShapeError, match=r"'v' has shape \(2,\), the value \(3,\)"):
        v.assign([1.0, 2.0, 3.0])
    whole = tf.Variable(1, name="whole")
    with pytest.raises(DTypeError, match="'whole' has dtype int32; got float32"):
        whole.assign(1.5)
    assert whole.assign(np.int64(2)).dtype == "int32"


def test_an_unknown_shape_is_checked_when_it_is_known(session):
    v = tf.Variable([1.0, 2.0], name="v")
    x = tf.placeholder("float", (None,))
    change = v.assign(x)
    session.run(change, {x: [5.0, 6.0]})
    with pytest.raises(ShapeError, match="'v' has shape"):
        session.run(change, {x: [5.0]})


def test_a_shape_left_open(session):
    v = tf.Variable([1.0], validate_shape=False)
    assert v.shape is None
    start(session)
    np.testing.assert_array_equal(session.run(v.assign([1.0, 2.0])), [1, 2])


def test_collections():
    v = tf.Variable(1.0, name="v")
    fixed = tf.Variable(1.0, trainable=False, name="fixed")
    local = tf.Variable(
        1.0, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES], name="local"
    )
    assert tf.global_variables() == [v, fixed]
    assert tf.trainable_variables() == [v]
    assert tf.local_variables() == [local]
    assert tf.global_variables(scope="f") == [fixed]


def test_initializers_of_some_variables(session):
    v, w = tf.Variable(1.0), tf.Variable(2.0)
    local = tf.Variable(3.0, collections=[tf.GraphKeys.LOCAL_VARIABLES])
    session.run(tf.variables_initializer([w]))
    session.run(tf.local_variables_initializer())
    assert session.run([w, local]) == [2, 3]
    assert w.handle in session.values
    assert v.handle not in session.values


def test_a_variable_stands_for_its_value_in_operators(session):
    v = tf.Variable([4.0, 9.0])
    start(session)
    for y, expected in [
        (v + 1, [5, 10]),
        (1 - v, [-3, -8]),
        (tf.sqrt(v), [2, 3]),
        (tf.stack([v, v])[1], [4, 9]),
        (-v, [-4, -9]),
        (v > 5.0, [False, True]),
        (v.value(), [4, 9]),
        (v.read_value(), [4, 9]),
        (tf.identity(v), [4, 9]),
        (tf.convert_to_tensor(v), [4, 9]),
        (sum(v), 13),
    ]:
        np.testing.assert_array_equal(session.run(y), expected)


def test_a_gradient_sums_over_all_reads(session):
    v = tf.Variable(3.0)
    y = v * v + 2.0 * v
    start(session)
    assert session.run(tf.gradients(y, v)) == [8]
    assert session.run(tf.gradients(y, [v, v])) == [8, 8]
    assert tf.gradients(y, tf.Variable(1.0)) == [None]


def test_nodes_of_a_variable_are_in_its_graph(session):
    v = tf.Variable(3.0, name="v")
    with tf.Graph().as_default() as other:
        doubled, changed = v * 2.0, v.assign(5.0)
    assert doubled.graph is changed.graph is v.graph
    assert len(other.nodes) == 0
    with tf.name_scope("scope"):
        assert v.value().name == "v/read_1:0"


def test_a_gradient_may_be_taken_inside_a_branch(session):
    v = tf.Variable(3.0)
    flag = tf.placeholder(tf.bool)
    slope = tf.cond(
        flag, lambda: tf.gradients(v * v * v, v)[0], lambda: tf.constant(0.0)
    )
    start(session)
    assert session.run(slope, {flag: True}) == 27
    assert session.run(slope, {flag: False}) == 0


def test_a_variable_made_in_control_dependencies_does_not_depend_on_them(session):
    x = tf.placeholder("float")
    with tf.control_dependencies([x]):
        v = tf.Variable(1.0)
    session.run(v.initializer)
    assert session.run(v) == 1

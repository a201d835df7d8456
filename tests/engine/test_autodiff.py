"""Gradients: of what, by what, through what; formulas are checked elsewhere."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.autodiff import obstacles
from minikeras.engine.errors import GradientError, GraphError, ShapeError
from minikeras.engine.op import Op
from minikeras.engine.spec import Spec


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


def test_the_gradient_of_several_ys_is_that_of_their_sum(session):
    x = tf.constant([1.0, 2.0])
    (slope,) = tf.gradients([x * x, 3.0 * x, tf.reduce_sum(x)], [x])
    np.testing.assert_array_equal(session.run(slope), [2 + 3 + 1, 4 + 3 + 1])


def test_grad_ys_are_what_the_ys_begin_with(session):
    x = tf.constant([1.0, 2.0])
    slopes = tf.gradients([x * x, x], x, grad_ys=[tf.constant([10.0, 1.0]), None])
    np.testing.assert_array_equal(session.run(slopes[0]), [21, 5])
    (from_array,) = tf.gradients(x * x, x, grad_ys=np.array([1.0, 0.0]))
    assert from_array.dtype == "float32"
    np.testing.assert_array_equal(session.run(from_array), [2, 0])
    with pytest.raises(ShapeError, match=r"shape \(3,\) for a y of shape \(2,\)"):
        tf.gradients(x, x, grad_ys=tf.constant([1.0, 2.0, 3.0]))
    with pytest.raises(GradientError, match="1 grad_ys for 2 ys"):
        tf.gradients([x, x], x, grad_ys=[x])


def test_no_path_is_no_gradient(session):
    x, y = tf.constant(1.0), tf.constant(2.0)
    assert tf.gradients(x * 2.0, [y, x])[0] is None
    assert tf.gradients(tf.stop_gradient(x) * 2.0, x) == [None]
    assert tf.gradients(tf.cast(tf.cast(x, "int32"), "float32"), x) == [None]


def test_an_x_may_be_a_y_or_lie_between(session):
    x = tf.constant(3.0)
    y = x * x
    z = y * y
    assert session.run(tf.gradients(z, [x, y, z])) == [4 * 27, 18, 1]
    assert session.run(tf.gradients(x, x)) == [1]
    assert session.run(tf.gradients(z, [x, x])) == [4 * 27, 4 * 27]
    assert session.run(tf.gradients([z, z], x)) == [2 * 4 * 27]


def test_stop_gradients_are_taken_for_constants(session):
    x = tf.constant(3.0)
    y = x * x
    assert session.run(tf.gradients(y * x, x, stop_gradients=[y])) == [9]
    assert session.run(tf.gradients(x * x + y, [x, y], stop_gradients=[x, y])) == [6, 1]
    assert tf.gradients(y, x, stop_gradients=[y]) == [None]
    v = tf.Variable(2.0)
    assert tf.gradients(x * v, [x], stop_gradients=[x * v]) != [None], "another product"
    assert tf.gradients(tf.square(v) * x, [v], stop_gradients=[v])[0] is not None
    assert tf.gradients(tf.square(v), [v.initial_value], stop_gradients=[v]) == [None]


def test_gradients_of_gradients(session):
    x = tf.placeholder("float64")
    y = x**3 * tf.sin(x)
    (first,) = tf.gradients(y, x)
    (second,) = tf.gradients(first, x)
    (third,) = tf.gradients(second, x)
    at = 0.7
    s, c = np.sin(at), np.cos(at)
    expected = [
        3 * at**2 * s + at**3 * c,
        6 * at * s + 6 * at**2 * c - at**3 * s,
        6 * s + 18 * at * c - 9 * at**2 * s - at**3 * c,
    ]
    np.testing.assert_allclose(session.run([first, second, third], {x: at}), expected)


def test_shapes_of_gradients_are_those_of_the_xs(session):
    a = tf.placeholder("float", (None, 1))
    b = tf.placeholder("float", (3,))
    c = tf.placeholder("float")
    slopes = tf.gradients(tf.reduce_sum(a * b + c), [a, b, c])
    assert [g.shape for g in slopes[:2]] == [(None, 1), (3,)]
    feed = {a: np.ones((2, 1)), b: np.ones(3), c: np.ones((1, 3))}
    assert [g.shape for g in session.run(slopes, feed)] == [(2, 1), (3,), (1, 3)]


def test_one_of_several_outputs(session):
    x = tf.constant([1.0, 5.0, 3.0])
    values, _ = tf.nn.top_k(x, 2)
    _, right = tf.split(x[:2], 2)
    (slope,) = tf.gradients(values, x)
    np.testing.assert_array_equal(session.run(slope), [0, 1, 1])
    (slope,) = tf.gradients(right * 4.0, x)
    np.testing.assert_array_equal(session.run(slope), [0, 4, 0])


def test_gradients_have_a_scope_and_leave_the_current_one_alone():
    x = tf.constant(1.0)
    (slope,) = tf.gradients(x * x, x)
    assert slope.name.startswith("gradients/")
    (slope,) = tf.gradients(x * x, x, name="again")
    assert slope.name.startswith("again/")
    assert tf.constant(1.0, name="y").name == "y:0"


def test_gradients_are_built_in_the_graph_of_the_ys():
    with tf.Graph().as_default() as other:
        x = tf.constant(2.0)
        y = x * x
    (slope,) = tf.gradients(y, x)
    assert slope.graph is other
    with pytest.raises(GraphError, match="another graph"):
        tf.gradients(y, tf.constant(1.0))


class Opaque(Op, name="opaque_to_gradients"):
    """y = x, without a gradient."""

    def infer(self, x: Spec) -> Spec:
        return x


def test_an_op_without_gradient_says_so():
    x = tf.constant(1.0)
    y = Opaque()(x, name="wall")
    with pytest.raises(
        GradientError, match=r"(?s)opaque_to_gradients has no.*'wall'.*py:"
    ):
        tf.gradients(y * 2.0, x)
    assert tf.gradients(y * 2.0, y)[0] is not None, "it is not on that path"


def test_obstacles_are_where_gradients_end():
    x = tf.Variable([1.0, 2.0])
    rounded = tf.round(x, name="rounded")
    best = tf.argmax(x * 2.0, name="best")
    y = tf.reduce_sum(rounded) + tf.cast(best + 1, "float32")
    count = len(y.graph.nodes)
    ends = obstacles(y, x)
    assert {node.name for node in ends} == {"rounded", "best"}
    assert len(y.graph.nodes) == count, "nothing is left in the graph"
    assert obstacles(y, tf.Variable(1.0)) == []
    assert obstacles(tf.reduce_sum(x), x) == []

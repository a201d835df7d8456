"""Graphs: names as TensorFlow 1 gives them, scopes, collections, what prints."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import GraphError, ShapeError


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


# -- names -----------------------------------------------------------------------------


def test_names_are_made_unique_as_tensorflow_does():
    names = [tf.constant(0.0, name="x").name for _ in range(3)]
    assert names == ["x:0", "x_1:0", "x_2:0"]
    assert tf.constant(0.0, name="x_1").name == "x_1_1:0"
    assert tf.constant(0.0, name="X").name == "X_3:0", "case does not tell names apart"
    assert tf.constant(0.0).name == "Const:0"
    assert tf.placeholder("float").name == "Placeholder:0"
    assert tf.Variable(0.0).name == "Variable:0"
    assert tf.Variable(0.0).name == "Variable_1:0"


def test_operators_and_functions_name_their_nodes_as_tensorflow_does():
    x = tf.constant(1.0, name="x")
    assert (x + x).name == "add:0"
    assert (x - x).name == "sub:0"
    assert (x * x).name == "mul:0"
    assert (x / x).name == "truediv:0"
    assert (x**x).name == "pow:0"
    assert (-x).name == "Neg:0"
    assert tf.subtract(x, x).name == "Sub_1:0", "case does not tell names apart"
    assert tf.maximum(x, x).name == "Maximum:0"
    assert tf.reduce_sum(x).name == "Sum:0"
    assert tf.matmul([[1.0]], [[1.0]]).name == "MatMul:0"
    assert tf.add(x, x, name="total").name == "total:0"
    assert tf.add(x, x, "total").name == "total_1:0"
    assert tf.square(x, name="total").op.type == "Square"


def test_constants_are_named_after_the_operation_that_they_are_for(graph):
    x = tf.constant(1.0, name="x")
    y = x + 2.0
    assert y.op.inputs[1].name == "add/y:0"
    z = tf.multiply(x, 3.0, name="triple")
    assert z.op.inputs[1].name == "triple/y:0"
    assert graph.get_tensor_by_name("triple/y:0") is z.op.inputs[1]


def test_the_name_asked_for_goes_to_the_result():
    x = tf.constant([[1.0, 2.0]])
    for made in (
        tf.nn.xw_plus_b(x, [[1.0], [2.0]], [1.0], name="result"),
        tf.reduce_mean(x, name="result"),
        tf.nn.l2_loss(x, name="result"),
        tf.cast(x, tf.float32, name="result"),
        tf.convert_to_tensor(x, name="result"),
        tf.nn.dropout(x, 1.0, name="result"),
        tf.norm(x, name="result"),
    ):
        assert made.op.name.startswith("result"), made
        assert made.graph.get_tensor_by_name(made.name) is made
    assert tf.split(x, 2, axis=1, name="parts")[1].name == "parts:1"
    assert tf.group(x, name="all").name == "all"


def test_name_scopes():
    with tf.name_scope("a") as scope:
        assert scope == "a/"
        assert tf.constant(0.0, name="x").name == "a/x:0"
        with tf.name_scope("b"):
            assert tf.Variable(0.0, name="v").name == "a/b/v:0"
        with tf.name_scope(None):
            assert tf.constant(0.0, name="x").name == "x:0"
    with tf.name_scope("a"):
        assert tf.constant(0.0, name="x").name == "a_1/x:0", "a new scope each time"
    with tf.name_scope(scope):
        assert tf.constant(0.0, name="x").name == "a/x_1:0", "unless it is continued"
    with tf.name_scope(None, "default"):
        assert tf.constant(0.0, name="x").name == "default/x:0"
    assert tf.constant(0.0, name="y").name == "y:0"


def test_a_scope_names_its_result():
    with tf.name_scope("loss") as scope:
        x = tf.constant([1.0, 2.0], name="x")
        total = tf.reduce_sum(x, name=scope)
    assert x.name == "loss/x:0"
    assert total.name == "loss:0"


def test_tensors_and_operations_are_found_by_name_after_the_fact(graph):
    with tf.name_scope("model"):
        x = tf.placeholder("float", name="x")
        y = tf.add(x, 1.0, name="y")
    v = tf.Variable(1.0, name="v")
    assert graph.get_tensor_by_name("model/x:0") is x
    assert graph.get_operation_by_name("model/y") is y.op
    assert graph.as_graph_element("model/y:0") is y
    assert graph.get_tensor_by_name("v:0") is v.op.outputs[0]
    with tf.Session() as session:
        assert session.run("model/y:0", {"model/x:0": 2.0}) == 3
    assert [op.name for op in graph.get_operations()][:2] == ["model/x", "model/y/y"]


# -- what prints -----------------------------------------------------------------------


def test_what_prints_shows_that_nothing_has_been_computed():
    x = tf.placeholder("float", (None, 3), name="x")
    assert repr(x) == "<tf.Tensor 'x:0' shape=(None, 3) dtype=float32>"
    assert str(x) == 'Tensor("x:0", shape=(None, 3), dtype=float32)'
    unknown = tf.placeholder("int64")
    assert str(unknown) == 'Tensor("Placeholder:0", shape=<unknown>, dtype=int64)'
    assert repr(x.op) == "<tf.Operation 'x' type=Placeholder>"
    v = tf.Variable([1, 2], name="v")
    assert repr(v) == str(v) == "<tf.Variable 'v:0' shape=(2,) dtype=int32_ref>"
    assert repr(x.dtype) == "<dtype: 'float32'>"
    assert repr(tf.as_dtype("float32_ref")) == "<dtype: 'float32'>"


# -- shapes ----------------------------------------------------------------------------


def test_static_shapes():
    x = tf.placeholder("float", (None, 3))
    assert x.shape == x.get_shape() == (None, 3)
    assert x.get_shape().as_list() == [None, 3]
    assert x.shape.ndims == 2
    assert not x.shape.is_fully_defined()
    assert tf.zeros((2, 3)).shape.num_elements() == 6
    assert x.shape.num_elements() is None
    assert tf.placeholder("float").shape is None
    assert len(tf.zeros((2, 3))) == 2
    with pytest.raises(TypeError, match="length"):
        len(x)


def test_set_shape_adds_what_the_program_knows():
    x = tf.placeholder("float")
    x.set_shape((None, 3))
    assert x.shape == (None, 3)
    x.set_shape((2, None))
    assert x.shape == (2, 3)
    assert (x + 1.0).shape == (2, 3)
    with pytest.raises(ShapeError):
        x.set_shape((2, 4))


def test_a_tensor_is_iterated_by_rows():
    rows = list(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(rows[1]), [3.0, 4.0])


def test_arrays_leave_operators_to_tensors():
    x = tf.constant([1.0, 2.0])
    array = np.array([10.0, 20.0], "float32")
    with tf.Session() as session:
        for y, expected in [
            (array + x, [11, 22]),
            (array - x, [9, 18]),
            (array / x, [10, 10]),
            (np.float32(2) * x, [2, 4]),
            (2 ** tf.constant([1, 2]), [2, 4]),
            (array > x, [True, True]),
        ]:
            assert isinstance(y, tf.Tensor)
            np.testing.assert_array_equal(session.run(y), expected)


# -- graphs and collections ------------------------------------------------------------


def test_nested_graphs_come_back_in_order(graph):
    other = tf.Graph()
    with other.as_default():
        with graph.as_default():
            with other.as_default():
                assert tf.get_default_graph() is other
            assert tf.get_default_graph() is graph
        assert tf.get_default_graph() is other
    assert tf.get_default_graph() is graph


def test_the_default_graph_cannot_be_reset_inside_another():
    with pytest.raises(GraphError, match="inside"):
        tf.reset_default_graph()


def test_collections():
    x, y = tf.constant(1.0, name="a/x"), tf.constant(2.0, name="b/y")
    tf.add_to_collection("mine", x)
    tf.get_default_graph().add_to_collection("mine", y)
    tf.add_to_collection("mine", 3)
    assert tf.get_collection("mine") == [x, y, 3]
    assert tf.get_collection("mine", scope="a") == [x]
    assert tf.get_collection("mine", scope=".*y") == [y]
    tf.get_collection("mine").append(4)
    assert len(tf.get_collection("mine")) == 3
    tf.get_collection_ref("mine").append(4)
    assert len(tf.get_collection("mine")) == 4
    assert tf.get_collection("none") == []


def test_operands_bring_the_graph_that_they_are_in(graph):
    other = tf.Graph()
    with other.as_default():
        x = tf.constant(1.0)
    assert (x + 1.0).graph is other
    assert tf.reduce_sum(x).graph is other
    assert len(graph.nodes) == 0


def test_control_dependencies_run_first():
    v = tf.Variable(0.0)
    bump = v.assign_add(1.0)
    with tf.control_dependencies([bump]):
        inside = tf.constant(1.0) * 1.0
        with tf.control_dependencies(None):
            outside = tf.constant(1.0) * 1.0
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(outside)
        assert session.run(v) == 0
        session.run(inside)
        assert session.run(v) == 1


def test_ops_are_frozen_values():
    a, b = tf.placeholder("float", (2, 2)), tf.placeholder("float", (2, 2))
    first, second = tf.reduce_sum(a, axis=1), tf.reduce_sum(b, axis=1)
    assert first.op.op == second.op.op
    assert hash(first.op.op) == hash(second.op.op)
    assert first.op.op != tf.reduce_sum(a, axis=0).op.op
    with pytest.raises(AttributeError):
        first.op.op.axis = 2

"""Every error says what went wrong, with which node, on which line of the program."""

import inspect

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine import errors


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def here(offset: int = 0) -> str:
    """Return "file:line" of the line that calls it, or of one `offset` lines below."""
    frame = inspect.currentframe().f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno + offset}"


def says(error: pytest.ExceptionInfo, *parts: str) -> None:
    for part in parts:
        assert part in str(error.value), str(error.value)


def test_a_placeholder_that_is_not_fed():
    x, line = tf.placeholder("float", (2,), name="x"), here()
    with pytest.raises(errors.FeedError) as error:
        tf.Session().run(x * 2.0)
    says(error, "'x'", "must feed", line)


def test_a_fed_shape_that_does_not_fit():
    x, line = tf.placeholder("float", (None, 2), name="x"), here()
    with pytest.raises(errors.FeedError) as error:
        tf.Session().run(x, {x: np.zeros((5, 3))})
    says(error, "'x:0'", "(None, 2)", "(5, 3)", line)


def test_floats_fed_for_integers():
    x, line = tf.placeholder("int32", (2,), name="x"), here()
    with pytest.raises(errors.FeedError) as error:
        tf.Session().run(x, {x: [1.5, 2.0]})
    says(error, "'x:0'", "int32", "float", line)


def test_ragged_rows_fed():
    x, line = tf.placeholder("float", name="x"), here()
    with pytest.raises(errors.FeedError) as error:
        tf.Session().run(x, {x: [[1.0], [1.0, 2.0]]})
    says(error, "'x:0'", "different lengths", line)


def test_a_tensor_fed():
    x, line = tf.placeholder("float", name="x"), here()
    with pytest.raises(errors.FeedError) as error:
        tf.Session().run(x, {x: tf.constant(1.0)})
    says(error, "'x:0'", "run it first", line)


def test_a_variable_that_is_read_before_it_has_a_value():
    v, made = tf.Variable(1.0, name="v"), here()
    y, used = v + 1.0, here()
    with pytest.raises(errors.UninitializedError) as error:
        tf.Session().run(y)
    says(error, "'v'", "initializer")
    assert made in str(error.value) or used in str(error.value)


def test_a_variable_that_is_fetched_before_it_has_a_value():
    v, line = tf.Variable(1.0, name="v"), here()
    with pytest.raises(errors.FailedPreconditionError) as error:
        tf.Session().run(v)
    says(error, "'v'", "initializer", line)


def test_a_fetch_of_another_graph():
    with tf.Graph().as_default():
        x, line = tf.constant(1.0, name="far"), here()
    with pytest.raises(errors.GraphError) as error:
        tf.Session().run(x)
    says(error, "'far:0'", "another graph", line)


def test_a_variable_of_another_graph_fetched():
    with tf.Graph().as_default():
        v, line = tf.Variable(1.0, name="far"), here()
    with pytest.raises(errors.GraphError) as error:
        tf.Session().run(v)
    says(error, "'far:0'", "another graph", line)


def test_operands_of_two_graphs():
    with tf.Graph().as_default():
        x, line = tf.constant(1.0, name="far"), here()
    y = tf.constant(2.0)
    with pytest.raises(errors.GraphError) as error:
        y + x
    says(error, '"far:0"', "another graph", line)


def test_a_session_that_is_closed():
    x, line = tf.constant(1.0, name="x"), here()
    session = tf.Session()
    session.close()
    with pytest.raises(errors.SessionError) as error:
        session.run(x)
    says(error, "'x'", "closed", line)


def test_no_session_at_all():
    with pytest.raises(errors.SessionError, match="no default session"):
        tf.constant(1.0).eval()


def test_a_derivative_of_integers():
    x, line = tf.constant(1, name="x"), here()
    with pytest.raises(errors.GradientError) as error:
        tf.gradients(x, x)
    says(error, "'x'", "floating", line)


def test_shapes_that_do_not_fit_fail_where_they_are_written():
    a = tf.constant(np.zeros((2, 3)))
    with pytest.raises(errors.ShapeError) as error:
        tf.matmul(a, a, name="product")
    says(error, "'product'", "(2, 3)", "3 against 2", here(-1))


def test_shapes_that_do_not_fit_fail_at_the_run_if_only_the_run_knows_them():
    a = tf.placeholder("float", (None, None), name="a")
    y, line = tf.matmul(a, a, name="product"), here()
    with pytest.raises(errors.ShapeError) as error:
        tf.Session().run(y, {a: np.zeros((2, 3))})
    says(error, "'product'", "3 against 2", line)


def test_a_kernel_that_fails_at_the_run():
    rows = tf.constant([1.0, 2.0])
    y, line = tf.gather(rows, tf.placeholder("int32", name="i"), name="chosen"), here()
    with pytest.raises(errors.ExecutionError) as error:
        tf.Session().run(y, {"i:0": [5]})
    says(error, "'chosen'", "out of bounds", line)


def test_a_name_that_the_graph_does_not_have(graph):
    tf.constant(1.0, name="x")
    with pytest.raises(errors.GraphError, match="no node named 'y'"):
        graph.get_tensor_by_name("y:0")
    with pytest.raises(errors.GraphError, match="1 output"):
        graph.get_tensor_by_name("x:1")
    with pytest.raises(errors.GraphError, match="looks like 'x:0'"):
        graph.get_tensor_by_name("x")
    with pytest.raises(errors.GraphError, match="no node named 'y'"):
        tf.Session().run("y")


def test_a_finalized_graph_takes_no_node(graph):
    graph.finalize()
    with pytest.raises(errors.GraphError, match="finalized"):
        tf.constant(1.0)


def test_what_cannot_be_fetched():
    with pytest.raises(TypeError, match="cannot fetch None of type NoneType"):
        tf.Session().run(None)


def test_a_tensor_is_neither_true_nor_false():
    x = tf.constant(1.0, name="x")
    with pytest.raises(TypeError, match="symbolic"):
        bool(x)


@pytest.mark.parametrize(
    "ours, builtin",
    [
        (errors.ShapeError, ValueError),
        (errors.DTypeError, TypeError),
        (errors.GraphError, ValueError),
        (errors.FeedError, ValueError),
        (errors.FeedError, errors.InvalidArgumentError),
        (errors.ExecutionError, errors.InvalidArgumentError),
        (errors.GradientError, LookupError),
        (errors.GradientError, ValueError),
        (errors.UninitializedError, RuntimeError),
    ],
)
def test_errors_are_also_what_python_has(ours, builtin):
    assert issubclass(ours, builtin)
    assert issubclass(ours, errors.OpError)


def test_an_error_is_located_once():
    error = errors.ShapeError("too long")
    error.locate("node 'x'")
    error.locate("node 'y'")
    assert str(error) == "too long\n  at node 'x'"

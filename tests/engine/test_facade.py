"""How functions become TensorFlow 1's; settings that change nothing."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine import ops
from minikeras.engine.facade import graph_function


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@graph_function
def doubled(x, times=2):
    """Return `x` several times."""
    return ops.multiply(ops.identity(x), times)


def test_a_graph_function_is_lazy_where_the_function_is_not():
    assert isinstance(ops.add(1.0, 2.0), np.ndarray)
    total = tf.add(1.0, 2.0)
    assert isinstance(total, tf.Tensor)
    with tf.Session() as session:
        assert session.run(total) == 3


def test_it_takes_a_name_that_the_result_gets():
    assert doubled(1.0).name == "Mul:0"
    assert doubled(1.0, name="d").name == "d:0"
    assert doubled(1.0, 3, "e").name == "e:0"
    assert doubled(1.0, times=3, name="f").name == "f:0"
    assert doubled.__doc__ == "Return `x` several times."
    assert doubled.__name__ == "doubled"


def test_it_takes_the_old_names_of_arguments():
    renamed = graph_function(ops.sum, input_tensor="x", reduction_indices="axis")
    assert renamed(input_tensor=[[1.0, 2.0]], reduction_indices=1).shape == (1,)
    assert renamed([[1.0, 2.0]], axis=0).shape == (2,)
    with pytest.raises(TypeError):
        renamed([1.0], axes=0)


def test_a_name_in_a_scope(graph):
    with tf.name_scope("outer"):
        y = doubled(1.0, name="d")
    assert y.name == "outer/d:0"
    assert graph.get_tensor_by_name("outer/d:0") is y


def test_a_result_that_was_there_before_gets_a_node_for_the_name():
    x = tf.constant(1.0, name="x")
    same = graph_function(lambda x: x)
    assert same(x) is x
    assert same(x, name="y").name == "y:0"
    assert x.name == "x:0"


def test_laziness_ends_with_the_call():
    with pytest.raises(ValueError, match="grow"):
        graph_function(lambda: (_ for _ in ()).throw(ValueError("grow")))()
    assert isinstance(ops.add(1.0, 2.0), np.ndarray)


def test_settings_are_accepted():
    config = tf.ConfigProto(allow_soft_placement=True, log_device_placement=False)
    config.gpu_options.allow_growth = True
    options = tf.GPUOptions(per_process_gpu_memory_fraction=0.5)
    with tf.Session(config=tf.ConfigProto(gpu_options=options)) as session:
        with tf.device("/gpu:0"):
            x = tf.constant(2.0)
        assert session.run(x) == 2


def test_what_the_engine_offers():
    assert tf.Operation is type(tf.constant(1.0).op)
    assert issubclass(tf.TensorShape, tuple)
    assert tf.errors.InvalidArgumentError
    for name in ("range", "slice", "abs", "bool", "tuple", "round", "pow", "reverse"):
        assert hasattr(tf, name)

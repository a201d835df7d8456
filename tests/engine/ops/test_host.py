"""Python functions as ops: on arrays, in graphs, in plans, with text."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.compiler import CompiledPlan
from minikeras.engine.errors import ExecutionError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Routine, Session


def lengths(words):
    return np.array([len(w) for w in words.flat]).reshape(words.shape)


def lengths_of(words):
    return ops.py_func(lengths, [words], "int64", shape=lambda shape: shape)


def test_arrays_are_computed_at_once():
    found = lengths_of([["to", "b"], ["", "not"]])
    np.testing.assert_array_equal(found, [[2, 1], [0, 3]])
    assert found.dtype == "int64"


def test_it_is_called_in_each_run_on_what_the_run_is_given():
    with Graph().as_default() as graph:
        words = ops.placeholder("string", (None,))
        y = lengths_of(words)
        assert (y.shape, y.dtype) == ((None,), "int64")
        session = Session(graph=graph)
        assert session.run(y, {words: ["to", "be"]}).tolist() == [2, 2]
        assert session.run(y, {words: np.array([b"or"])}).tolist() == [2]


def test_plans_with_text_are_compiled():
    with Graph().as_default() as graph:
        words = ops.placeholder("string", (None, 1))
        y = ops.cast(lengths_of(words[:, 0]), "float32") * 2
        routine = Routine(Session(graph=graph), [y, words], [words])
        for text in (["to", "b"], ["not", "to"]):
            given = np.array(text, object)[:, None]
            found, same = routine(given)
            assert found.tolist() == [2 * len(w) for w in text]
            assert same.tolist() == given.tolist()
        (plan,) = routine.plans.values()
        assert isinstance(plan, CompiledPlan)


def test_text_that_is_computed_is_left_to_the_interpreter():
    with Graph().as_default() as graph:
        words = ops.placeholder("string", (2,))
        upper = ops.py_func(
            lambda words: [w.upper() for w in words], [words], "string", shape=(2,)
        )
        routine = Routine(Session(graph=graph), [lengths_of(upper), upper], [words])
        counts, found = routine(["to", "b"])
        assert (counts.tolist(), found.tolist()) == ([2, 1], ["TO", "B"])


def test_several_arguments_and_no_gradient():
    with Graph().as_default() as graph:
        a, b = ops.constant([1.0, 2.0]), ops.constant([3.0, 4.0])
        y = ops.py_func(np.add, [a, b], "float32", shape=(2,))
        assert gradients(y * a, [a, b])[1] is None
        assert Session(graph=graph).run(y).tolist() == [4, 6]


def test_the_rank_may_be_unknown():
    with Graph().as_default() as graph:
        y = ops.py_func(np.atleast_2d, [ops.constant([1, 2])], "int32")
        assert y.shape is None
        assert Session(graph=graph).run(y).tolist() == [[1, 2]]


def test_a_promise_about_the_shape_is_kept():
    with pytest.raises(ExecutionError, match=r"\(2,\), where \(3,\) was promised"):
        ops.py_func(np.square, [np.ones(2)], "float32", shape=(3,))

"""Functions compiled from tensors, and from Python functions by tracing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.backend.function import TRACES
from minikeras.engine.errors import FeedError
from minikeras.engine.session import Session


def test_nestings_of_inputs_and_outputs_are_kept() -> None:
    a, b = K.placeholder(shape=(2,)), K.placeholder(shape=(2,))
    f = K.function({"a": a, "b": [b]}, {"sum": a + b, "parts": (a, b)})
    found = f({"a": [1.0, 2.0], "b": [[3.0, 4.0]]})
    assert isinstance(found["parts"], tuple)
    np.testing.assert_array_equal(found["sum"], [4.0, 6.0])
    assert K.function(a, a * 2.0)([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_a_wrong_number_of_inputs_is_refused() -> None:
    x = K.placeholder(shape=(2,))
    with pytest.raises(ValueError, match="structure like"):
        K.function([x], [x])([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(FeedError, match=r"\(2,\)"):
        K.function([x], [x])([[1.0, 2.0, 3.0]])


def test_gradients_are_graph_and_none_where_there_is_no_path() -> None:
    w, unused = K.variable([1.0, 2.0]), K.variable(0.0)
    x = K.placeholder(shape=(2,))
    g, none = K.gradients(K.sum(K.square(x * w)), [w, unused])
    assert none is None
    np.testing.assert_allclose(K.function([x], [g])([[3.0, 4.0]])[0], [18.0, 64.0])


def test_a_function_is_traced_once_for_each_shape_and_each_plain_argument() -> None:
    traced: list[Any] = []

    @K.function
    def scale(x: Any, factor: float = 1.0) -> Any:
        traced.append((x.shape, factor))
        return x * factor

    for _ in range(2):
        scale(np.ones(2, "float32"))
        scale(np.ones(3, "float32"))
        np.testing.assert_array_equal(
            scale(np.ones(2, "float32"), factor=2.0), [2.0, 2.0]
        )
    assert traced == [((2,), 1.0), ((3,), 1.0), ((2,), 2.0)]


def test_a_function_keeps_the_traces_used_last() -> None:
    traced: list[int] = []

    @K.function
    def scale(x: Any, factor: int) -> Any:
        traced.append(factor)
        return x * factor

    x = np.ones(2, "float32")
    factors = range(1, TRACES + 20)
    for factor in factors:
        for by in (1, factor):  # 1 is used all the time
            np.testing.assert_array_equal(scale(x, by), [by, by])
    assert traced == [*factors]  # none of them twice
    assert len(scale.traces) == TRACES
    for by in (1, *factors[-(TRACES - 1) :]):
        scale(x, by)
    assert traced == [*factors]
    scale(x, 2)
    assert traced == [*factors, 2]


def test_a_function_returns_what_it_does_not_compute_as_it_is() -> None:
    @K.function
    def f(x: Any) -> Any:
        return {"y": x + 1.0, "name": "f", "none": None, "constant": np.arange(2)}

    found = f(np.zeros(2, "float32"))
    assert found["name"] == "f"
    assert found["none"] is None
    np.testing.assert_array_equal(found["y"], [1.0, 1.0])
    np.testing.assert_array_equal(found["constant"], [0, 1])


def test_the_learning_phase_can_be_fed_or_set() -> None:
    K.clear_session()
    x = K.placeholder(shape=(2,))
    y = K.in_train_phase(x * 2.0, x)
    f = K.function([x, K.learning_phase()], [y])
    np.testing.assert_array_equal(f([[1.0, 2.0], True])[0], [2.0, 4.0])
    np.testing.assert_array_equal(f([[1.0, 2.0], False])[0], [1.0, 2.0])
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    np.testing.assert_array_equal(
        K.function([x], [K.in_train_phase(x * 2.0, x)])([[1, 2]])[0], [2, 4]
    )
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)
    K.clear_session()


def test_the_session_can_be_replaced_and_keeps_the_variables() -> None:
    v = K.variable(3.0)
    before = K.get_session()
    try:
        K.set_session(Session())
        assert K.get_session() is not before
        assert K.get_value(v) == 3.0
    finally:
        K.set_session(before)
    assert K.get_value(v) == 3.0


def test_the_session_runs_graphs_of_k() -> None:
    x = K.placeholder(shape=())
    assert K.get_session().run(x * K.variable(2.0), {x: 4.0}) == 8.0


def test_methods_run_compiled_on_arrays_and_plain_on_tensors() -> None:
    class Counter:
        def __init__(self) -> None:
            self.total = K.variable(0.0)

        @K.compiled_method
        def add(self, x: Any) -> Any:
            return self.total.assign_add(K.sum(x))

    counter = Counter()
    assert counter.add(np.ones(3, "float32")) == 3.0
    assert counter.add(np.ones(3, "float32")) == 6.0
    assert counter.total.numpy() == 6.0


def test_one_trace_may_serve_any_number_of_rows() -> None:
    traced: list[Any] = []

    def total(x: Any) -> Any:
        traced.append(x.shape)
        return K.sum(x, axis=0)

    rowwise = K.TracedFunction(total, any_rows=True)
    for rows in (1, 3, 2):
        x = np.arange(rows * 2.0, dtype="float32").reshape(rows, 2)
        np.testing.assert_array_equal(rowwise(x), x.sum(0))
    rowwise(np.ones((3, 4), "float32"))
    rowwise(np.ones((3, 2), "int32"))
    assert traced == [(None, 2), (None, 4), (None, 2)]


def test_arguments_of_other_forms_are_traced_apart() -> None:
    traced: list[Any] = []

    @K.function
    def f(x: Any) -> Any:
        traced.append(type(x))
        if isinstance(x, dict):
            return x["a"] - x["b"]
        return x[0] * x[1] if isinstance(x, tuple) else x[0] + x[1]

    a, b = np.array([8.0], "float32"), np.array([2.0], "float32")
    for _ in range(2):
        assert f([a, b]) == 10.0
        assert f((a, b)) == 16.0
        assert f({"a": a, "b": b}) == f({"b": b, "a": a}) == 6.0
    assert traced == [list, tuple, dict, dict]


def test_what_changes_outside_of_a_trace_is_noted() -> None:
    v = K.variable(1.0)
    before = K.last_change()
    v.assign(2.0)
    v.trainable = True
    assert K.last_change() is before
    v.trainable = False
    assert K.last_change() is not before
    before = K.last_change()
    K.function(lambda: K.note_change())()
    assert K.last_change() is before

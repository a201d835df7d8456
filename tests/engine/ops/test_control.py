"""Branches and loops: values against Python's own, gradients against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import DTypeError, GraphError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session
from minikeras.engine.variables import Variable, global_variables, variables_initializer
from tests.oracles.gradcheck import check_gradient, check_second_order


def evaluated(function: Callable[..., Any], *arrays: Any, shapes: Any = None) -> Any:
    """Return the values of what `function` builds from placeholders for `arrays`."""
    with Graph().as_default():
        given = [np.asarray(a) for a in arrays]
        open_shapes = shapes or [a.shape for a in given]
        xs = [
            ops.placeholder(a.dtype, s) for a, s in zip(given, open_shapes, strict=True)
        ]
        ys = function(*xs)
        with Session() as session:
            session.run(variables_initializer(global_variables()))
            return session.run(ys, dict(zip(xs, given, strict=True)))


def recurrence(x: Any, w: Any) -> Any:
    """h[t+1] = tanh(h[t] w + x[t]), with rows 2 h."""

    def step(h: Any, row: Any) -> Any:
        new = ops.tanh(ops.matmul(h, w) + row)
        return new, new * 2.0

    return ops.scan(step, ops.sum(x, 0) * 0.0, x)


def recurrence_by_hand(x: np.ndarray, w: np.ndarray) -> Any:
    h, rows = np.zeros_like(x[0]), []
    for row in x:
        h = np.tanh(h @ w + row)
        rows.append(2 * h)
    return h, np.stack(rows)


@pytest.fixture
def sequence(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.standard_normal((4, 2, 3)), rng.standard_normal((3, 3))]


def test_scan_is_the_loop_written_out(sequence: list[np.ndarray]) -> None:
    last, rows = evaluated(recurrence, *sequence)
    want_last, want_rows = recurrence_by_hand(*sequence)
    np.testing.assert_allclose(last, want_last, rtol=1e-12)
    np.testing.assert_allclose(rows, want_rows, rtol=1e-12)


def test_scan_runs_over_an_unknown_number_of_steps(sequence: list[np.ndarray]) -> None:
    open_shapes = [(None, None, 3), (3, 3)]
    for steps in (1, 3):
        x = sequence[0][:steps]
        last, rows = evaluated(recurrence, x, sequence[1], shapes=open_shapes)
        assert rows.shape == (steps, 2, 3)
        np.testing.assert_allclose(
            last, recurrence_by_hand(x, sequence[1])[0], rtol=1e-12
        )


def test_scan_on_arrays_computes_at_once(sequence: list[np.ndarray]) -> None:
    last, rows = recurrence(*sequence)
    assert isinstance(last, np.ndarray)
    np.testing.assert_allclose(rows, recurrence_by_hand(*sequence)[1], rtol=1e-12)


def test_scan_in_reverse_keeps_the_order_of_rows() -> None:
    x = np.arange(1.0, 5.0)
    total, rows = evaluated(
        lambda x: ops.scan(lambda c, v: (c + v, c), x[0] * 0, x, reverse=True), x
    )
    assert total == 10
    np.testing.assert_array_equal(rows, [9, 7, 4, 0])


def test_scan_by_length_counts() -> None:
    count, rows = evaluated(
        lambda x: ops.scan(lambda c, _: (c * 2.0, c), x, length=5), np.float64(1.0)
    )
    assert count == 32
    np.testing.assert_array_equal(rows, [1, 2, 4, 8, 16])


def test_scan_of_no_steps_gives_empty_rows() -> None:
    last, rows = evaluated(recurrence, np.zeros((0, 2, 3)), np.eye(3))
    assert rows.shape == (0, 2, 3)
    np.testing.assert_array_equal(last, np.zeros((2, 3)))


def test_scan_has_first_and_second_derivatives(
    sequence: list[np.ndarray], rng: np.random.Generator
) -> None:
    check_gradient(recurrence, sequence, (0, 1), rng)
    check_second_order(recurrence, sequence, (0, 1), rng)


def test_nested_scans_have_derivatives(rng: np.random.Generator) -> None:
    def function(x: Any, w: Any) -> Any:
        def outer(c: Any, row: Any) -> Any:
            inner, _ = ops.scan(lambda d, v: (ops.tanh(d * w + v), None), c, row)
            return inner, inner

        return ops.scan(outer, w * 0.0, x)

    check_gradient(function, [rng.standard_normal((3, 2)), np.array(0.7)], (0, 1), rng)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cond_takes_one_branch_and_its_gradient(
    sign: float, rng: np.random.Generator
) -> None:
    def function(x: Any, w: Any) -> Any:
        return ops.cond(
            ops.sum(x) > 0.0, lambda: ops.sum(x * w), lambda: ops.sum(x * x * w * w)
        )

    x, w = sign * np.array([1.0, 2.0]), np.array([3.0, 4.0])
    want = np.sum(x * w) if sign > 0 else np.sum(x * x * w * w)
    assert evaluated(function, x, w) == want
    check_gradient(function, [x, w], (0, 1), rng)
    check_second_order(function, [x, w], (0, 1), rng)


def test_only_the_branch_taken_changes_variables() -> None:
    with Graph().as_default(), Session() as session:
        v = Variable(1.0)
        p = ops.placeholder("bool", ())
        out = ops.cond(p, lambda: v.assign(5.0), lambda: ops.constant(0.0))
        session.run(v.initializer)
        session.run(out, {p: False})
        assert session.run(v) == 1.0
        session.run(out, {p: True})
        assert session.run(v) == 5.0


def test_gradients_reach_variables_used_in_a_body() -> None:
    with Graph().as_default(), Session() as session:
        v = Variable(3.0)
        x = ops.placeholder("float32", (None,))
        last, _ = ops.scan(lambda c, row: (c + v * row, None), ops.constant(0.0), x)
        (g,) = gradients(last, [v])
        session.run(v.initializer)
        assert session.run(g, {x: [1.0, 2.0, 4.0]}) == 7.0


def test_while_loop_is_pythons_while() -> None:
    def function(x: Any) -> Any:
        return ops.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, y * y), (ops.constant(0), x)
        )

    i, y = evaluated(function, np.float64(1.1))
    assert i == 3
    np.testing.assert_allclose(y, 1.1**8)


def test_while_loop_has_first_and_second_derivatives(rng: np.random.Generator) -> None:
    def function(x: Any, w: Any) -> Any:
        _, y = ops.while_loop(
            lambda i, y: i < 4,
            lambda i, y: (i + 1, ops.sin(y * w) + y),
            (ops.constant(0), x),
        )
        return y

    arrays = [rng.standard_normal(3), rng.standard_normal(3)]
    check_gradient(function, arrays, (0, 1), rng)
    check_second_order(function, arrays, (0, 1), rng)


def test_a_loop_that_depends_on_data_stops_when_it_should() -> None:
    n = evaluated(
        lambda x: ops.while_loop(
            lambda n, c: n > 1, lambda n, c: (n // 2, c + 1), (x, x * 0)
        ),
        np.int32(1000),
    )
    assert n == (1, 9)


def test_maximum_iterations_bounds_a_loop() -> None:
    def count(x: Any) -> Any:
        return ops.while_loop(
            lambda i: i >= 0, lambda i: i + 1, (x,), maximum_iterations=7
        )

    assert evaluated(count, np.int32(0)) == (7,)
    assert count(np.int32(0)) == (7,)


def test_a_loop_variable_may_grow() -> None:
    (grown,) = evaluated(
        lambda x: ops.while_loop(
            lambda v: ops.shape(v)[0] < 5,
            lambda v: (ops.concatenate([v, v[-1:] + 1], 0),),
            (x,),
        ),
        np.array([1, 2], "int32"),
    )
    np.testing.assert_array_equal(grown, [1, 2, 3, 4, 5])


def test_branches_of_different_dtypes_are_refused() -> None:
    with Graph().as_default():
        p = ops.placeholder("bool", ())
        with pytest.raises(DTypeError, match="int32, the other float32"):
            ops.cond(p, lambda: ops.constant(1), lambda: ops.constant(1.0))


def test_a_carry_that_changes_its_dtype_is_refused() -> None:
    with Graph().as_default():
        start = ops.constant(0)
        with pytest.raises(DTypeError, match="carry 0 starts as int32"):
            ops.while_loop(lambda i: i < 3, lambda i: i * 1.5, (start,))


def test_scanning_a_scalar_is_refused() -> None:
    with Graph().as_default():
        x = ops.constant(1.0)
        with pytest.raises(ShapeError, match="leading axis"):
            ops.scan(lambda c, x: (c, x), x, x, length=2)


def test_a_variable_read_and_then_assigned_in_a_body_is_refused() -> None:
    with Graph().as_default():
        v, start = Variable(1.0), ops.constant(0.0)
        with pytest.raises(GraphError, match="read and then assigned"):
            ops.while_loop(lambda i: i < 3, lambda i: v.assign(i + v), (start,))

"""Branches and loops: values against Python's own, gradients against differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.errors import DTypeError, GraphError
from minikeras.engine.graph import Graph
from minikeras.engine.ops.body import PLANS
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


def test_a_loop_whose_variable_grows_keeps_few_plans() -> None:
    with Graph().as_default(), Session() as session:
        start = ops.placeholder("float32", (None,))
        _, grown = ops.while_loop(
            lambda n, x: n < 3 * PLANS,
            lambda n, x: (n + 1, ops.concatenate([x, ops.ones((1,))])),
            [ops.constant(0), start],
        )
        for _ in range(6):  # often enough for those that are kept to be compiled
            (found,) = session.run([grown], {start: [2.0]})
            np.testing.assert_array_equal(found, [2.0] + [1.0] * 3 * PLANS)
        assert 0 < len(grown.node.op.body._plans) <= PLANS


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


def test_a_variable_read_and_then_assigned_in_a_body_is_refused() -> None:
    with Graph().as_default():
        v, start = Variable(1.0), ops.constant(0.0)
        with pytest.raises(GraphError, match="read and then assigned"):
            ops.while_loop(lambda i: i < 3, lambda i: v.assign(i + v), (start,))

"""`scan` and its gradient: values against loops written out; what is computed when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph, Tensor
from minikeras.engine.op import Op
from minikeras.engine.session import Session
from minikeras.engine.variables import Variable
from tests.engine.ops.test_control import evaluated
from tests.oracles.gradcheck import check_gradient, check_second_order


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


def test_gradients_reach_variables_used_in_a_body() -> None:
    with Graph().as_default(), Session() as session:
        v = Variable(3.0)
        x = ops.placeholder("float32", (None,))
        last, _ = ops.scan(lambda c, row: (c + v * row, None), ops.constant(0.0), x)
        (g,) = gradients(last, [v])
        session.run(v.initializer)
        assert session.run(g, {x: [1.0, 2.0, 4.0]}) == 7.0


def test_scanning_a_scalar_is_refused() -> None:
    with Graph().as_default():
        x = ops.constant(1.0)
        with pytest.raises(ShapeError, match="leading axis"):
            ops.scan(lambda c, x: (c, x), x, x, length=2)


# -- gradients -------------------------------------------------------------------------


def total(step: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return a function that scans x from a start h, and gives last carry and rows."""
    return lambda h, x, *more: ops.scan(lambda c, r: step(c, r, *more), h, x)


def tied(h: Any, x: Any, w: Any) -> Any:
    """Use one kernel for both, and transposed for the output."""
    new = ops.tanh(ops.matmul(h, w) + ops.matmul(x, w))
    return new, ops.matmul(new, w, transpose_b=True)


def columns(h: Any, x: Any, w: Any) -> Any:
    """Use the kernel from the left: states are columns."""
    new = ops.tanh(ops.matmul(w, h, transpose_a=True) + x)
    return new, ops.matmul(w, new)


def shifted(h: Any, x: Any, w: Any) -> Any:
    """Use a row of the kernel for a bias, and an element for a scale."""
    new = ops.sin(h + x + w[0])
    return new, new * w[1, 1] + ops.sum(w, 0, keepdims=True)


def prepared(h: Any, x: Any, w: Any) -> Any:
    """Compute something of the kernel that is the same at each step."""
    first, second = ops.split(ops.exp(w), [1, 2], axis=1)
    new = ops.tanh(ops.matmul(h, ops.concatenate([second, first * first], 1)) + x)
    return new, ops.matmul(new, second)


def batched(h: Any, x: Any, w: Any) -> Any:
    """Use a kernel of its own for each sequence."""
    y = ops.matmul(ops.expand_dims(h + x, 1), ops.stack([w, w * w]))
    return ops.tanh(ops.squeeze(y, 1)), y


def branching(h: Any, x: Any, w: Any) -> Any:
    """Take one of two branches."""
    new = ops.cond(
        ops.sum(h) > 0.0, lambda: ops.matmul(h, w) + x, lambda: ops.tanh(h + x) * w[0]
    )
    return new, h


def ragged(h: Any, x: Any, w: Any) -> Any:
    """Compute with as many elements as happen to be positive."""
    chosen = x[x > 0.0]
    some = ops.sum(ops.matmul(ops.reshape(chosen, (-1, 1)) ** 2, w[:1]), 0)
    return ops.tanh(h * some), ops.sum(ops.sin(chosen) * chosen)


def nested(h: Any, x: Any, w: Any) -> Any:
    """Loop inside the loop, as often as the data say."""
    count = 1 + ops.cast(ops.sum(x) > 0.0, "int32")
    new, rows = ops.scan(
        lambda c, _: (ops.tanh(ops.matmul(c, w) + x), c), h, length=count
    )
    return new, ops.sum(ops.square(rows), 0)


def counting(state: Any, x: Any, w: Any) -> Any:
    """Carry an integer, and a value that passes through as it is."""
    i, h, same = state
    new = ops.tanh(h + x * same) * ops.cast(i, h.dtype)
    return (i + 1, new, same), (x, h, ops.matmul(new, w))


STEPS = [tied, columns, shifted, prepared, batched, branching, ragged, nested]


def start(step: Any, rng: np.random.Generator) -> list[np.ndarray]:
    """Return h, x and w for a step."""
    rows = (3, 2) if step is columns else (2, 3)
    shapes = [rows, (4, *rows), (3, 3)]
    return [0.7 * rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("step", STEPS)
def test_scans_have_derivatives(step: Any, rng: np.random.Generator) -> None:
    arrays = start(step, rng)
    check_gradient(total(step), arrays, (0, 1, 2), rng)
    check_second_order(total(step), arrays, (0, 1, 2), rng)


def test_carries_of_several_kinds_have_derivatives(rng: np.random.Generator) -> None:
    def function(h: Any, x: Any, w: Any) -> Any:
        (_, last, same), rows = ops.scan(
            lambda c, r: counting(c, r, w), (ops.constant(1), h, h * 2.0), x
        )
        return [last, same, *rows]

    arrays = start(counting, rng)
    check_gradient(function, arrays, (0, 1, 2), rng)
    check_second_order(function, arrays, (0, 1, 2), rng)


@pytest.mark.parametrize("step", STEPS)
def test_gradients_do_not_depend_on_what_is_known_of_shapes(
    step: Any, rng: np.random.Generator
) -> None:
    def slopes(*xs: Any) -> Any:
        return gradients(list(total(step)(*xs)), list(xs))

    arrays = start(step, rng)
    known = evaluated(slopes, *arrays)
    sizes = [(None,) * a.ndim for a in arrays]
    sizes[2] = arrays[2].shape  # the kernels of these steps are cut at fixed places
    for found, want in zip(
        evaluated(slopes, *arrays, shapes=sizes), known, strict=True
    ):
        np.testing.assert_allclose(found, want, rtol=1e-12)


def test_no_steps_have_no_gradient() -> None:
    def slopes(x: Any, w: Any) -> Any:
        return gradients(list(recurrence(x, w)), [x, w])

    to_x, to_w = evaluated(slopes, np.zeros((0, 2, 3)), np.eye(3))
    assert to_x.shape == (0, 2, 3)
    np.testing.assert_array_equal(to_w, np.zeros((3, 3)))


def test_the_gradient_knows_the_numbers_drawn_in_a_step() -> None:
    def function(x: Any) -> Any:
        def step(c: Any, row: Any) -> Any:
            kept = row * ops.random_bernoulli(ops.next_key(), (50,), 0.5, "float64")
            return c + ops.sum(kept), None

        last, _ = ops.scan(step, ops.constant(0.0, "float64"), x)
        return [last, *gradients(last, [x])]

    x = np.arange(1.0, 201.0).reshape(4, 50)
    last, mask = evaluated(function, x)
    assert 0 < np.sum(mask) < 200
    assert np.sum(mask * x) == last


# -- what is computed, and how often ---------------------------------------------------


class Counted(Op):
    """y = x; notes that it has been run."""

    calls: Any
    stateful = True
    any_rank = True

    def infer(self, x: Any) -> Any:
        return x

    def run(self, run: Any, node: Any, x: Any) -> Any:
        self.calls.append(node.name)
        return x

    def vjp(self, g: Any, y: Any, x: Any) -> Any:
        return (g * (y / y),)  # uses its value


def scans(ys: Any) -> list[Any]:
    """Return the scans above, with the nodes that each step of them runs."""
    frontier, found = [y.node for y in ys], {}
    uses: set[Tensor] = set(ys)
    while frontier:
        node = frontier.pop()
        uses.update(node.inputs if node.op.name != "shape" else ())
        frontier += [x.node for x in node.inputs]
        if node.op.name == "scan":
            found[node] = None
    return [
        [n.type for n in _run(n.op.cut([y in uses for y in n.outputs]).body)]
        for n in sorted(found, key=lambda n: n.index)
    ]


def _run(body: Any) -> list[Any]:
    above, ends = set(), set(body.feeds)
    frontier = list(body.outputs)
    while frontier:
        y = frontier.pop()
        if y not in ends:
            above.add(y.node)
            frontier += y.node.inputs
    return sorted(above, key=lambda n: n.index)


def test_a_gradient_runs_each_step_once(sequence: list[np.ndarray]) -> None:
    calls: list[str] = []

    def slopes(x: Any, w: Any) -> Any:
        def step(h: Any, row: Any) -> Any:
            new = ops.tanh(Counted(calls)(ops.matmul(h, w) + row))
            return new, new

        ys = ops.scan(step, ops.sum(x, 0) * 0.0, x)
        return [*ys, *gradients(list(ys), [x, w])]

    evaluated(slopes, *sequence)
    assert len(calls) == len(sequence[0])


def test_what_nobody_wants_is_not_computed() -> None:
    calls: list[str] = []

    def function(x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            kept, left = carry
            y = Counted(calls)(row)
            return (kept + row, left + y), (row * 2.0, y)

        (kept, _), (rows, _) = ops.scan(step, (x[0] * 0.0, x[0] * 0.0), x)
        return kept, rows

    kept, rows = evaluated(function, np.array([1.0, 2.0, 4.0]))
    assert kept == 7
    np.testing.assert_array_equal(rows, [2, 4, 8])
    assert calls == []


def test_assignments_are_wanted_always() -> None:
    with Graph().as_default(), Session() as session:
        count = Variable(0.0)
        x = ops.placeholder("float32", (None,))

        def step(c: Any, row: Any) -> Any:
            seen = ops.cond(
                row > 0.0, lambda: count.assign_add(1.0), lambda: ops.constant(0.0)
            )
            return c + row, seen

        last, _ = ops.scan(step, ops.constant(0.0), x)
        (slope,) = gradients(last, [x])
        session.run(count.initializer)
        session.run([last, slope], {x: [1.0, -1.0, 2.0]})
        assert session.run(count) == 2


def test_gradients_of_kernels_are_products_outside_the_loop() -> None:
    with Graph().as_default():
        x = ops.placeholder("float32", (None, None, 3))
        w, b = ops.placeholder("float32", (3, 3)), ops.placeholder("float32", (3,))

        def step(h: Any, row: Any) -> Any:
            return ops.tanh(ops.matmul(h, w) + row + b), None

        last, _ = ops.scan(step, x[0] * 0.0, x)
        forward, backward = scans([last, *gradients(last, [w, b])])
    assert [t for t in forward if t != "Const"] == ["MatMul", "Add", "Add", "Tanh"]
    assert backward.count("MatMul") == 1  # for the state; and nothing is run again
    assert not {"Tanh", "Add", "Transpose"} & {*backward}


def test_what_is_the_same_at_each_step_is_computed_once() -> None:
    with Graph().as_default():
        x, w = ops.placeholder("float32", (5, 2, 3)), ops.placeholder("float32", (3, 3))
        last, _ = ops.scan(lambda h, r: (ops.matmul(h, ops.exp(w)) + r, None), x[0], x)
        forward, backward = scans([last, *gradients(last, [x, w])])
    assert forward == ["MatMul", "Add"]
    assert {*backward} <= {"MatMul", "SumLike"}


def test_a_gate_of_four_has_a_gradient_of_one_piece() -> None:
    with Graph().as_default():
        x = ops.placeholder("float32", (None, None, 8))

        def step(c: Any, row: Any) -> Any:
            a, b, d, e = ops.split(row, 4, axis=-1)
            return ops.tanh(a) * c + ops.tanh(b) * ops.tanh(d) * e, None

        last, _ = ops.scan(step, x[0, :, :2], x)
        _, backward = scans([last, *gradients(last, [x])])
    assert backward.count("Concat") == 1
    assert not {"ZerosLike", "ScatterSelected"} & {*backward}

"""What a compiled plan promises: few calls, bounded memory, whole steps, a table."""

from __future__ import annotations

from threading import Thread
from typing import Any
from weakref import ref

import numpy as np
import pytest

import minikeras as keras
import minikeras.engine as tf
from minikeras.engine.compiler import CompiledPlan, without
from minikeras.engine.compiler.program import Call, Fused
from minikeras.engine.errors import ExecutionError
from minikeras.engine.session import PLANS

X = np.random.default_rng(0).standard_normal((96, 12)).astype("float32")
Y = np.random.default_rng(1).integers(0, 4, 96)


def mlp(*widths: int, activation: str = "relu") -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(n, activation) for n in widths]
    return keras.Sequential([keras.Input((12,)), *layers, keras.layers.Dense(4)])


def fitted(model: keras.Model, **options: Any) -> CompiledPlan:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, **options)
    model.fit(X, Y, batch_size=32, verbose=0)
    return model.plans()[0]


def test_a_step_of_an_mlp_is_its_products_and_a_few_loops() -> None:
    plan = fitted(mlp(16, 16))
    units = plan.schedule.instructions
    products = [u for u in units if isinstance(u, Call) and u.node.op.name == "matmul"]
    assert len(products) == 3 + 5
    others = {u.node.op.name for u in units if isinstance(u, Call)} - {"matmul"}
    assert others <= {"class_numbers", "sparse_softmax_cross_entropy"}
    assert len(units) <= 22
    assert sum(isinstance(u, Fused) for u in plan.schedule.commit) <= 3


def test_loops_know_how_far_parts_of_one_array_are_apart() -> None:
    rows = np.random.default_rng(0).standard_normal((5, 9)).astype("float32")
    with tf.Graph().as_default(), tf.Session() as session, without("wait"):
        x = tf.placeholder("float", (None, 9))
        routine: Any = session.routine([x[:, 1:-1] * 2.0 - x[:, :-2] - x[:, 2:]], [x])
        (found,) = routine(rows)
        (plan,) = routine.plans.values()
    wanted = rows[:, 1:-1] * 2 - rows[:, :-2] - rows[:, 2:]
    np.testing.assert_array_equal(found, wanted)
    (loop,) = plan.schedule.loops()
    assert loop.places == (None, (0, -1), (0, 1), None)


def test_a_deeper_model_needs_calls_and_time_in_proportion() -> None:
    sizes = [len(fitted(mlp(*[8] * n)).schedule.instructions) for n in (5, 10, 20)]
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0])


@pytest.mark.parametrize("widths", [(16,), (64, 8, 64), (32,) * 6])
def test_memory_is_near_the_least_that_will_do(widths: tuple[int, ...]) -> None:
    memory = fitted(mlp(*widths)).schedule.memory
    assert 0 < memory.least <= memory.size <= 1.2 * memory.least


def test_values_in_use_at_one_time_do_not_overlap() -> None:
    schedule = fitted(mlp(24, 24, activation="tanh")).schedule
    units = schedule.instructions
    where = schedule.memory.offset
    last = {x.base: i for i, u in enumerate(units) for x in u.inputs}
    born: dict[Any, int] = {}
    for i, unit in enumerate(units):
        for y in unit.outputs:
            born.setdefault(y.base, i)
    spans = [
        (where[s], where[s] + s.layout.nbytes, born[s], last.get(s, len(units)))
        for s in where
    ]
    for a in spans:
        for b in spans:
            lie_apart = a[1] <= b[0] or b[1] <= a[0]
            live_apart = a[3] <= b[2] or b[3] <= a[2]
            assert a is b or lie_apart or live_apart


def test_explain_says_what_each_call_does_for_whom_and_changes_nothing() -> None:
    model = mlp(16)
    plan = fitted(model)
    before = model.get_weights()
    table = plan.explain(repeats=3)
    for got, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)
    first = table.rows[0]
    assert (first.what, first.flops) == ("matmul", 2 * 32 * 12 * 16)
    assert first.bytes == 4 * (32 * 12 + 12 * 16 + 32 * 16)
    assert first.layer.endswith(model.layers[0].name)
    assert all(row.seconds is not None and row.seconds >= 0 for row in table.rows)
    assert all(row.seconds is None for row in plan.explain().rows)
    assert str(table).splitlines()[0].split()[:3] == ["call", "layer", "shapes"]
    assert "Mflop" in str(table).splitlines()[-1]


def test_a_plan_that_never_ran_cannot_be_explained() -> None:
    x = tf.placeholder("float", (2,))
    with tf.Session() as session, without("wait"):
        routine: Any = session.routine([x * 2.0], [x])
        made = routine._plan((), [np.ones(2, "float32")])
        with pytest.raises(ExecutionError, match="run the plan first"):
            made.explain()


def counting() -> tuple[Any, Any, Any]:
    """Return a variable, its update, and a switch that makes the run fail."""
    v = tf.Variable(0.0)
    fails = tf.placeholder("bool", ())
    other = tf.Variable(0.0)
    check = tf.Assert(tf.logical_not(fails), [fails])
    step = tf.group(v.assign_add(1.0), other.assign_add(2.0), check)
    return v, step, fails


def test_a_run_that_fails_changes_no_variable() -> None:
    with tf.Graph().as_default(), without("wait"):
        v, step, fails = counting()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(step, {fails: False})
            with pytest.raises(ExecutionError, match="assertion failed") as caught:
                session.run(step, {fails: True})
            assert caught.value.__cause__ is None  # the engine's own, as it was raised
            assert session.run(v) == 1.0
            session.run(step, {fails: False})
            assert session.run(v) == 2.0


def test_an_initializer_that_fails_leaves_its_variable_without_a_value() -> None:
    with tf.Graph().as_default(), without("wait"), tf.Session() as session:
        fails = tf.placeholder("bool", ())
        with tf.control_dependencies([tf.Assert(tf.logical_not(fails), [fails])]):
            start = tf.identity(tf.constant(1.0)) * 2.0
        v = tf.Variable(start)
        with pytest.raises(ExecutionError, match="assertion failed"):
            session.run(v.initializer, {fails: True})
        with pytest.raises(tf.errors.UninitializedError):
            session.run(v)


def test_the_plans_used_last_are_kept_and_others_leave_with_their_memory() -> None:
    with tf.Graph().as_default(), tf.Session() as session, without("wait"):
        x = tf.placeholder("float", (None, 3))
        v = tf.Variable(0.0)
        total = v.assign_add(tf.reduce_sum(x))
        session.run(tf.global_variables_initializer())
        routine: Any = session.routine([x * 2.0, total, v.handle], [x])
        plans, memory, wanted = {}, {}, 0.0
        for rows in range(1, 41):
            for n in (rows, 1):  # 1 is used all the time
                array = np.full((n, 3), n, "float32")
                wanted += 3.0 * n * n
                twice, *sums = routine.run([array])
                np.testing.assert_array_equal(twice, 2 * array)
                assert sums == [wanted, wanted]
            newest = [*routine.plans.values()][-1]
            plans[rows], memory[rows] = ref(newest), ref(newest.arena.base)
            del newest
            assert len(routine.plans) == min(rows, PLANS)
    kept = {1, *range(40 - PLANS + 2, 41)}
    assert {rows for rows, plan in plans.items() if plan()} == kept
    assert {rows for rows, array in memory.items() if array() is not None} == kept


def test_plans_that_are_not_compiled_are_no_more() -> None:
    with tf.Graph().as_default(), tf.Session() as session, without("wait", "compile"):
        x = tf.placeholder("float", (None,))
        routine: Any = session.routine([x * 2.0], [x])
        for n in range(1, 41):
            (twice,) = routine(np.ones(n))
            np.testing.assert_array_equal(twice, np.full(n, 2.0))
        assert [shape for ((shape, _),) in routine.plans] == [
            (n,) for n in range(41 - PLANS, 41)
        ]


def test_plans_of_two_threads_do_not_meet() -> None:
    model = mlp(32)
    want = model.predict(X, verbose=0)
    wrong: list[Any] = []

    def work(rows: slice) -> None:
        for _ in range(50):
            got = model.predict_on_batch(X[rows])
            if not np.allclose(got, want[rows], atol=1e-6):
                wrong.append(got)

    threads = [Thread(target=work, args=(slice(i, i + 32),)) for i in (0, 32, 64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_training_gives_the_same_bits_again() -> None:
    runs = []
    for _ in range(2):
        keras.backend.clear_session()
        model = mlp(32, 32)
        fitted(model)
        runs.append(model.get_weights())
    for got, want in zip(*runs, strict=True):
        np.testing.assert_array_equal(got, want)


def test_what_a_run_returns_is_the_callers() -> None:
    x = tf.placeholder("float", (3,))
    v = tf.Variable([1.0, 2.0, 3.0])
    with tf.Session() as session, without("wait"):
        session.run(v.initializer)
        first = session.run([x * 1.0, v, v + x], {x: [1.0, 2.0, 3.0]})
        for array in first:
            array += 100.0
        again = session.run([x * 1.0, v, v + x], {x: [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(again, [[1, 2, 3], [1, 2, 3], [2, 4, 6]])
    np.testing.assert_array_equal(first[0], [101, 102, 103])


def test_a_value_read_before_an_assignment_is_the_old_one() -> None:
    with tf.Graph().as_default(), without("wait"), tf.Session() as session:
        v = tf.Variable([1.0, 2.0])
        old = v.read_value()
        new = v.assign(v * 10.0)
        after = v + 1.0
        session.run(v.initializer)
        for scale in (1.0, 10.0):
            found = session.run([old, new, after, v])
            want = scale * np.array([1.0, 2.0])
            for got, expected in zip(
                found, (want, 10 * want, 10 * want + 1, 10 * want), strict=True
            ):
                np.testing.assert_array_equal(got, expected)


def test_two_variables_change_places() -> None:
    with tf.Graph().as_default(), without("wait"), tf.Session() as session:
        a, b = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])
        first, second = a.read_value(), b.read_value()
        swap = tf.group(a.assign(second), b.assign(first))
        session.run(tf.global_variables_initializer())
        session.run(swap)
        np.testing.assert_array_equal(session.run([a, b]), [[3, 4], [1, 2]])
        session.run(swap)
        np.testing.assert_array_equal(session.run([a, b]), [[1, 2], [3, 4]])

"""Every op, through the same checks: values, shapes, gradients, manners."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Graph
from minikeras.engine.registry import OPS
from minikeras.engine.session import Session
from tests.engine.ops.cases import HERE, Case, load
from tests.oracles.gradcheck import (
    check_gradient,
    check_second_order,
    floating,
    listed,
)

CASES, ELSEWHERE = load()

# What a graph starts from and what it leaves behind: no inputs or no kernel to check.
LEAVES = {
    "assign",
    "constant",
    "no_op",
    "placeholder",
    "placeholder_with_default",
    "read_variable",
}

RTOL = {"float16": 4e-3, "float32": 4e-6, "float64": 4e-13}

every_case = pytest.mark.parametrize("case", CASES, ids=str)
differentiable = pytest.mark.parametrize(
    "case", [c for c in CASES if c.differentiable()], ids=str
)


def test_every_op_has_a_case():
    # Other tests may have registered ops of their own.
    ours = {name for name, op in OPS.items() if op.__module__.startswith("minikeras")}
    assert {case.op for case in CASES} | set(ELSEWHERE) | LEAVES == ours


def test_what_is_tested_elsewhere_is_there():
    assert {file for file in ELSEWHERE.values() if not (HERE / file).exists()} == set()


def test_every_case_has_a_name_of_its_own():
    names = [str(case) for case in CASES]
    assert {name for name in names if names.count(name) > 1} == set()


# -- values ----------------------------------------------------------------------------


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_is_the_oracles(case, dtype):
    arrays = case.arrays(dtype)
    found, wanted = listed(case.call(*arrays)), listed(case.expected(arrays))
    assert len(found) == len(wanted)
    for value, expected in zip(map(devices.to_host, found), wanted, strict=True):
        expected = np.asarray(expected)
        assert value.shape == expected.shape
        check_dtype(value.dtype, expected.dtype, case, dtype)
        tolerance = case.rtol * RTOL.get(str(value.dtype), 0)
        sizes = np.abs(expected[np.isfinite(expected)]) if tolerance else np.zeros(1)
        np.testing.assert_allclose(
            value, expected, rtol=tolerance, atol=tolerance * sizes.max(initial=0)
        )


def check_dtype(found: np.dtype, oracles: np.dtype, case: Case, dtype: str) -> None:
    """Demand the case's dtype, that of its inputs, or at least the oracle's kind."""
    if case.dtype is not None:
        assert found == case.dtype
    elif oracles.kind == "f" and any(a.dtype.kind == "f" for a in case.arrays()):
        assert found == dtype
    elif oracles.kind == "f":
        assert found == "float32"
    else:
        assert found.kind == oracles.kind


@every_case
def test_arrays_give_at_once_what_a_session_gives(case):
    arrays = case.arrays("float32")
    at_once = listed(case.call(*arrays))
    run = listed(in_session(case, arrays, [a.shape for a in arrays])[1])
    for now, later in zip(map(devices.to_host, at_once), run, strict=True):
        assert isinstance(now, np.ndarray)
        assert now.dtype == later.dtype
        slack = 0 if case.exact else RTOL["float32"]
        size = np.abs(later).max(initial=0) if slack else 0
        np.testing.assert_allclose(now, later, rtol=slack, atol=slack * size)


def in_session(case, arrays, shapes):
    """Return the tensors of a case for placeholders of `shapes`, and their values."""
    with Graph().as_default() as graph:
        xs = [ops.placeholder(a.dtype, s) for a, s in zip(arrays, shapes, strict=True)]
        ys = case.call(*xs)
        made = {node.op.name for node in graph.nodes}
        assert case.op in made or not isinstance(OPS[case.op], type), (
            f"the function of this case makes no node of op {case.op!r}"
        )
        feed = dict(zip(xs, arrays, strict=True))
        return listed(ys), Session(graph=graph).run(listed(ys), feed)


# -- static shapes ---------------------------------------------------------------------


@every_case
def test_static_shape_is_the_run_time_shape(case):
    arrays = case.arrays("float32")
    for y, value in zip(
        *in_session(case, arrays, [a.shape for a in arrays]), strict=True
    ):
        assert y.dtype == value.dtype
        assert y.shape == value.shape if case.static else y.spec.admits(value.shape)


@every_case
@pytest.mark.parametrize("unknown", ["batch", "sizes", "rank"])
def test_a_shape_known_in_part_admits_the_run_time_shape(case, unknown):
    if unknown == "rank" and not case.any_rank:
        pytest.skip("needs known ranks")
    hide = {
        "batch": lambda shape: (None, *shape[1:]) if shape else (),
        "sizes": lambda shape: (None,) * len(shape),
        "rank": lambda shape: None,
    }[unknown]
    arrays = case.arrays("float32")
    for y, value in zip(
        *in_session(case, arrays, [hide(a.shape) for a in arrays]), strict=True
    ):
        assert y.dtype == value.dtype
        assert y.spec.admits(value.shape), f"{y.shape} does not admit {value.shape}"
        assert y.spec.rank is not None or unknown == "rank" or not case.ranked


# -- gradients -------------------------------------------------------------------------


@differentiable
def test_gradient_is_that_of_central_differences(case):
    check_gradient(case.call, case.arrays(), case.differentiable(), case.rng)


@differentiable
def test_second_order_is_that_of_central_differences(case):
    if not case.second:
        pytest.skip("has no second derivative")
    check_second_order(case.call, case.arrays(), case.differentiable(), case.rng)


@differentiable
def test_gradient_needs_no_static_shape(case):
    """Gradients built on unknown sizes have the values of those built on known ones."""
    arrays = case.arrays("float32")
    known = slopes(case, arrays, [a.shape for a in arrays])
    unknown = slopes(case, arrays, [(None,) * a.ndim for a in arrays])
    for a, b in zip(known, unknown, strict=True):
        assert a.dtype == b.dtype == "float32"
        np.testing.assert_array_equal(a, b)


def slopes(case, arrays, shapes):
    with Graph().as_default() as graph:
        xs = [ops.placeholder(a.dtype, s) for a, s in zip(arrays, shapes, strict=True)]
        found = gradients(
            floating(case.call(*xs)), [xs[i] for i in case.differentiable()]
        )
        found = [g for g in found if g is not None]
        return Session(graph=graph).run(found, dict(zip(xs, arrays, strict=True)))


@every_case
def test_no_gradient_reaches_the_other_inputs(case):
    arrays = case.arrays("float32")
    reached = case.differentiable()
    with Graph().as_default():
        xs = [ops.placeholder(a.dtype, a.shape) for a in arrays]
        others = [x for i, x in enumerate(xs) if i not in reached]
        ys = floating(case.call(*xs))
        try:
            found = gradients(ys, others) if ys and others else []
        except GradientError:
            return  # it is said loudly
    assert all(g is None for g in found)


# -- manners ---------------------------------------------------------------------------


@every_case
def test_kernels_leave_their_inputs_alone(case):
    """Run every node by itself, those of the gradients too, on read-only arrays."""
    if devices.backend() != "numpy":
        pytest.skip("only NumPy's arrays can be made read-only")
    arrays = case.arrays("float32")
    with Graph().as_default() as graph:
        xs = [ops.placeholder(a.dtype, a.shape) for a in arrays]
        ys = floating(case.call(*xs))
        if case.differentiable():
            gradients(ys, [xs[i] for i in case.differentiable()])
        nodes = [n for n in graph.nodes if n.inputs and not n.op.stateful]
        tensors = list(dict.fromkeys(t for n in nodes for t in (*n.inputs, *n.outputs)))
        results = Session(graph=graph).run(tensors, dict(zip(xs, arrays, strict=True)))
    values = dict(zip(tensors, map(read_only, results), strict=True))
    for node in nodes:
        with np.errstate(all="ignore"):
            outputs = node.op.kernel(np, *[values[x] for x in node.inputs])
        outputs = outputs if node.several else [outputs]
        for y, value in zip(node.outputs, outputs, strict=True):
            value = np.asarray(value)
            # A product may add up in another order where memory is laid out otherwise.
            slack = 1e-6 if value.dtype.kind == "f" else 0
            size = 1 if case.exact else 4 * np.abs(value).max(initial=0)
            np.testing.assert_allclose(value, values[y], rtol=slack, atol=slack * size)
            assert y.dtype == value.dtype, f"{node.op} promises {y.dtype}"


def read_only(value):
    value = np.array(value)
    value.flags.writeable = False
    return value

"""What an op says for compiled plans (`traced`, `bind`) is what its kernel says."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.compiler import CompiledPlan, without
from minikeras.engine.graph import Graph
from minikeras.engine.registry import OPS
from minikeras.engine.session import Session
from tests.engine.ops.cases import load
from tests.engine.ops.test_cases import RTOL
from tests.oracles.gradcheck import floating, listed

pytestmark = pytest.mark.skipif(
    devices.backend() != "numpy", reason="plans are compiled on NumPy alone"
)

CASES = [
    case
    for case in load()[0]
    if isinstance(OPS[case.op], type)
    and case.static  # otherwise there is nothing to compile
    and any(OPS[case.op].__module__.endswith(f".{family}") for family in (
        "cumulative", "extremes", "filling", "indexing", "joining", "labels",
        "normalization", "padding", "reduction", "selection", "slicing", "softmax",
        "sorting", "updating",
    ))
]  # fmt: skip

INFINITE = np.array(
    [
        [1.0, 3.0, 3.0, -0.0],
        [np.nan, 1.0, np.nan, 2.0],
        [-np.inf, np.inf, np.inf, 0.0],
        [-np.inf, -np.inf, -np.inf, -np.inf],
        [0.0, -0.0, 0.0, -0.0],
    ]
)
PICKS = np.array([3, 1, 0, 2, 1], "int32")

SPECIAL = {
    "argmax": (ops.argmax, [INFINITE], {"axis": -1}),
    "argmin": (ops.argmin, [INFINITE], {"axis": -1}),
    "argmax down": (ops.argmax, [INFINITE], {"axis": 0}),
    "argmax of bytes": (ops.argmax, [PICKS.astype("uint8")], {"axis": 0}),
    "argmax of truth": (ops.argmax, [INFINITE > 1], {"axis": 1}),
    "argmax of many": (ops.argmax, [np.tile(INFINITE, 99)], {"axis": -1}),
    "argmin whole": (ops.argmin, [INFINITE], {}),
    "pick_class": (ops.pick_class, [PICKS, INFINITE], {}),
    "pick_class of many": (ops.pick_class, [PICKS * 99, np.tile(INFINITE, 99)], {}),
    "pick_class of bytes": (
        ops.pick_class,
        [PICKS.astype("uint8"), np.tile(INFINITE, 12)],
        {},
    ),
    "cross-entropy": (ops.sparse_softmax_cross_entropy, [PICKS, INFINITE], {}),
    "no labels": (ops.pick_class, [PICKS[:0], INFINITE[:0]], {}),
}


def results(function, arrays, kwargs, wrt, *off):
    """Return a function's values and gradients, with these passes switched off."""
    with Graph().as_default() as graph, without("wait", *off):
        xs = [ops.placeholder(a.dtype, a.shape) for a in arrays]
        ys = listed(function(*xs, **kwargs))
        slopes = floating(ys) and gradients(floating(ys), [xs[i] for i in wrt])
        wanted = [*ys, *(g for g in slopes if g is not None)]
        session = Session(graph=graph)
        values = session.run(wanted, dict(zip(xs, arrays, strict=True)))
        (plan,) = session.routine(wanted, xs).plans.values()
        return values, plan


def check(function, arrays, kwargs, wrt):
    """Compare a plan run node by node with two that are compiled."""
    wanted, _ = results(function, arrays, kwargs, wrt, "compile")
    blocked, plan = results(function, arrays, kwargs, wrt, "native")
    assert isinstance(plan, CompiledPlan)
    native, _ = results(function, arrays, kwargs, wrt)
    for value, by_blocks, by_machine in zip(wanted, blocked, native, strict=True):
        np.testing.assert_array_equal(by_blocks, value)
        assert value.dtype.kind != "f" or same_signs(by_blocks, value)
        tolerance = RTOL.get(str(value.dtype), 0)
        finite = np.abs(value[np.isfinite(value)]) if tolerance else np.zeros(1)
        np.testing.assert_allclose(
            by_machine, value, tolerance, tolerance * finite.max(initial=1)
        )


def same_signs(x, y):
    return np.array_equal(np.signbit(x) | np.isnan(x), np.signbit(y) | np.isnan(y))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_compiled_case_has_the_bits_of_the_plain_run(case):
    check(case.call, case.arrays("float32"), {}, case.differentiable())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_infinite_not_a_number_or_empty_comes_out_the_same(name, dtype):
    function, arrays, kwargs = SPECIAL[name]
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    check(function, arrays, kwargs, [])

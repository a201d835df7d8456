"""What an op says for compiled plans (`traced`, `bind`) is what its kernel says."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.compiler import CompiledPlan, without
from minikeras.engine.errors import ExecutionError
from minikeras.engine.graph import Graph
from minikeras.engine.registry import OPS
from minikeras.engine.session import Session
from tests.engine.ops.cases import load
from tests.engine.ops.test_cases import RTOL
from tests.oracles.gradcheck import floating, listed

pytestmark = pytest.mark.skipif(
    devices.backend() != "numpy", reason="plans are compiled on NumPy alone"
)

# What takes values and puts them elsewhere does so to the bit; sums over several axes
# may go through them in another order.
EXACT = """
bits cumulative diagonals extremes filling indexing joining labels padding remainders
segments selection slicing sorting updating
"""
SUMMING = "complexes fourier normalization reduction softmax special"


def cases(families):
    """Return the cases of ops in these files that can be compiled."""
    files = {f"minikeras.engine.ops.{family}" for family in families.split()}
    return [
        case
        for case in load()[0]
        if getattr(OPS[case.op], "__module__", "") in files and case.static
    ]


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


# More words than are drawn at a time, and one half of a word besides.
SHAPE = (3, 4567)
KEY = ops.random_key(20260101)
SAMPLERS = {
    "uniform": (ops.random_uniform, (-1.0, 1.0)),
    "normal": (ops.random_normal, (1.0, 2.0)),
    "truncated": (ops.truncated_normal, ()),
    "integers": (ops.random_integers, (-5, 100)),
    "bernoulli": (ops.random_bernoulli, (0.3,)),
    "never": (ops.random_bernoulli, (0.0,)),
    "always": (ops.random_bernoulli, (1.0,)),
}


ROWS = np.array([[2, 0, 2], [-1, 1, 0]], "int32")

SPECIAL |= {
    "take": (ops.take, [INFINITE, ROWS], {"axis": 0}),
    "take of columns": (ops.take, [INFINITE, ROWS], {"axis": 1}),
    "take of bytes": (ops.take, [INFINITE, PICKS.astype("uint8")], {"axis": 0}),
    "take of none": (ops.take, [INFINITE, ROWS[:0]], {"axis": 0}),
    "take of a sequence": (
        lambda x: ops.take(x, np.arange(1, 5, 2), 0),
        [INFINITE],
        {},
    ),
    "take of a fall": (lambda x: ops.take(x, [3, 1], 0), [INFINITE], {}),
    "tile of none": (lambda x: ops.tile(x, (2, 0)), [INFINITE], {}),
    "roll of none": (lambda x: ops.roll(x, 1, 0), [INFINITE[:0]], {}),
    "in_top_k": (lambda y, x: ops.in_top_k(y, x, 2), [PICKS, INFINITE], {}),
    "in_top_k of none": (lambda y, x: ops.in_top_k(y, x, 2), [PICKS - 2, INFINITE], {}),
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


def check(function, arrays, kwargs, wrt, exact=True):
    """Compare a plan run node by node with two that are compiled."""
    wanted, _ = results(function, arrays, kwargs, wrt, "compile")
    blocked, plan = results(function, arrays, kwargs, wrt, "native")
    assert isinstance(plan, CompiledPlan)
    native, _ = results(function, arrays, kwargs, wrt)
    for value, by_blocks, by_machine in zip(wanted, blocked, native, strict=True):
        if exact:
            np.testing.assert_array_equal(by_blocks, value)
            assert value.dtype.kind != "f" or same_signs(by_blocks, value)
        close(by_blocks, value)
        close(by_machine, value)


def close(found, wanted):
    assert found.dtype == wanted.dtype
    tolerance = RTOL.get(str(wanted.dtype), 0)
    finite = np.abs(wanted[np.isfinite(wanted)]) if tolerance else np.zeros(1)
    largest = finite.max(initial=1)
    np.testing.assert_allclose(found, wanted, tolerance, tolerance * largest)


def same_signs(x, y):
    return np.array_equal(np.signbit(x) | np.isnan(x), np.signbit(y) | np.isnan(y))


@pytest.mark.parametrize("case", cases(EXACT), ids=str)
def test_a_compiled_case_has_the_bits_of_the_plain_run(case):
    check(case.call, case.arrays("float32"), {}, case.differentiable())


@pytest.mark.parametrize("case", cases(SUMMING), ids=str)
def test_a_compiled_sum_is_that_of_the_plain_run(case):
    check(case.call, case.arrays("float32"), {}, case.differentiable(), exact=False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_infinite_not_a_number_or_empty_comes_out_the_same(name, dtype):
    function, arrays, kwargs = SPECIAL[name]
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    check(function, arrays, kwargs, [])


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_random_numbers_are_the_same_to_the_bit(name, dtype):
    sampler, parameters = SAMPLERS[name]

    def draw(key):
        return sampler(key, SHAPE, *parameters, dtype=dtype)

    wanted, _ = results(draw, [KEY], {}, [], "compile")
    for off in ((), ("native",)):
        found, plan = results(draw, [KEY], {}, [], *off)
        assert isinstance(plan, CompiledPlan)
        np.testing.assert_array_equal(found, wanted)


def test_a_compiled_run_has_new_numbers_as_the_plain_run_has():
    def runs(*off):
        with Graph().as_default() as graph, without("wait", *off):
            noise = ops.random_uniform(ops.next_key(3), (5,))
            inside = ops.scan(
                lambda x, _: (x + ops.random_uniform(ops.next_key(4), (2,)),) * 2,
                np.zeros(2, "float32"),
                np.zeros(3, "float32"),
            )[1]
            session = Session(graph=graph)
            return np.array(
                [
                    np.concatenate([a, b.ravel()])
                    for a, b in (session.run([noise, inside]) for _ in range(3))
                ]
            )

    wanted = runs("compile")
    assert len(np.unique(wanted)) == wanted.size
    np.testing.assert_array_equal(runs(), wanted)
    np.testing.assert_array_equal(runs("native"), wanted)


def test_what_is_bound_reads_views_anew_in_each_run():
    """A reshape of what does not lie in order is a copy, of what is not there yet."""
    x = np.arange(20, dtype="float32").reshape(5, 4)

    def turned(x):
        return ops.transpose(ops.take(x, ROWS, 0), (2, 0, 1))

    for function in (
        lambda x: turned(x) * x[:4, :2, None],
        lambda x: ops.cumsum(ops.transpose(x * x), 0, reverse=True),
        lambda x: ops.sort(ops.transpose(-x * x), 0),
        lambda x: ops.argmax(ops.transpose(x * x % 7), None),
        lambda x: ops.pick_class(PICKS[:4], ops.transpose(ops.tile(x, (66, 1)) * x[0])),
    ):
        check(function, [x], {}, [0])


@pytest.mark.parametrize("index", [-6, 5, 2**31 - 1])
def test_an_index_out_of_range_is_said(index):
    with Graph().as_default() as graph, without("wait"):
        x, i = ops.placeholder("float32", (5, 4)), ops.placeholder("int32", (2,))
        y = ops.take(x, i, 0)
        (slope,) = gradients(y, [x])
        session, feed = Session(graph=graph), {x: np.zeros((5, 4)), i: [0, index]}
        for wanted in (y, slope):
            with pytest.raises(ExecutionError, match=rf"(?s){index} is out of bounds"):
                session.run(wanted, feed)
            session.run(wanted, feed | {i: [4, -5]})

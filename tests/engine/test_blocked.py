"""Loops run by blocks against whole arrays, instruction by instruction, bit for bit."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikeras.engine import blocked
from minikeras.engine.blocked import binding, running
from minikeras.engine.loops import Operand
from tests.engine.loop_writer import LoopWriter

F, D, N, B = map(np.dtype, ("float32", "float64", "int32", "bool"))
SIGNATURES = {  # of what loops are drawn from: dtypes of inputs, dtype of the result
    **{n: [(t, t, t) for t in (F, D, N)] for n in ("add", "multiply", "subtract")},
    **{n: [(t, t, t) for t in (F, D, N)] for n in ("maximum", "minimum")},
    **{n: [(t, t, B) for t in (F, D, N)] for n in ("greater", "equal")},
    **{n: [(t, t) for t in (F, D, N)] for n in ("negative", "square", "absolute")},
    **{n: [(t, t) for t in (F, D)] for n in ("exp", "tanh", "sqrt", "sin")},
    "divide": [(t, t, t) for t in (F, D)],
    "logical_and": [(B, B, B)],
    "where": [(B, t, t, t) for t in (F, D, N, B)],
    "cast": [(s, t) for s in (F, D, N, B) for t in (F, D, B)],
}
TOTALS = ("add", "maximum", "minimum", "multiply")


# -- the oracle ------------------------------------------------------------------------


def interpreted(loop, arrays):
    """Return what the outputs should be, by number: every value a whole C array."""
    pairs = zip(loop.operands, arrays, strict=True)
    views = [seen(operand, array, loop.sizes).copy() for operand, array in pairs]
    values, outputs = [], {}
    for step in loop.instructions:
        given = [values[i] for i in step.inputs]
        if step.name == "store":
            outputs[step.attribute] = given[0]
        if step.name == "accumulate":
            counted = loop.instructions[step.inputs[0]].per_row
            outputs[step.attribute[1]] = totaled(loop, step, given[0], counted)
        special = SPECIAL.get(step.name)
        if special:
            values.append(special(step, loop.sizes, views, *given))
        else:
            values.append(np.asarray(getattr(np, step.name)(*given)))
        assert values[-1] is None or values[-1].dtype == step.dtype
    return outputs


SPECIAL = {
    "load": lambda step, sizes, views: views[step.attribute],
    "constant": lambda step, sizes, views: np.full(sizes, step.attribute, step.dtype),
    "cast": lambda step, sizes, views, x: x.astype(step.dtype),
    "where": lambda step, sizes, views, *given: np.where(*given),
    "reduce": lambda step, sizes, views, x: rows_totaled(step, x),
    "store": lambda step, sizes, views, x: None,
    "accumulate": lambda step, sizes, views, x: None,
}


def rows_totaled(step, x):
    """The total of each row by itself, all along the row."""
    ufunc = getattr(np, step.attribute)
    rows = x.reshape(-1, x.shape[-1])
    totals = np.array([ufunc.reduce(row, dtype=step.dtype) for row in rows])
    return np.broadcast_to(totals.reshape(*x.shape[:-1], 1), x.shape).copy()


def totaled(loop, step, x, per_row):
    """The total of the whole array over what does not vary in the operand."""
    name, k = step.attribute
    x = x[..., :1] if per_row else x
    still = [
        s == 0 and n != 1
        for s, n in zip(loop.operands[k].strides, x.shape, strict=True)
    ]
    axes = tuple(np.flatnonzero(still))
    total = getattr(np, name).reduce(x, axes, step.dtype, keepdims=True)
    return np.broadcast_to(total, loop.sizes)


def seen(operand, array, sizes):
    strides = [s * array.itemsize for s in operand.strides]
    return np.lib.stride_tricks.as_strided(array, sizes, strides)


def same_bits(x, y):
    """Whether all numbers are the same; a NaN is a NaN, but 0.0 is not -0.0."""
    if x.dtype != y.dtype or not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
        return False
    return x.dtype.kind != "f" or np.array_equal(np.signbit(x), np.signbit(y))


def check(loop, arrays, exact=True):
    with np.errstate(all="ignore"):
        wanted = interpreted(loop, arrays)
        for call in blocked.bind(loop, arrays):
            call()
    for k, y in wanted.items():
        found = seen(loop.operands[k], arrays[k], loop.sizes)
        if exact:
            assert same_bits(found, y), (k, found, y)
        else:
            np.testing.assert_allclose(found, y, rtol=1e-4, atol=1e-4)


@pytest.fixture(params=[2**19, 2**12, 600, 40])
def cache(request, monkeypatch):
    """Blocks from one for everything to a few elements each, in three threads."""
    monkeypatch.setattr(binding, "CACHE", request.param)
    if request.param < 2**12:
        monkeypatch.setattr(binding, "WORTH_THREADS", 0)
        monkeypatch.setattr(binding, "processors", lambda: 3)
    return request.param


# -- loops to run ----------------------------------------------------------------------


class Builder(LoopWriter):
    """Writes a loop over `sizes`, and arrays for its operands."""

    def __init__(self, sizes, seed=0):
        super().__init__(sizes, seed)
        self.arrays = []

    def array(self, dtype, varies, order=None, step=1):
        """Add an operand that varies in some dimensions, laid out in an order."""
        order = range(len(self.sizes)) if order is None else order
        axes = [d for d in order if varies[d]]
        shape = [self.sizes[d] for d in axes]
        memory = (self.rng.standard_normal([*shape, abs(step)]) * 3).astype(dtype)
        memory = memory[(*[slice(None, None, np.sign(step))] * len(axes), ..., 0)]
        strides = [0] * len(self.sizes)
        for d, stride in zip(axes, memory.strides, strict=False):
            strides[d] = stride // memory.itemsize
        return self.operand(memory, strides)

    def operand(self, array, strides):
        self.operands.append(Operand(array.dtype, tuple(strides)))
        self.arrays.append(array)
        return len(self.operands) - 1

    def over(self, k):
        """Add an operand that lies where another does."""
        return self.operand(self.arrays[k], self.operands[k].strides)

    def check(self, exact=True):
        check(self.loop, self.arrays, exact)


@st.composite
def builders(draw):
    """Draw loops: any strides, dtypes, steps; outputs on inputs; several outputs."""
    sizes = draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] *= 37
    b = Builder(sizes, draw(st.integers(0, 2**32)))
    some = st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))
    values = []  # what a store or an instruction may use, with where it varies
    for _ in range(draw(st.integers(1, 4))):
        varies = draw(some | st.just([True] * len(sizes)))
        dtype, step = (
            draw(st.sampled_from((F, D, N, B))),
            draw(st.sampled_from((1, 2, -1))),
        )
        k = b.array(dtype, varies, draw(st.permutations(range(len(sizes)))), step)
        values.append((b.load(k), varies))
    inputs = [k for k in range(len(b.operands)) if draw(st.booleans())]
    for _ in range(draw(st.integers(0, 8))):
        values.append(draw_step(draw, b, values))
    for _ in range(draw(st.integers(1, 3))):
        x, varies = draw(st.sampled_from(values[::-1]))
        wider = [v or w for v, w in zip(varies, draw(some), strict=True)]
        b.store(x, draw_output(draw, b, x, wider, inputs))
    for _ in range(draw(st.integers(0, 2))):
        draw_total(draw, b, values, draw(some), inputs)
    return b


def draw_step(draw, b, values):
    """Draw an instruction on values that are there, or on constants."""
    kinds = [(name, s) for name in SIGNATURES for s in SIGNATURES[name]]
    name, (*dtypes, dtype) = draw(st.sampled_from(kinds))
    inputs, varies = [], [False] * len(b.sizes)
    for wanted in dtypes:
        fitting = [v for v in values if b.instructions[v[0]].dtype == wanted]
        if fitting and draw(st.integers(0, 5)):
            x, own = draw(st.sampled_from(fitting))
            varies = [v or w for v, w in zip(varies, own, strict=True)]
        else:
            x = b.constant(draw(st.sampled_from((0, 1, 2, -1))), wanted)
        inputs.append(x)
    if dtype in (F, D) and not draw(st.integers(0, 4)):
        x = b.reduce(draw(st.sampled_from(TOTALS)), b.emit(name, *inputs, dtype=dtype))
        return x, [*varies[:-1], False]
    return b.emit(name, *inputs, dtype=dtype), varies


def draw_output(draw, b, x, varies, inputs):
    """Draw an operand for `x`: an input's array, if there is one of its strides."""
    dtype = b.instructions[x].dtype
    for k in inputs:
        wide = [
            s != 0 or not v for s, v in zip(b.operands[k].strides, varies, strict=True)
        ]
        if b.operands[k].dtype == dtype and all(wide):
            inputs.remove(k)
            return b.over(k)
    return b.array(dtype, varies, draw(st.permutations(range(len(varies)))))


def draw_total(draw, b, values, varies, inputs):
    """Draw a total that is exact, in whatever order it is made."""
    x, _ = draw(st.sampled_from(values))
    dtype = b.instructions[x].dtype
    if dtype != B:
        name = draw(st.sampled_from(TOTALS if dtype == N else ("maximum", "minimum")))
        over = [k for k in inputs if b.operands[k].dtype == dtype]
        if over:
            inputs.remove(over[0])
            b.accumulate(name, x, b.over(over[0]))
        else:
            b.accumulate(name, x, b.array(dtype, varies))


@given(builders(), st.sampled_from([2**19, 1000, 200, 50, 1]), st.booleans())
@settings(max_examples=600)
def test_any_loop_gives_the_bits_of_whole_arrays(builder, size, threaded):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binding, "CACHE", size)
        if threaded:
            patch.setattr(binding, "WORTH_THREADS", 0)
            patch.setattr(binding, "processors", lambda: 2)
        builder.check()


# -- totals ----------------------------------------------------------------------------


def test_a_total_over_leading_dimensions_is_that_of_the_whole_array(cache):
    for sizes, varies in [
        ((40, 30), (0, 1)),
        ((9, 5, 7), (0, 1, 1)),
        ((9, 5, 7), (0, 0, 1)),
    ]:
        b = Builder(sizes)
        x, y = (b.load(b.array(F, (1,) * len(sizes))) for _ in range(2))
        product = b.emit("multiply", x, y)
        for name in TOTALS:
            b.accumulate(name, product, b.array(F, varies))
        b.accumulate("add", x, b.array(F, varies))
        b.check()


@pytest.mark.parametrize("dtype", [F, D, N, np.dtype("uint8"), B])
def test_a_running_total_begins_with_what_changes_nothing(cache, dtype):
    b = Builder((40, 30))
    x = b.load(b.array(dtype, (1, 1)))
    x = b.emit("minimum", x, b.constant(0 if dtype.kind == "u" else -1, dtype))
    for name in TOTALS:
        b.accumulate(name, x, b.array(dtype, (0, 1)))
    b.check()


def test_a_running_total_is_made_by_one_thread(monkeypatch):
    monkeypatch.setattr(binding, "WORTH_THREADS", 0)
    monkeypatch.setattr(binding, "processors", lambda: 3)
    monkeypatch.setattr(running, "together", None)
    b = Builder((40, 30))
    y = b.emit("exp", b.load(b.array(F, (1, 1))))
    b.accumulate("add", y, b.array(F, (0, 1)))
    b.check()
    b.store(y, b.array(F, (1, 1)))  # and so is one of what all threads would write
    b.check()


def test_a_total_of_what_is_stored_as_well_is_that_of_the_whole_array(cache):
    for varies in (0, 1), (1, 0), (0, 0):
        b = Builder((40, 30))
        k = b.array(F, (1, 1))
        y = b.emit("exp", b.load(k))
        b.store(y, b.over(k))
        b.accumulate("add", y, b.array(F, varies))
        b.check()


@pytest.mark.parametrize("size", [1, 7, 300, 4096, 10007])
def test_a_total_of_all_is_that_of_the_whole_array(cache, size):
    b = Builder((size,))
    x, y = (b.load(b.array(F, (1,))) for _ in range(2))
    b.accumulate("add", b.emit("square", b.emit("subtract", x, y)), b.array(F, (0,)))
    b.check()


def test_a_mean_loss_of_rows_is_that_of_the_whole_array(cache):
    b = Builder((60, 10))
    x, y = (b.load(b.array(F, (1, 1))) for _ in range(2))
    shifted = b.emit("subtract", x, b.reduce("maximum", x))
    log = b.emit("log", b.reduce("add", b.emit("exp", shifted)))
    chosen = b.reduce("add", b.emit("multiply", y, shifted))
    b.accumulate("add", b.emit("subtract", log, chosen), b.array(F, (0, 0)))
    b.check()


def test_a_total_of_rows_that_do_not_lie_in_memory_as_rows_is_that_of_each_row(cache):
    b = Builder((30, 50))
    x = b.load(b.array(F, (1, 1), order=(1, 0)))
    b.store(b.reduce("add", x), b.array(F, (1, 0)))
    b.check()


def test_totals_keep_the_sign_of_zero(cache):
    b = Builder((40, 30))
    zeros = b.emit("multiply", b.load(b.array(F, (1, 1))), b.constant(-0.0))
    for varies in (0, 1), (1, 0):
        for name in "add", "maximum", "minimum":
            b.accumulate(name, b.emit("absolute", zeros), b.array(F, varies))
        b.accumulate(
            "add", b.emit("negative", b.emit("absolute", zeros)), b.array(F, varies)
        )
    least = b.emit("maximum", zeros, b.constant(0))
    b.store(b.emit("minimum", b.constant(0), least), b.array(F, (1, 1)))
    b.check()


def test_other_totals_are_right_but_for_rounding(cache):
    for varies in (1, 0, 1), (0, 1, 0), (0, 0, 0):
        b = Builder((6, 20, 30))
        y = b.emit("exp", b.load(b.array(F, (1, 1, 1), order=(0, 2, 1))))
        b.accumulate("add", y, b.array(F, varies))
        b.check(exact=False)


# -- outputs over inputs ---------------------------------------------------------------


def test_an_input_is_read_before_it_is_written(cache):
    b = Builder((40, 30))
    p = b.array(F, (1, 1))
    x = b.load(p)
    b.store(b.emit("multiply", x, b.constant(2)), b.over(p))
    b.store(b.emit("exp", x), b.array(F, (1, 1)))
    b.check()


def test_two_inputs_change_places(cache):
    b = Builder((40, 30))
    p, q = (b.array(F, (1, 1)) for _ in range(2))
    x, y = b.load(p), b.load(q)
    b.store(y, b.over(p))
    b.store(x, b.over(q))
    b.check()


def test_a_row_is_normalized_where_it_lies(cache):
    b = Builder((40, 30))
    p = b.array(F, (1, 1))
    e = b.emit("exp", b.emit("subtract", b.load(p), b.reduce("maximum", b.load(p))))
    b.store(b.emit("divide", e, b.reduce("add", e)), b.over(p))
    b.check()


def test_what_all_rows_share_is_written_over_once(cache):
    b = Builder((7, 40, 30))
    k = b.array(F, (0, 1, 0))
    x = b.load(k)
    b.store(b.emit("negative", x), b.over(k))
    b.store(b.emit("add", x, b.load(b.array(F, (1, 1, 1)))), b.array(F, (1, 1, 1)))
    b.check()


def test_a_total_is_written_over_an_input(cache):
    b = Builder((40, 30))
    k = b.array(F, (0, 1))
    b.accumulate(
        "add",
        b.emit("exp", b.emit("add", b.load(k), b.load(b.array(F, (1, 1))))),
        b.over(k),
    )
    b.check()


# -- what there is besides -------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "float16", "int64", "complex64"]
)
def test_a_selection_is_made_in_any_dtype(cache, dtype):
    b = Builder((40, 30))
    c = b.load(b.array(B, (1, 0)))
    with np.errstate(invalid="ignore"):  # negative numbers as uint8
        x, y = (b.load(b.array(np.dtype(dtype), (1, 1))) for _ in range(2))
    b.store(b.emit("where", c, x, y), b.array(np.dtype(dtype), (1, 1)))
    b.check()


@pytest.mark.parametrize("sizes", [(0,), (0, 3), (3, 0), (4, 0, 5)])
def test_a_loop_over_nothing_leaves_totals_of_nothing(cache, sizes):
    b = Builder(sizes)
    x = b.emit("exp", b.load(b.array(F, [1] * len(sizes))))
    b.store(x, b.array(F, [1] * len(sizes)))
    b.accumulate("add", x, b.array(F, [0] * len(sizes)))
    b.check()


def test_a_run_makes_no_arrays(cache):
    b = Builder((200, 300))
    x, g = (b.load(b.array(F, varies)) for varies in ((1, 1), (0, 1)))
    e = b.emit("exp", b.emit("subtract", x, b.reduce("maximum", x)))
    y = b.emit("where", b.emit("greater", e, g, dtype=B), e, b.emit("multiply", e, g))
    b.store(b.emit("divide", y, b.reduce("add", y)), b.array(F, (1, 1)))
    b.accumulate("add", b.emit("square", e), b.array(F, (0, 1)))
    calls = blocked.bind(b.loop, b.arrays)
    tracemalloc.start()
    try:
        for call in calls:
            call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000  # NumPy's buffers for what is broadcast; an array has 240,000


def test_loops_share_a_scratchpad():
    pad = blocked.Scratchpad()
    loops = []
    for size in 50, 70, 60:
        b = Builder((size,))
        y = b.emit("exp", b.emit("negative", b.load(b.array(F, (1,)))))
        k = b.array(F, (1,))
        b.store(b.emit("add", y, b.emit("tanh", y)), k)
        loops.append((b.loop, b.arrays, k, blocked.bind(b.loop, b.arrays, pad)))
    for loop, arrays, k, calls in loops:
        for call in calls:
            call()
        assert same_bits(arrays[k], interpreted(loop, arrays)[k])


def test_threads_work_under_the_callers_error_handling(monkeypatch):
    monkeypatch.setattr(binding, "WORTH_THREADS", 0)
    monkeypatch.setattr(binding, "processors", lambda: 2)
    b = Builder((1000,))
    k = b.array(F, (1,))
    b.store(b.emit("divide", b.constant(1), b.load(k)), b.array(F, (1,)))
    b.arrays[k][-1] = 0  # in the second thread's share
    (call,) = blocked.bind(b.loop, b.arrays)
    with np.errstate(divide="ignore"):
        call()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide"):
        call()


def test_what_is_not_supported_is_said():
    b = Builder((5,))
    x = b.load(b.array(np.dtype("complex128"), (1,)))
    b.store(
        b.emit("where", b.constant(True, B), x, x),
        b.array(np.dtype("complex128"), (1,)),
    )
    assert not blocked.supports(b.loop)


@pytest.mark.parametrize("varies", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("kept", [True, False])
def test_no_bit_depends_on_the_number_of_threads(monkeypatch, varies, kept):
    monkeypatch.setattr(binding, "WORTH_THREADS", 0)
    found = []
    for count in 1, 2, 5:
        monkeypatch.setattr(binding, "processors", lambda count=count: count)
        b = Builder((60, 50))
        x = b.load(b.array(F, (1, 1)))
        x = b.emit("multiply", x, b.constant(0.01))
        y = b.emit("exp", b.emit("subtract", x, b.reduce("add", x)) if kept else x)
        totals = [b.array(dtype, varies) for dtype in (F, F, np.dtype("float16"))]
        b.accumulate("add", y, totals[0])
        b.accumulate("multiply", y, totals[1])
        b.accumulate("add", b.emit("cast", y, dtype="float16"), totals[2])
        with np.errstate(all="ignore"):
            for call in blocked.bind(b.loop, b.arrays):
                call()
        found.append([b.arrays[k].copy() for k in totals])
    for other in found[1:]:
        assert all(map(same_bits, found[0], other))

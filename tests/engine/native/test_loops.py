"""Compiled loops against whole arrays: the same bits, and nothing else touched."""

import numpy as np
import pytest
from hypothesis import given, settings

from minikeras.engine.native import jit, kernel
from tests.engine.native.written import BOOL, FLOATS, HALF, INTEGERS, Writer, writers

# Sizes whose rows are less than a vector, one vector, several, with and without a
# rest, and longer than the buffers.
ROWS = [1, 3, 10, 16, 31, 64, 65, 100, 128, 1000, 20000]


@given(writers())
@settings(max_examples=200)
def test_any_loop_gives_the_bits_of_whole_arrays(writer):
    writer.check()


@given(writers())
@settings(max_examples=50)
def test_so_it_does_without_instructions_that_few_processors_have(writer):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jit,
            "host",
            lambda: jit.Host(masks=False, scales=False, halves=True, powf=0),
        )
        patch.setattr(kernel, "_known", {})
        writer.check()


# -- loops as networks have them -----------------------------------------------------


def normal(w, varies=None):
    """An operand of ordinary numbers."""
    k = w.array(varies=varies)
    w.view(k)[...] = w.rng.standard_normal(
        [n if s else 1 for n, s in zip(w.sizes, w.operands[k].strides, strict=True)]
    )
    return k


def wide(w, k):
    return w.view(k).astype(np.float64)


@pytest.mark.parametrize("size", ROWS)
def test_softmax(size):
    w = Writer(5, size)
    k = normal(w)
    x = w.load(k)
    e = w.emit("exp", w.emit("subtract", x, w.reduce("maximum", x), per_row=False))
    y = w.emit("divide", e, w.reduce("add", e), per_row=False)
    x, out = wide(w, k), w.over(k)
    w.store(y, out)
    w.bind()()
    e = np.exp(x - x.max(-1, keepdims=True))
    np.testing.assert_allclose(w.view(out), e / e.sum(-1, keepdims=True), 2e-6)


@pytest.mark.parametrize("size", ROWS)
def test_normalized_rows(size):
    w = Writer(5, size)
    k, gain = normal(w), normal(w, [0, 1])
    x, n = w.load(k), w.constant(1 / size)
    d = w.emit("subtract", x, w.emit("multiply", w.reduce("add", x), n), per_row=False)
    v = w.emit("multiply", w.reduce("add", w.emit("multiply", d, d)), n)
    s = w.emit("sqrt", w.emit("add", v, w.constant(1e-3)))
    y = w.emit("multiply", w.emit("divide", d, s, per_row=False), w.load(gain))
    out, rows = w.array(), w.array(varies=[1, 0])
    w.store(y, out)
    w.store(v, rows)
    w.bind()()
    x = wide(w, k)
    d, v = x - x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    wanted = d / np.sqrt(v + 1e-3) * wide(w, gain)
    np.testing.assert_allclose(w.view(out), wanted, 1e-4, 1e-5)
    np.testing.assert_allclose(w.view(rows)[:, :1], v, 1e-5)


@pytest.mark.parametrize("size", ROWS)
def test_mean_cross_entropy(size):
    """Rows' losses, added up over all rows."""
    w = Writer(7, size)
    k, labels = normal(w), normal(w)
    x = w.load(k)
    shifted = w.emit("subtract", x, w.reduce("maximum", x), per_row=False)
    log = w.emit("log", w.reduce("add", w.emit("exp", shifted)))
    given = w.reduce("add", w.emit("multiply", w.load(labels), shifted))
    loss = w.emit("subtract", log, given)
    out, rows = w.array(varies=[0, 0]), w.array(varies=[1, 0])
    w.accumulate("add", loss, out)
    w.store(loss, rows)
    w.bind()()
    x = wide(w, k)
    s = x - x.max(-1, keepdims=True)
    losses = np.log(np.exp(s).sum(-1)) - (wide(w, labels) * s).sum(-1)
    np.testing.assert_allclose(w.view(rows)[:, 0], losses, 1e-4, 1e-4)
    np.testing.assert_allclose(w.view(out)[0, 0], losses.sum(), 1e-4, 1e-4)


@pytest.mark.parametrize("size", ROWS)
@pytest.mark.parametrize(
    "varies", [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 0]]
)
def test_sums_over_some_dimensions(size, varies):
    w = Writer(6, 3, size)
    k, out = normal(w), w.array(varies=varies)
    x = w.load(k)
    w.accumulate("add", w.emit("multiply", x, x), out)
    w.bind()()
    axes = tuple(d for d, v in enumerate(varies) if not v)
    wanted = (wide(w, k) ** 2).sum(axes, keepdims=True)
    np.testing.assert_allclose(w.view(out), np.broadcast_to(wanted, w.sizes), 2e-6)


@pytest.mark.parametrize("size", [7, 48, 1000, 40000])
def test_an_update_in_place(size):
    w = Writer(size)
    p, v, g = normal(w), normal(w), normal(w)
    rate = w.array(varies=[0], values=0.25)
    speed = w.emit(
        "subtract",
        w.load(v),
        w.emit("multiply", w.load(g), w.load(rate), per_row=False),
    )
    w.store(w.emit("add", w.load(p), speed), w.over(p))
    w.store(speed, w.over(v))
    w.check()


@pytest.mark.parametrize("size", ROWS)
def test_a_row_is_read_before_any_of_it_is_written(size):
    w = Writer(3, size)
    k = normal(w)
    x = w.load(k)
    w.store(w.emit("add", x, x), w.over(k))  # before the rest, but done after it
    root = w.emit("sqrt", w.emit("absolute", x))
    top = w.reduce("maximum", w.emit("divide", x, w.emit("add", root, x)))
    w.store(w.emit("multiply", root, top, per_row=False), w.array())
    w.store(w.emit("subtract", x, top, per_row=False), w.array())
    w.check()


# -- totals --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 1000, 3_000_017])
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_long_sum_keeps_more_digits_than_pairs_of_pairs(size, dtype):
    w = Writer(size)
    k, out = w.operand(dtype, [1]), w.operand(dtype, [0])
    w.view(k)[...] = w.rng.uniform(0.5, 1.0, size) * 10.0 ** w.rng.uniform(-2, 2, size)
    w.accumulate("add", w.load(k), out)
    w.bind()()
    exact = w.view(k).astype(np.longdouble).sum()
    error, numpys = (abs(x - exact) for x in (w.view(out)[0], w.view(k).sum()))
    assert error <= max(numpys, 2 * np.spacing(dtype.type(exact)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_a_long_sum_may_be_infinite_or_no_number(dtype, special):
    w = Writer(5000)
    k, out = w.operand(dtype, [1]), w.operand(dtype, [0])
    w.view(k)[...] = 1.0
    w.view(k)[1234] = special
    w.accumulate("add", w.load(k), out)
    w.bind()()
    np.testing.assert_equal(w.view(out)[0], dtype.type(special))


# -- integers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["floor_divide", "remainder", "left_shift", "right_shift"]
)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_division_and_shifts_at_the_ends_of_the_range(name, dtype):
    info = np.iinfo(dtype)
    ends = [info.min, info.min + 1, info.max, 0, 1, 2, 7, 8 * dtype.itemsize]
    ends = np.array(ends + ([-1, -7] if info.min else []), dtype)
    w = Writer(len(ends), len(ends))
    x, y = w.array(dtype, values=ends[:, None]), w.array(dtype, values=ends)
    w.store(w.emit(name, w.load(x), w.load(y)), w.array(dtype))
    w.check()


@pytest.mark.parametrize("source", [*FLOATS, *INTEGERS, BOOL])
def test_casts(source):
    w = Writer(1000)
    x = w.load(w.array(source))
    for target in [*FLOATS, *INTEGERS, BOOL]:
        if source.kind == "f" and target.kind in "iu":
            low, high = (0, 100) if target.kind == "u" else (-100, 100)
            number = w.emit("equal", x, x, dtype=BOOL)
            tame = w.emit("where", number, x, w.constant(1, source), per_row=False)
            ends = w.constant(low, source), w.constant(high, source)
            tame = w.emit("clip", tame, *ends, per_row=False)
        else:
            tame = x
        w.store(w.emit("cast", tame, dtype=target), w.array(target))
    w.check()


@pytest.mark.parametrize("ufunc", ["add", "multiply", "logaddexp"])
@pytest.mark.parametrize("size", [10, 100, 5000])
def test_totals_of_rows_that_are_rounded(ufunc, size):
    w = Writer(3, size)
    k = w.array(values=w.rng.uniform(0.99, 1.01, (3, size)))
    out, all_rows = w.array(varies=[1, 0]), w.array(varies=[0, 0])
    w.store(w.reduce(ufunc, w.load(k)), out)
    w.accumulate(ufunc, w.load(k), all_rows)
    w.bind()()
    total = getattr(np, ufunc).reduce
    x = wide(w, k)
    np.testing.assert_allclose(w.view(out)[:, 0], total(x, 1), 2e-5)
    np.testing.assert_allclose(w.view(all_rows)[0, 0], total(x, (0, 1)), 2e-5)


def test_a_long_sum_of_halves_is_rounded_once():
    w = Writer(10000)
    k, out = w.array(HALF, values=0.1), w.array(HALF, varies=[0])
    w.accumulate("add", w.load(k), out)
    w.bind()()
    assert w.view(out)[0] == HALF.type(10000 * float(HALF.type(0.1)))


def test_negative_floats_wrap_in_unsigned_integers_as_numpys_do():
    w = Writer(16)
    k = w.array("float32", values=-1.5)
    for target in ("uint8", "uint16", "uint32"):
        w.store(w.emit("cast", w.load(k), dtype=target), w.array(target))
    w.check()

"""Functions against wider arithmetic: the error in units of the last place."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikeras.engine.native import jit, kernel
from minikeras.engine.native.ufuncs import UFUNCS
from tests.engine.native.written import FLOATS, Writer

UNARY = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "tanh",
    "sinh",
    "cosh",
]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 0.5, 1e-30, 1e30]
LIMIT = 2.0  # units in the last place
SINH = 2.5  # of float64
# Elsewhere than on x86, NumPy's wider type is no wider, and half a unit off itself.
WIDER = {"float32": np.float64, "float64": np.longdouble}
BEYOND = 0.0 if np.finfo(np.longdouble).nmant > 52 else 1.0


def computed(name, *inputs):
    """What a loop over one dimension makes of arrays of one dtype."""
    w = Writer(len(inputs[0]))
    operands = [w.array(x.dtype, values=x) for x in inputs]
    out = w.array(inputs[0].dtype)
    w.store(w.emit(name, *(w.load(k) for k in operands)), out)
    w.bind()()
    return w.view(out).copy()


def check(name, limit, *inputs):
    """Compare with what NumPy's function makes of wider numbers."""
    y = computed(name, *inputs)
    with np.errstate(all="ignore"):
        wider = getattr(np, name)(*(x.astype(WIDER[x.dtype.name]) for x in inputs))
        rounded = wider.astype(y.dtype)
        unit = np.spacing(np.abs(rounded))
        error = np.abs(y - wider) / np.where(np.isfinite(unit), unit, 1)
    same = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
    error = np.where(
        np.isfinite(rounded) & np.isfinite(y), error, np.where(same, 0, np.inf)
    )
    worst = np.argmax(error)
    assert error[worst] <= limit, [x[worst] for x in (*inputs, y, wider)]
    zero = (rounded == 0) & same
    np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(rounded[zero]))


def samples(dtype):
    """Numbers from all of a dtype's range, and more where functions bend."""
    rng = np.random.default_rng(1)
    bits = np.arange(0, 2**32, 40009, dtype=np.uint32)
    if dtype == np.float64:
        bits = bits.astype(np.uint64) << 32 | rng.integers(
            2**32, size=bits.size, dtype=np.uint64
        )
    spans = [(-1, 1), (-1e-3, 1e-3), (-20, 20), (-110, 90), (-760, 720), (0.5, 2)]
    ordinary = [rng.uniform(*span, 20000) for span in spans]
    info = np.finfo(dtype)
    ends = np.array([info.max, info.tiny, info.smallest_subnormal, info.eps])
    with np.errstate(invalid="ignore"):  # NaNs of all kinds
        numbers = np.concatenate([bits.view(dtype), SPECIAL, *ordinary, ends, -ends])
        return numbers.astype(dtype)


@pytest.fixture(params=[True, False], ids=["this processor", "any processor"])
def processor(request, monkeypatch):
    """With the instructions of this processor, or with those that all have."""
    if not request.param:
        monkeypatch.setattr(
            jit,
            "host",
            lambda: jit.Host(masks=False, scales=False, halves=True, powf=0),
        )
        monkeypatch.setattr(kernel, "_known", {})


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_of_one_number(name, dtype, processor):
    limit = LIMIT
    if dtype == np.float64:
        limit = BEYOND + (SINH if name == "sinh" else LIMIT)
    check(name, limit, samples(dtype))


@given(
    st.sampled_from(UNARY),
    st.lists(st.floats(width=32), min_size=1, max_size=20),
)
def test_functions_of_any_numbers(name, numbers):
    for dtype in FLOATS:
        check(name, SINH + BEYOND, np.array(numbers, dtype))


@given(
    st.lists(st.tuples(*[st.floats(-50, 50, width=32)] * 2), min_size=1, max_size=50)
)
def test_logaddexp(pairs):
    for dtype in FLOATS:
        x, y = np.array(pairs, dtype).T
        wanted = np.logaddexp(x.astype(np.longdouble), y.astype(np.longdouble))
        near = 4 * np.finfo(dtype).eps * (1 + np.maximum(np.abs(x), np.abs(y)))
        found = computed("logaddexp", x.copy(), y.copy())
        assert (np.abs(found - wanted) <= near).all()


def test_logaddexp_of_special_numbers():
    x, y = (a.ravel().astype(np.float32) for a in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(invalid="ignore"):
        wanted = np.logaddexp(x, y)
    np.testing.assert_allclose(computed("logaddexp", x, y), wanted, 1e-6, 1e-30)


def test_power_of_special_numbers():
    numbers = [*SPECIAL, 3.0, -3.0, 2.5, -0.5, 127.0, -149.0, 1.0000001, -1e30]
    x, y = (a.ravel().astype(np.float32) for a in np.meshgrid(numbers, numbers))
    check("power", LIMIT, x, y)


@given(
    st.lists(
        st.tuples(st.floats(width=32), st.floats(-40, 40, width=32)),
        min_size=1,
        max_size=50,
    )
)
def test_power(pairs):
    x, y = np.array(pairs, np.float32).T
    check("power", LIMIT, x.copy(), y.copy())


@pytest.mark.parametrize("per_row", [True, False])
def test_power_of_one_number(per_row):
    """The C library's function, in the loops of optimizers."""
    w = Writer(1)
    x, y, out = (w.array(varies=[0], values=v) for v in (0.9, 17.0, 0.0))
    w.store(w.emit("power", w.load(x), w.load(y), per_row=per_row), out)
    w.bind()()
    np.testing.assert_allclose(w.view(out), np.float32(0.9) ** 17, 2e-7)


@pytest.mark.parametrize("dtype", FLOATS)
def test_erf(dtype):
    x = np.concatenate(
        [np.linspace(-7, 7, 20001), np.geomspace(1e-30, 1, 1000)]
    ).astype(dtype)
    wanted = np.array([math.erf(v) for v in x.astype(float)])
    found = computed("erf", x)
    unit = np.spacing(np.abs(wanted).astype(dtype))
    assert (np.abs(found - wanted) <= 3 * unit).all()


def test_every_function_is_tested():
    written = {n for n, u in UFUNCS.items() if "transcendental" in u.formula.__module__}
    assert written == {*UNARY, "logaddexp", "power", "erf"}

"""What is compiled, and when; how kernels are bound, called and shared by threads."""

import os
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

from minikeras.engine import native
from minikeras.engine.loops import Instruction, processors
from minikeras.engine.native import jit, kernel, parts
from minikeras.engine.native.nest import write
from minikeras.engine.native.schedule import canonical
from tests.engine.native.written import Writer


def doubled(*sizes, dtype="float32", number=2.0):
    w = Writer(*sizes)
    x = w.load(w.array(dtype))
    y = w.emit("multiply", x, w.constant(number, dtype), per_row=False)
    w.store(y, w.array(dtype))
    return w


# -- what is there -------------------------------------------------------------------


def test_kernels_are_available_where_llvmlite_is(monkeypatch):
    assert native.available()
    assert native.explain().startswith("kernels: native, by LLVM ")
    monkeypatch.setattr(jit, "_installed", lambda: False)
    assert not native.available()
    assert "pip install 'minikeras[llvm]'" in native.explain()


def test_the_environment_can_ask_for_numpys(monkeypatch):
    monkeypatch.setenv("MINIKERAS_KERNELS", "numpy")
    assert not native.available()
    assert "MINIKERAS_KERNELS=numpy" in native.explain()


def test_llvm_is_loaded_only_to_compile():
    program = (
        "import sys; from minikeras.engine import native; native.available();"
        "sys.exit('llvmlite.binding' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "dtype, name",
    [
        ("longdouble", "exp"),
        ("complex64", "exp"),
        ("float64", "arctan"),
        (">f4", "exp"),
    ],
)
def test_loops_that_cannot_be_compiled_are_told_apart(dtype, name):
    w = Writer(5)
    w.operands = [o._replace(dtype=np.dtype(dtype)) for o in doubled(5).operands]
    w.store(w.emit(name, w.load(0)), 1)
    assert not native.supports(w.loop)
    assert "kernels: NumPy's, as native ones have no" in native.explain(w.loop)


def test_float16_is_compiled_where_the_processor_knows_it(monkeypatch):
    loop = doubled(5, dtype="float16").loop
    host = jit.host()
    monkeypatch.setattr(jit, "host", lambda: host._replace(halves=False))
    assert not native.supports(loop)
    monkeypatch.setattr(jit, "host", lambda: host._replace(halves=True))
    assert native.supports(loop)


def test_a_loop_without_elements_cannot_be_compiled():
    assert not native.supports(doubled(4).loop._replace(sizes=(0,)))


def test_dtypes_that_do_not_fit_cannot_be_compiled():
    loop = doubled(4).loop
    *steps, store = loop.instructions
    wrong = Instruction("cast", (2,), np.dtype("int32"))
    store = store._replace(inputs=(3,))
    assert not native.supports(loop._replace(instructions=(*steps, wrong, store)))


# -- what is compiled ----------------------------------------------------------------


@pytest.fixture
def compiled(monkeypatch):
    """The number of loops in each module that is compiled."""
    monkeypatch.setattr(kernel, "_known", {})
    modules = []

    def count(text, functions, level=1, compile_module=jit.compile_module):
        modules.append(text.count("\ncase"))
        return compile_module(text, functions, level)

    monkeypatch.setattr(jit, "compile_module", count)
    return modules


def test_loops_of_one_plan_are_one_module_and_loops_known_compile_nothing(compiled):
    loops = [doubled(40, 3).loop, doubled(7).loop, doubled(40, 3).loop]
    first = native.build(loops)
    assert compiled == [2]
    assert [k.code for k in native.build(loops)] == [k.code for k in first]
    assert compiled == [2]


def test_a_smaller_batch_needs_no_other_code(compiled):
    native.build([doubled(128, 30).loop])
    native.build([doubled(17, 30).loop])
    assert compiled == [1]
    doubled(17, 30).check()


@pytest.mark.parametrize("numbers", [(0.0, -0.0), (1, True)])
def test_constants_that_compare_equal_are_not_the_same(compiled, numbers):
    w = [doubled(8, number=number) for number in numbers]
    if numbers[1] is not True:
        native.build([each.loop for each in w])
        assert compiled == [2]
    for each in w:
        each.check()
        found, wanted = each.run()[1]
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))


@pytest.mark.parametrize("count", [3, 30])
def test_parts_of_one_array_are_found_from_the_first(count):
    step, size = 40, 37  # of an array of rows, a part each; not a whole vector
    w = Writer(2, size)
    for _ in range(count):
        w.operand("float32", (count * step, 1))
    total = w.load(0)
    for i in range(1, count):
        total = w.emit("add", total, w.load(i))
    w.store(total, w.array("float32"))
    places = [None, *((0, i * step) for i in range(1, count)), None]
    loops = [w.loop, w.loop._replace(places=tuple(places))]
    x = np.random.default_rng(0).standard_normal((2, count, step), np.float32)
    inputs = [x[:, i, :size] for i in range(count)]
    found = []
    for built in native.build(loops):
        out = np.zeros((2, size), np.float32)
        built.bind([*inputs, out])()
        found.append(out)
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0], sum(inputs), rtol=1e-5, atol=1e-5)
    texts = [write([canonical(loop)], jit.host()) for loop in loops]
    assert texts[0].count("load ptr") >= count > 2 == texts[1].count("load ptr")


@pytest.mark.skipif(not jit.host().halves, reason="there is no float16 here")
@pytest.mark.parametrize("length", [8, 100])
@pytest.mark.parametrize("to", ["float16", "float32"])
def test_halves_that_lie_apart_are_compiled_with_more_care(length, to):
    w = Writer(3, length)
    x = w.load(w.operand("float16", (5 * length, 3)))
    w.store(w.emit("cast", x, dtype=to), w.operand(to, (3 * length, -2)))
    text = write([canonical(w.loop)], jit.host())
    assert "optnone" not in text
    assert "optnone" in write([canonical(doubled(8).loop)], jit.host())
    w.check()


# -- binding -------------------------------------------------------------------------


def test_a_bound_kernel_is_a_builtin_function_that_keeps_its_arrays():
    (k,) = native.build([doubled(6).loop])
    out = np.zeros(6, np.float32)
    call = k.bind([np.arange(6, dtype=np.float32), out])
    assert isinstance(call, types.BuiltinFunctionType)
    assert call() is None
    np.testing.assert_array_equal(out, [0, 2, 4, 6, 8, 10])


def test_a_bound_kernel_leaves_no_references_behind():
    call = doubled(6).bind()
    before = sys.getrefcount(None)
    for _ in range(1000):
        call()
    assert abs(sys.getrefcount(None) - before) < 100


def test_a_range_of_the_outermost_dimension():
    w = doubled(10, 3)
    (k,) = native.build([w.loop])
    out = np.zeros((10, 3), np.float32)
    k.bind([np.ones((10, 3), np.float32), out], 2, 5)()
    np.testing.assert_array_equal(out[:, 0], [0, 0, 2, 2, 2, 0, 0, 0, 0, 0])


def test_an_only_dimension_is_cut_between_vectors():
    w = doubled(200)
    (k,) = native.build([w.loop])
    out = np.zeros(200, np.float32)
    k.bind([np.ones(200, np.float32), out], 64, 128)()
    np.testing.assert_array_equal(np.flatnonzero(out), np.arange(64, 128))
    with pytest.raises(ValueError, match="0 to 100 does not cut at 64"):
        k.bind(w.arrays(), 0, 100)


def test_arrays_of_other_dtypes_are_refused():
    (k,) = native.build([doubled(6).loop])
    with pytest.raises(TypeError, match=r"float32.*float64"):
        k.bind([np.zeros(6), np.zeros(6)])


# -- threads -------------------------------------------------------------------------


def totals(*sizes):
    """A loop with all kinds of totals, and what it stores beside them."""
    w = Writer(*sizes, seed=5)
    k = w.array(values=w.rng.standard_normal(sizes))
    y = w.emit("multiply", w.load(k), w.constant(0.7), per_row=False)
    w.store(y, w.over(k))
    for d in range(2 ** len(sizes) - 1):
        varies = [bool(d >> i & 1) for i in range(len(sizes))]
        w.accumulate("add", y, w.array(varies=varies))
        w.accumulate("maximum", y, w.array(varies=varies))
    return w


@pytest.fixture
def eager(monkeypatch):
    """Threads for loops of any size."""
    monkeypatch.setattr(parts, "SHARED", 0)
    monkeypatch.setattr(parts, "PART", 100)
    monkeypatch.setattr(kernel, "_known", {})


@pytest.mark.parametrize(
    "sizes", [(10007,), (8192,), (1000, 7), (300, 70), (40, 6, 50)]
)
def test_results_have_the_same_bits_for_any_number_of_threads(
    eager, monkeypatch, sizes
):
    found = []
    for threads in (1, 2, 3):
        monkeypatch.setenv("MINIKERAS_THREADS", str(threads))
        w = totals(*sizes)
        assert parts.rows_in_part(w.loop) < sizes[0]
        w.check(rtol=1e-3)
        found.append([block.tobytes() for block, _ in w.memory])
    assert found[0] == found[1] == found[2]


def test_rows_that_wait_for_their_totals_are_not_cut(eager):
    w = Writer(5000)
    x = w.load(w.array(values=w.rng.standard_normal(5000)))
    w.store(w.emit("subtract", x, w.reduce("maximum", x), per_row=False), w.array())
    assert parts.rows_in_part(w.loop) == 5000
    w.check()


def test_several_threads_of_python_may_run_kernels_at_once(eager, monkeypatch):
    monkeypatch.setenv("MINIKERAS_THREADS", "3")
    writers = [doubled(20000, 5) for _ in range(4)]
    calls = [w.bind() for w in writers]

    def repeat(call):
        for _ in range(200):
            call()

    running = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for w in writers:
        np.testing.assert_array_equal(w.view(1), w.view(0) * np.float32(2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_a_pool_of_its_own():
    program = """
import os, sys, numpy as np
from minikeras.engine import native
from minikeras.engine.native import parts, pool
from tests.engine.native.test_kernels import doubled
parts.SHARED, parts.PART = 0, 100
w = doubled(20000, 5)
call = w.bind()
call()
w.view(1)[...] = 0
child = os.fork()
if child == 0:
    assert pool.POOL._size == 1
    for call in (call, w.bind()):
        w.view(1)[...] = 0
        call()
        assert np.array_equal(w.view(1), w.view(0) * np.float32(2), equal_nan=True)
    assert pool.POOL._size == 2
    os._exit(42)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) - 42)
"""
    environment = os.environ | {"MINIKERAS_THREADS": "2"}
    command = [sys.executable, "-W", "ignore", "-c", program]
    subprocess.run(command, check=True, env=environment, timeout=60)


def test_the_number_of_threads_is_that_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    monkeypatch.delenv("MINIKERAS_THREADS", raising=False)
    assert processors() == 4
    monkeypatch.setenv("MINIKERAS_THREADS", "3")
    assert processors() == 3

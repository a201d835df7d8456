"""Loops written by hand or drawn at random, and what they should give.

The oracle works on whole arrays with NumPy's ufuncs, instruction by instruction. An
operand lies somewhere in a block of memory, in any layout; everything in that block
that the loop must not write has to be there afterwards.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from minikeras.engine import native
from minikeras.engine.loops import Operand
from minikeras.engine.native import jit
from tests.engine.loop_writer import LoopWriter

HALF = np.dtype("float16")
FLOATS = [np.dtype(t) for t in ("float32", "float64")]
ALL_FLOATS = [HALF, *FLOATS] if jit.host().halves else FLOATS
INTEGERS = [
    np.dtype(f"{kind}{8 * size}") for kind in ("int", "uint") for size in (1, 2, 4, 8)
]
BOOL = np.dtype(bool)
GUARD = 70  # elements of memory on either side that nobody may touch


class Writer(LoopWriter):
    """Writes a loop, and makes memory for its operands."""

    def __init__(self, *sizes, seed=0):
        super().__init__(sizes, seed)
        self.memory = []  # of each operand, where it lies: (block, element 0)

    # -- operands

    def operand(self, dtype, strides, values=None):
        """Add an operand in memory of its own, filled with numbers."""
        dtype = np.dtype(dtype)
        reach = [(n - 1) * s for n, s in zip(self.sizes, strides, strict=True)]
        first = GUARD - sum(r for r in reach if r < 0)
        size = first + sum(r for r in reach if r > 0) + 1 + GUARD
        block = numbers(self.rng, dtype, size)
        self.operands.append(Operand(dtype, tuple(strides)))
        self.memory.append((block, first))
        if values is not None:
            self.view(len(self.operands) - 1)[...] = values
        return len(self.operands) - 1

    def array(self, dtype="float32", varies=None, values=None):
        """Add an operand that lies in C order over the dimensions that it varies in."""
        varies = varies or [True] * len(self.sizes)
        strides, size = [], 1
        for n, v in zip(self.sizes[::-1], varies[::-1], strict=True):
            strides.insert(0, size if v else 0)
            size *= n if v else 1
        return self.operand(dtype, strides, values)

    def over(self, k):
        """Add an operand that lies where operand `k` does."""
        self.operands.append(self.operands[k])
        self.memory.append(self.memory[k])
        return len(self.operands) - 1

    def view(self, k, blocks=None):
        """Operand `k` as an array of the loop's sizes; of copied blocks if given."""
        block, first = self.memory[k]
        block = blocks[id(block)] if blocks else block
        strides = [s * block.itemsize for s in self.operands[k].strides]
        return np.lib.stride_tricks.as_strided(block[first:], self.sizes, strides)

    # -- running

    def arrays(self):
        return [block[first:] for block, first in self.memory]

    def bind(self):
        assert native.supports(self.loop)
        (kernel,) = native.build([self.loop])
        return kernel.bind(self.arrays())

    def run(self):
        """Do the loop; return blocks as the oracle has them, by those of the loop."""
        wanted = {id(block): block.copy() for block, _ in self.memory}
        with np.errstate(all="ignore"):
            interpret(self, wanted)
        self.bind()()
        return [(block, wanted[id(block)]) for block, _ in self.memory]

    def check(self, rtol=0.0):
        """Do the loop, and compare all memory with the oracle's."""
        for found, wanted in self.run():
            if rtol:
                np.testing.assert_allclose(found, wanted, rtol, atol=1e-30)
            else:
                np.testing.assert_array_equal(found, wanted)


def numbers(rng, dtype, size):
    """Numbers of a dtype, small and large, with zeros and what is no number."""
    if dtype.kind == "b":
        return rng.integers(0, 2, size).astype(bool)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        small = rng.integers(max(low, -9), 10, size)
        large = rng.integers(low, high, size, dtype, endpoint=True)
        return np.where(rng.random(size) < 0.7, small.astype(dtype), large)
    x = (rng.standard_normal(size) * 10.0 ** rng.integers(-3, 4, size)).astype(dtype)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], dtype)
    return np.where(rng.random(size) < 0.1, rng.choice(special, size), x)


def interpret(writer, blocks):
    """Do a loop on whole arrays, on the `blocks` of memory."""
    views = [writer.view(k, blocks) for k in range(len(writer.operands))]
    inputs = [view.copy() for view in views]
    values = []
    for step in writer.instructions:
        given = [values[i] for i in step.inputs]
        if step.name == "store":
            views[step.attribute][...] = given[0]
        elif step.name == "accumulate":
            accumulate(writer, step, given[0], views[step.attribute[1]])
        values.append(evaluate(writer, step, inputs, given))
        assert values[-1] is None or values[-1].dtype == step.dtype, step


def evaluate(writer, step, inputs, given):
    """The value of one instruction, None if it has none."""
    match step.name:
        case "store" | "accumulate":
            return None
        case "load":
            x = inputs[step.attribute]
            return x[..., :1] if step.per_row else x
        case "constant":
            return np.full([1] * len(writer.sizes), step.attribute, step.dtype)
        case "cast":
            return given[0].astype(step.dtype)
        case "where":
            return np.where(*given)
        case "reduce":
            x = np.broadcast_to(given[0], writer.sizes)
            return getattr(np, step.attribute).reduce(x, -1, step.dtype, keepdims=True)
    return getattr(np, step.name)(*given)


def accumulate(writer, step, x, view):
    """Write totals over the dimensions that the operand does not vary in."""
    ufunc, k = step.attribute
    strides = writer.operands[k].strides
    sizes = list(writer.sizes)
    if writer.instructions[step.inputs[0]].per_row and strides[-1] == 0:
        sizes[-1] = 1
    x = np.broadcast_to(x, sizes)
    axes = tuple(d for d, s in enumerate(strides) if s == 0)
    view[...] = getattr(np, ufunc).reduce(x, axes, step.dtype, keepdims=True)


# -- drawing -------------------------------------------------------------------------

SAME = {  # ufuncs whose result has the dtype of the inputs: dtypes, number of inputs
    **dict.fromkeys(("add", "multiply"), ([*ALL_FLOATS, *INTEGERS, BOOL], 2)),
    "subtract": ([*ALL_FLOATS, *INTEGERS], 2),
    **dict.fromkeys(("maximum", "minimum"), ([*ALL_FLOATS, *INTEGERS, BOOL], 2)),
    **dict.fromkeys(("divide", "copysign", "heaviside"), (ALL_FLOATS, 2)),
    **dict.fromkeys(("floor_divide", "remainder"), (INTEGERS, 2)),
    **dict.fromkeys(("left_shift", "right_shift"), (INTEGERS, 2)),
    **dict.fromkeys(
        ("bitwise_and", "bitwise_or", "bitwise_xor"), ([*INTEGERS, BOOL], 2)
    ),
    "invert": ([*INTEGERS, BOOL], 1),
    **dict.fromkeys(
        ("negative", "sign", "square", "positive"), ([*ALL_FLOATS, *INTEGERS], 1)
    ),
    "absolute": ([*ALL_FLOATS, *INTEGERS, BOOL], 1),
    **dict.fromkeys(("sqrt", "reciprocal", "fabs", "floor", "ceil"), (ALL_FLOATS, 1)),
    **dict.fromkeys(("trunc", "rint"), (ALL_FLOATS, 1)),
    "clip": ([*ALL_FLOATS, *INTEGERS], 3),
}
ASKING = {  # ufuncs whose result is a bool
    **dict.fromkeys(
        ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        ([*ALL_FLOATS, *INTEGERS, BOOL], 2),
    ),
    **dict.fromkeys(
        ("logical_and", "logical_or", "logical_xor"),
        ([*ALL_FLOATS, *INTEGERS, BOOL], 2),
    ),
    "logical_not": ([*ALL_FLOATS, *INTEGERS, BOOL], 1),
    **dict.fromkeys(("isnan", "isinf", "isfinite", "signbit"), (ALL_FLOATS, 1)),
}
# Totals which have the same bits in any order.
BITWISE = ["bitwise_and", "bitwise_or", "bitwise_xor"]
EXACT = {
    "f": ["maximum", "minimum", "fmax", "fmin"],
    "b": ["logical_and", "logical_or", "logical_xor", "add", "maximum", *BITWISE],
    "i": ["add", "multiply", "maximum", "minimum", *BITWISE],
}
EXACT["u"] = EXACT["i"]


def totals(dtype):
    return EXACT[dtype.kind]


@st.composite
def writers(draw):
    """Draw loops with any sizes, strides, dtypes, instructions and overlaps."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = draw(st.integers(1, 300))
    w = Writer(*sizes, seed=draw(st.integers(0, 2**32)))
    dtypes = st.sampled_from([*ALL_FLOATS, *FLOATS, *INTEGERS, BOOL])
    for _ in range(draw(st.integers(1, 4))):
        w.load(w.operand(draw(dtypes), draw(layouts(sizes))))
    inputs = list(range(len(w.operands)))
    for _ in range(draw(st.integers(0, 10))):
        draw_step(draw, w)
    for _ in range(draw(st.integers(1, 3))):
        draw_output(draw, w, inputs)
    return w


@st.composite
def layouts(draw, sizes, within=()):
    """Draw strides: any order, gaps, directions; 0 where nothing varies."""
    strides = [0] * len(sizes)
    size = draw(st.sampled_from([1, 1, 1, 2, 3]))
    common = draw(st.booleans())  # C order, varying everywhere
    order = (
        range(len(sizes))[::-1] if common else draw(st.permutations(range(len(sizes))))
    )
    for d in order:
        if d in within or common or draw(st.integers(0, 3)):
            strides[d] = size * (1 if common else draw(st.sampled_from([1, 1, 1, -1])))
            size *= sizes[d] * (1 if common else draw(st.sampled_from([1, 1, 2])))
    return strides


def draw_step(draw, w):
    """Draw an instruction on values that are there, or on constants."""
    values = [i for i, step in enumerate(w.instructions)]
    x = draw(st.sampled_from(values))
    dtype = w.instructions[x].dtype
    choices = [(n, k, dtype) for n, (ds, k) in SAME.items() if dtype in ds]
    choices += [(n, k, BOOL) for n, (ds, k) in ASKING.items() if dtype in ds]
    choices += [(name, 1, dtype) for name in ("cast", "cast", "where", "reduce")]
    name, count, result = draw(st.sampled_from(choices))
    same = [i for i in values if w.instructions[i].dtype == dtype]
    others = [draw_value(draw, w, same, dtype) for _ in range(count - 1)]
    if name == "cast":
        to = draw(st.sampled_from([*ALL_FLOATS, *INTEGERS, BOOL]))
        if (dtype, to) == (np.float64, HALF):
            to = dtype  # there is no such instruction
        if dtype.kind == "f" and to.kind in "iu":  # others are left open by C
            x = draw_in_range(w, x, to)
        w.emit("cast", x, dtype=to)
    elif name == "where":
        bools = [i for i in values if w.instructions[i].dtype == BOOL]
        condition = draw_value(draw, w, bools, BOOL)
        w.emit("where", condition, x, draw_value(draw, w, same, dtype))
    elif name == "reduce":
        w.reduce(draw(st.sampled_from(totals(dtype))), x)
    elif name == "clip":
        low, high = sorted((-2 if dtype.kind != "u" else 0, draw(st.integers(0, 5))))
        w.emit("clip", x, w.constant(low, dtype), w.constant(high, dtype), dtype=dtype)
    else:
        w.emit(name, x, *others, dtype=result)


def draw_value(draw, w, values, dtype):
    if values and draw(st.integers(0, 4)):
        return draw(st.sampled_from(values))
    return w.constant(draw(st.sampled_from([0, 1, 2, 3])), dtype)


def draw_in_range(w, x, to):
    """Emit what brings floats into an integer dtype's range, without NaN."""
    dtype = w.instructions[x].dtype
    high = 100.0
    low = 0.0 if to.kind == "u" else -100.0
    number = w.emit("equal", x, x, dtype=BOOL)
    x = w.emit("where", number, x, w.constant(1.0, dtype), dtype=dtype)
    return w.emit(
        "clip", x, w.constant(low, dtype), w.constant(high, dtype), dtype=dtype
    )


def draw_output(draw, w, inputs):
    """Draw a store, on an input's memory if it fits, or an accumulation."""
    values = [
        i
        for i, step in enumerate(w.instructions)
        if step.name not in ("store", "accumulate")
    ]
    x = draw(st.sampled_from(values[::-1]))
    dtype = w.instructions[x].dtype
    if draw(st.booleans()):
        k = w.operand(dtype, draw(layouts(w.sizes)))
        w.accumulate(draw(st.sampled_from(totals(dtype))), x, k)
        return
    everywhere = [n > 1 for n in w.sizes]
    for k in inputs:
        fits = w.operands[k].dtype == dtype and all(
            s or not v for s, v in zip(w.operands[k].strides, everywhere, strict=True)
        )
        if fits and draw(st.booleans()):
            inputs.remove(k)
            w.store(x, w.over(k))
            return
    w.store(x, w.operand(dtype, draw(layouts(w.sizes, within=range(len(w.sizes))))))

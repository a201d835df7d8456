"""Microseconds that fused loops take: compiled, by blocks of NumPy, by whole arrays.

Each loop is one that networks have: activations, normalized rows, losses, gradients of
biases, an optimizer's update. One core; the least time of many calls counts, as other
programs can only add to it. The last columns are what compiling takes, in milliseconds
of processor time: of one loop by itself, and of one more in a module.

    python benchmarks/bench_loops.py [name ...]
"""

from __future__ import annotations

import os
import sys
import time

os.environ["MINIKERAS_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from minikeras.engine import blocked
from minikeras.engine.loops import Instruction, Loop, Operand
from minikeras.engine.native import jit, kernel
from minikeras.engine.native.nest import FUNCTION, write
from minikeras.engine.native.schedule import canonical

F, B = np.dtype(np.float32), np.dtype(bool)
RNG = np.random.default_rng(0)


class Writer:
    """Writes a loop, with an array for each operand."""

    def __init__(self, *sizes):
        self.sizes = sizes
        self.arrays, self.operands, self.instructions = [], [], []

    def array(self, *varies):
        """Add an array over the dimensions that it varies in; by default, all."""
        varies = varies or (1,) * len(self.sizes)
        shape = [n for n, v in zip(self.sizes, varies, strict=True) if v]
        self.arrays.append(RNG.uniform(0.1, 1, shape).astype(F))
        whole = self.arrays[-1].reshape(
            [n if v else 1 for n, v in zip(self.sizes, varies, strict=True)]
        )
        strides = np.broadcast_to(whole, self.sizes).strides
        self.operands.append(Operand(F, tuple(s // 4 for s in strides)))
        return len(self.arrays) - 1

    def transposed(self):
        """Add a square array whose columns are the loop's rows."""
        k = self.array()
        self.operands[k] = Operand(F, self.operands[k].strides[::-1])
        return k

    def emit(self, name, *inputs, attribute=None, dtype=F, per_row=None):
        """Add an instruction; return its number."""
        if per_row is None:
            per_row = all(self.instructions[i].per_row for i in inputs)
        step = Instruction(name, inputs, dtype, attribute, per_row)
        self.instructions.append(step)
        return len(self.instructions) - 1

    def load(self, *varies):
        """Read a new array."""
        return self.read(self.array(*varies))

    def read(self, k):
        """Read array `k`."""
        row = self.operands[k].strides[-1] == 0
        return self.emit("load", attribute=k, per_row=row)

    def store(self, x, *varies):
        """Write a value to a new array."""
        self.write(x, self.array(*varies))

    def write(self, x, k):
        """Write a value to array `k`."""
        self.emit("store", x, attribute=k)

    def constant(self, number):
        """Add a number."""
        return self.emit("constant", attribute=F.type(number), per_row=True)

    def reduce(self, ufunc, x):
        """Add a total of each row."""
        return self.emit("reduce", x, attribute=ufunc, per_row=True)

    def accumulate(self, x, *varies):
        """Add the sum over the dimensions that a new array does not vary in."""
        self.emit("accumulate", x, attribute=("add", self.array(*varies)))

    def loop(self):
        """Return what has been written."""
        return Loop(self.sizes, tuple(self.operands), tuple(self.instructions))


# -- loops: each is written, and computed by whole arrays x, y, ... --------------------


def adam(w):
    """Update parameters."""
    k = [w.array() for _ in range(4)]
    p, m, v, g = map(w.read, k)
    rate = w.load(0)
    m = w.emit("add", m, w.emit("multiply", w.emit("subtract", g, m), w.constant(0.1)))
    square = w.emit("subtract", w.emit("multiply", g, g), v)
    v = w.emit("add", v, w.emit("multiply", square, w.constant(0.001)))
    root = w.emit("add", w.emit("sqrt", v), w.constant(1e-7))
    p = w.emit("subtract", p, w.emit("divide", w.emit("multiply", m, rate), root))
    for x, to in zip((p, m, v), k, strict=False):
        w.write(x, to)

    def whole(p, m, v, g, rate):
        m += (g - m) * F.type(0.1)
        v += (g * g - v) * F.type(0.001)
        p -= m * rate / (np.sqrt(v) + F.type(1e-7))

    return whole


def bias_and_relu(w):
    """Add a bias; cut off below 0."""
    y = w.emit("add", w.load(), w.load(0, 1))
    w.store(w.emit("maximum", y, w.constant(0)))
    return lambda x, b, y: np.maximum(np.add(x, b, out=y), F.type(0), out=y)


def relu_gradient(w):
    """Return a gradient where the output was positive."""
    g, y = w.load(), w.load()
    positive = w.emit("greater", y, w.constant(0), dtype=B)
    w.store(w.emit("where", positive, g, w.constant(0)))
    return lambda g, y, out: np.multiply(g, y > 0, out=out)


def softmax(w):
    """Return each row's shares of exp."""
    x = w.load()
    e = w.emit("exp", w.emit("subtract", x, w.reduce("maximum", x)))
    w.store(w.emit("divide", e, w.reduce("add", e)))

    def whole(x, y):
        np.subtract(x, x.max(1, keepdims=True), out=y)
        np.exp(y, out=y)
        np.divide(y, y.sum(1, keepdims=True), out=y)

    return whole


def normalized_rows(w):
    """Return rows of mean 0 and variance 1, times a gain, plus a bias."""
    x, gain, bias, share = (
        w.load(),
        w.load(0, 1),
        w.load(0, 1),
        w.constant(1 / w.sizes[1]),
    )
    d = w.emit("subtract", x, w.emit("multiply", w.reduce("add", x), share))
    v = w.emit("multiply", w.reduce("add", w.emit("multiply", d, d)), share)
    root = w.emit("sqrt", w.emit("add", v, w.constant(1e-3)))
    y = w.emit("multiply", w.emit("divide", d, root), gain)
    w.store(w.emit("add", y, bias))

    def whole(x, gain, bias, y):
        np.subtract(x, x.mean(1, keepdims=True), out=y)
        v = np.square(y).mean(1, keepdims=True)
        np.divide(y, np.sqrt(v + F.type(1e-3)), out=y)
        np.add(np.multiply(y, gain, out=y), bias, out=y)

    return whole


def sums_of_columns(w):
    """Return a bias's gradient."""
    w.accumulate(w.load(), 0, 1)
    return lambda x, y: np.add.reduce(x, 0, out=y)


def sums_of_rows(w):
    """Return each row's sum."""
    w.store(w.reduce("add", w.load()), 1, 0)
    return lambda x, y: np.add.reduce(x, 1, out=y)


def sum_of_squares(w):
    """Return one number."""
    x = w.load()
    w.accumulate(w.emit("multiply", x, x), 0)
    return lambda x, y: np.square(x).sum(out=y)


def sum_with_transposed(w):
    """Read one array along its columns."""
    w.store(w.emit("add", w.load(), w.read(w.transposed())))
    return lambda x, y, z: np.add(x, y.T, out=z)


def sigmoid(w):
    """Return 1 / (1 + exp(-x))."""
    e = w.emit("exp", w.emit("negative", w.load()))
    w.store(w.emit("divide", w.constant(1), w.emit("add", e, w.constant(1))))

    def whole(x, y):
        np.exp(np.negative(x, out=y), out=y)
        np.divide(F.type(1), np.add(y, F.type(1), out=y), out=y)

    return whole


def function(name):
    """Return a loop of one ufunc."""

    def written(w):
        w.store(w.emit(name, w.load()))
        ufunc = getattr(np, name)
        return lambda x, y: ufunc(x, out=y)

    return written


CASES = {
    "adam": (adam, (4000,), (50896,), (669696,)),
    "bias and relu": (bias_and_relu, (128, 10), (128, 512), (43264, 32)),
    "relu gradient": (relu_gradient, (65536,)),
    "softmax": (softmax, (128, 10), (8192, 64), (512, 1000)),
    "normalized rows": (normalized_rows, (128, 512), (2048, 128)),
    "sums of columns": (sums_of_columns, (128, 10), (128, 512), (43264, 32)),
    "sums of rows": (sums_of_rows, (2048, 128), (512, 4096)),
    "sum of squares": (sum_of_squares, (16384,), (1 << 20,)),
    "sum with transposed": (sum_with_transposed, (512, 512)),
    "sigmoid": (sigmoid, (65536,)),
    **{
        name: (function(name), (65536,))
        for name in ("exp", "expm1", "log", "log1p", "tanh")
    },
}


# -- measuring -------------------------------------------------------------------------


def microseconds(call, patience=0.2):
    """Return the least time that a call took."""
    call()
    least, end = 1.0, time.perf_counter() + patience
    while time.perf_counter() < end:
        began = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - began)
    repeats = max(1, int(2e-5 / least))  # a clock has its own price
    end = time.perf_counter() + patience
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(repeats):
            call()
        least = min(least, (time.perf_counter() - began) / repeats)
    return least * 1e6


def milliseconds(loops):
    """Return the least processor time that compiling a module took."""
    least = 1.0
    for _ in range(5):
        began = time.process_time()
        jit.compile_module(write(loops, jit.host()), [FUNCTION])
        least = min(least, time.process_time() - began)
    return least * 1e3


def measure(name, written, sizes):
    """Print a row of the table."""
    w = Writer(*sizes)
    whole = written(w)
    loop, arrays = w.loop(), w.arrays
    (compiled,) = kernel.build([loop])
    by_blocks = blocked.bind(loop, arrays)
    native = microseconds(compiled.bind(arrays))
    blocks = microseconds(lambda: [call() for call in by_blocks])
    numpys = microseconds(lambda: whole(*arrays))
    moved = sum(array.nbytes for array in arrays) / native / 1e3
    one, five = (milliseconds([canonical(loop)] * n) for n in (1, 5))
    shape = " x ".join(map(str, sizes))
    print(
        f"{name:20} {shape:>12} {native:10.2f} {moved:7.1f} {blocks:10.2f}"
        f" {numpys:10.2f} {numpys / native:7.1f} {one:6.1f} {(five - one) / 4:6.1f}"
    )


def main():
    """Measure all loops, or those named."""
    columns = "native", "GB/s", "blocked", "NumPy", "times", "first", "next"
    print(
        f"{'':33} {{:>10}} {{:>7}} {{:>10}} {{:>10}} {{:>7}} {{:>6}} {{:>6}}".format(
            *columns
        )
    )
    for name, (written, *shapes) in CASES.items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            for sizes in shapes:
                measure(name, written, sizes)


if __name__ == "__main__":
    main()

"""Milliseconds of a convolutional network's step, layer by layer, and their floor.

The network is the one of the table. For each layer: what a step spends in products and
in loops, forward and backward, and the floor: the products of the layer's patches, as
NumPy makes them. Then convolutions by themselves with both their gradients: in a plan,
called as a whole (block by block), and their floor.

One core; the least time of many calls counts, as other programs can only add to it.

    python benchmarks/bench_conv.py [--repeats 200]
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from unittest import mock

os.environ["MINIKERAS_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import floor
import numpy as np
import workloads as w

import minikeras as keras
from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.compiler import CompiledPlan
from minikeras.engine.graph import Graph
from minikeras.engine.ops.conv import Convolution
from minikeras.engine.plan import Plan
from minikeras.engine.session import Session

CNN = w.TABLE["cnn"]
# Shapes of x and of the kernel, and how the windows lie.
SHAPES = {
    "3x3 on an image": ((64, 32, 32, 3), (3, 3, 3, 32), {}),
    "3x3, 32 channels": ((32, 28, 28, 32), (3, 3, 32, 32), {"padding": "same"}),
    "3x3, 128 channels": ((16, 14, 14, 128), (3, 3, 128, 128), {"padding": "same"}),
    "3x3, stride 2": ((32, 28, 28, 32), (3, 3, 32, 64), {"strides": 2}),
    "5x5, 32 channels": ((32, 14, 14, 32), (5, 5, 32, 32), {}),
    "1x1, 64 channels": ((32, 28, 28, 64), (1, 1, 64, 64), {}),
    "3x3, channel by channel": ((32, 28, 28, 64), (3, 3, 1, 64), {"groups": 64}),
    "3, on a line": ((32, 128, 32), (3, 32, 64), {}),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="time of convolutions, part by part")
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    step(repeats)
    print()
    singles(repeats // 5 + 1)


def best(call, repeats):
    """Return the least time of a call, in milliseconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def product(a, b, repeats):
    """Return what a product takes by itself."""
    y = a @ b
    return best(lambda: np.matmul(a, b, y), repeats)


# -- a training step -------------------------------------------------------------------


def step(repeats):
    """Print what each layer of the network takes."""
    model, epoch = fitted()
    products, loops, least = Counter(), Counter(), Counter()
    for row in model.plans()[0].explain(repeats).rows:
        layer = row.layer.partition(" and ")[0].partition(" (")[0]
        part = products if row.what == "matmul" else loops
        part[layer.rpartition("/")[2]] += 1e3 * row.seconds
    for number, (layer, shape) in enumerate(CNN.sized()):
        for when, a, b in floor.PRODUCTS[type(layer)](layer, CNN.batch, shape):
            if when in floor.needed(CNN, number):
                least[named(layer, number)] += product(a, b, repeats // 4 + 1)
    print(f"{'layer':24}{'products':>10}{'loops':>10}{'floor':>10}")
    for name in sorted({*products, *loops}):
        print(f"{name:24}{products[name]:10.2f}{loops[name]:10.2f}{least[name]:10.2f}")
    sums = [part.total() for part in (products, loops, least)]
    print(f"{'together':24}{sums[0]:10.2f}{sums[1]:10.2f}{sums[2]:10.2f}")
    print(f"{'a step of fit':24}{best(epoch, repeats // 10 + 1) / CNN.steps:10.2f}")


def fitted():
    """Return the network of the table, fitted, and what fits it for an epoch more."""
    inputs = outputs = keras.Input(CNN.inputs)
    for number, layer in enumerate(CNN.layers):
        outputs = keras_layer(layer, named(layer, number))(outputs)
    model = keras.Model(inputs, outputs)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = CNN.data()

    def epoch():
        model.fit(x, y, batch_size=CNN.batch, verbose=0)

    epoch()
    return model, epoch


def named(layer, number):
    """Return a layer's name: its place and its kind."""
    return f"{number}_{type(layer).__name__.lower()}"


def keras_layer(layer, name):
    """Return a layer of the table as one of Keras."""
    match layer:
        case w.Conv(filters):
            return keras.layers.Conv2D(filters, 3, activation="relu", name=name)
        case w.Dense(units, _):
            return keras.layers.Dense(units, name=name)
        case w.Pool():
            return keras.layers.MaxPooling2D(2, name=name)
    return keras.layers.Flatten(name=name)


# -- single convolutions ---------------------------------------------------------------


def singles(repeats):
    """Print what convolutions take, one by one."""
    print(f"{'convolution, gradients':24}{'plan':>10}{'whole':>10}{'floor':>10}")
    for name, (x, kernel, how) in SHAPES.items():
        found, y = planned(x, kernel, how, repeats)
        with mock.patch.object(Convolution, "way", refuse):
            whole, _ = planned(x, kernel, how, repeats)
        products = 0.0 if "groups" in how else least(kernel, y, repeats)
        print(f"{name:24}{found:10.2f}{whole:10.2f}{products:10.2f}")


def refuse(*_):
    """Stand in for an op's `way`, that it is called as a whole."""
    raise TypeError


def planned(x, kernel, how, repeats):
    """Return what a plan of a convolution with its gradients takes, and y's shape."""
    with Graph().as_default() as graph:
        xs = [ops.placeholder("float32", shape) for shape in (x, kernel)]
        y = ops.conv(*xs, **how)
        g = ops.placeholder("float32", y.shape)
        feeds = {t: t.spec for t in (*xs, g)}
        session = Session(graph=graph)
        plan = CompiledPlan(Plan([y, *gradients(y, xs, [g])], feeds), session.values)
        plan([floor.matrix(*t.shape) for t in feeds], session)
        rows = plan.explain(repeats).rows
    return 1e3 * sum(row.seconds for row in rows), y.shape


def least(kernel, y, repeats):
    """Return what the products of a convolution's patches and their gradients take."""
    *taps, channels, filters = kernel
    rows, length = int(np.prod(y[:-1])), int(np.prod(taps)) * channels
    each = floor.affine(rows, length, filters)
    return sum(product(a, b, repeats) for _, a, b in each)


if __name__ == "__main__":
    main()

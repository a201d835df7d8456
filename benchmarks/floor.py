"""The floor: the matrix products of a step in NumPy, backward ones too, and no more.

Convolutions count as the products of their patches, which lie ready; an LSTM as one
product for the inputs of all steps and one a step for the state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import workloads as w
from runs import Work, repeat

# When a product is needed: in every step; in training; there, but not in layer 0.
FORWARD, BACKWARD, BELOW = "forward", "backward", "below"
Products = Iterator[tuple[str, np.ndarray, np.ndarray]]
draws = np.random.default_rng(0)


def load(framework: str, threads: int) -> tuple[Callable, str]:
    """Return what prepares a run, and NumPy's version."""
    return prepare, f"NumPy {np.__version__}"


def prepare(workload: w.Workload, x: np.ndarray, y: np.ndarray) -> Work:
    """List the factors and places of the products; return what computes them."""
    factors = [
        (a, b, np.matmul(a, b))
        for index, (layer, shape) in enumerate(workload.sized())
        for when, a, b in PRODUCTS[type(layer)](layer, workload.batch, shape)
        if when in needed(workload, index)
    ]

    def epoch(steps: int) -> list[float]:
        for _ in range(steps):
            for a, b, place in factors:
                np.matmul(a, b, place)
        return [math.nan]

    return repeat(epoch)


def needed(workload: w.Workload, index: int) -> set[str]:
    """Which products a step computes in the layer of this number."""
    if workload.task == "predict":
        return {FORWARD}
    return {FORWARD, BACKWARD, BELOW} if index else {FORWARD, BACKWARD}


def matrix(*shape: int) -> np.ndarray:
    """Some numbers in this shape."""
    return draws.standard_normal(shape, np.float32)


def affine(rows: int, inputs: int, units: int, to_inputs: str = BACKWARD) -> Products:
    """The product with the weights, and the gradients of both factors."""
    x, weights, slopes = (
        matrix(rows, inputs),
        matrix(inputs, units),
        matrix(rows, units),
    )
    yield FORWARD, x, weights
    yield BACKWARD, x.T, slopes
    yield to_inputs, slopes, weights.T


def batched(a: np.ndarray, b: np.ndarray) -> Products:
    """A product for each sample and head, and the gradients of both factors."""
    slopes = a @ b
    yield FORWARD, a, b
    yield BACKWARD, slopes, b.mT
    yield BACKWARD, a.mT, slopes


def nothing(layer: w.Layer, batch: int, shape: w.Shape) -> Products:
    """Pooling, flattening and means: no products."""
    yield from ()


def dense(layer: w.Dense, batch: int, shape: w.Shape) -> Products:
    """One affine map."""
    rows = batch * math.prod(shape[:-1])
    yield from affine(rows, shape[-1], layer.units, BELOW)


def conv(layer: w.Conv, batch: int, shape: w.Shape) -> Products:
    """Patches of 3 x 3 pixels times the kernel."""
    height, width, _ = layer.shape(shape)
    rows = batch * height * width
    yield from affine(rows, 9 * shape[-1], layer.filters, BELOW)


def lstm(layer: w.LSTM, batch: int, shape: w.Shape) -> Products:
    """The inputs of all steps at once; the state one step after the other."""
    steps, channels = shape
    units = layer.units
    yield from affine(batch * steps, channels, 4 * units, BELOW)
    state, weights, slopes = (
        matrix(batch, units),
        matrix(units, 4 * units),
        matrix(batch, 4 * units),
    )
    for _ in range(steps):
        yield FORWARD, state, weights
        yield BACKWARD, slopes, weights.T
    yield BACKWARD, matrix(batch * steps, units).T, matrix(batch * steps, 4 * units)


def block(layer: w.Block, batch: int, shape: w.Shape) -> Products:
    """Queries, keys and values; scores; their use; merging; two dense layers."""
    tokens, width = shape
    rows, size = batch * tokens, width // layer.heads
    parts = (batch, layer.heads, tokens)
    yield from affine(rows, width, 3 * width, BELOW)
    yield from batched(matrix(*parts, size), matrix(*parts, size).mT)
    yield from batched(matrix(*parts, tokens), matrix(*parts, size))
    yield from affine(rows, width, width)
    yield from affine(rows, width, layer.inner)
    yield from affine(rows, layer.inner, width)


PRODUCTS = {
    w.Dense: dense,
    w.Conv: conv,
    w.Pool: nothing,
    w.Flatten: nothing,
    w.LSTM: lstm,
    w.Block: block,
    w.Mean: nothing,
}

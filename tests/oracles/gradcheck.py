"""Gradients judged by central differences, in float64, along random directions.

With ``loss(x) = sum of g * function(x)`` for random `g`, the gradient that the engine
builds must predict how the loss changes when `x` moves a little along a random
direction. Nothing of the engine's autodiff takes part in the measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minikeras.engine.autodiff import gradients
from minikeras.engine.graph import Graph
from minikeras.engine.ops.state import placeholder
from minikeras.engine.session import Session

__all__ = ["check_gradient", "check_second_order", "floating", "listed"]

# Balances the error of the difference, about STEP² for smooth functions of size 1,
# against that of rounding, about 1e-16 / STEP.
STEP = 1e-5


def listed(result: Any) -> list[Any]:
    """Return one output or several as a list."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def floating(result: Any) -> list[Any]:
    """Return the outputs that can be differentiated."""
    return [y for y in listed(result) if y is not None and "float" in str(y.dtype)]


def check_gradient(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    wrt: Sequence[int],
    rng: np.random.Generator,
    tolerance: float = 1e-6,
) -> None:
    """Fail if the gradient of `function` by an input is not that of its values.

    Args:
        function: builds tensors from tensors.
        arrays: the inputs, in float64 where they are differentiated.
        wrt: which of them to differentiate by.
        rng: draws the directions.
        tolerance: allowed error, relative to the sum of the terms' sizes.
    """
    with Graph().as_default() as graph:
        xs = [placeholder(a.dtype, a.shape) for a in arrays]
        ys = floating(function(*xs))
        session = Session(graph=graph)
        at_arrays = dict(zip(xs, arrays, strict=True))
        gs = [rng.standard_normal(np.shape(y)) for y in session.run(ys, at_arrays)]
        seeds = [placeholder("float64", g.shape) for g in gs]
        slopes = gradients(ys, [xs[i] for i in wrt], seeds)
        with_seeds = at_arrays | dict(zip(seeds, gs, strict=True))

    def loss(i: int, move: np.ndarray) -> float:
        values = session.run(ys, at_arrays | {xs[i]: arrays[i] + move})
        return sum(float(np.vdot(g, y)) for g, y in zip(gs, values, strict=True))

    for i, slope in zip(wrt, slopes, strict=True):
        direction = rng.standard_normal(arrays[i].shape)
        step = STEP * direction
        measured = (loss(i, step) - loss(i, -step)) / (2 * STEP)
        found = (
            np.zeros(arrays[i].shape)
            if slope is None
            else session.run(slope, with_seeds)
        )
        assert found.shape == arrays[i].shape, (
            f"gradient by input {i} has shape {found.shape}, not {arrays[i].shape}"
        )
        predicted = float(np.vdot(found, direction))
        size = float(np.vdot(np.abs(found), np.abs(direction))) + abs(measured)
        assert abs(predicted - measured) <= tolerance * size + 1e-8, (
            f"gradient by input {i}: predicts a slope of {predicted:.9g}, "
            f"central differences measure {measured:.9g}"
        )


def check_second_order(
    function: Callable[..., Any],
    arrays: Sequence[Any],
    wrt: Sequence[int],
    rng: np.random.Generator,
    tolerance: float = 1e-6,
) -> None:
    """Fail if the gradient of `function`, as a function itself, has a wrong gradient.

    It is a function of the inputs and of the gradient that comes from above, and is
    differentiated by both.
    """
    with Graph().as_default() as graph:
        xs = [placeholder(a.dtype, a.shape) for a in arrays]
        ys = floating(function(*xs))
        values = Session(graph=graph).run(ys, dict(zip(xs, arrays, strict=True)))
    seeds = [rng.standard_normal(np.shape(y)) for y in values]
    count = len(arrays)

    def pullback(*tensors: Any) -> list[Any]:
        xs, gs = tensors[:count], tensors[count:]
        return gradients(floating(function(*xs)), [xs[i] for i in wrt], list(gs))

    by_all = [*wrt, *range(count, count + len(seeds))]
    check_gradient(pullback, [*arrays, *seeds], by_all, rng, tolerance)

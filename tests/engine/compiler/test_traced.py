"""Kernels made of loops and products: what becomes of them in a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.compiler import without
from minikeras.engine.compiler.lowering import lower
from minikeras.engine.compiler.program import Call, Part, Program
from minikeras.engine.graph import Graph, Tensor
from minikeras.engine.plan import Plan
from minikeras.engine.session import Session

X, W = (2, 9, 8, 16), (3, 3, 16, 16)


def cnn(x: Tensor, w: Tensor) -> Tensor:
    return ops.max_pool(ops.relu(ops.conv(x, w)), 2)


def built(layers: Callable[..., Tensor], *shapes: Any) -> tuple[Graph, Any, Any]:
    """Return a graph, its placeholders, and a result with its gradients."""
    with Graph().as_default() as graph:
        xs = [ops.placeholder("float32", shape) for shape in shapes]
        y = layers(*xs)
        return graph, xs, [y, *gradients(ops.sum(y * y), xs)]


def program(layers: Callable[..., Tensor], *shapes: Any) -> Program:
    _, xs, ys = built(layers, *shapes)
    return lower(Plan(ys, {x: x.spec for x in xs}))


def called(made: Program) -> list[str]:
    return [unit.op.name for unit in made if isinstance(unit, Call)]


def test_convolution_and_pooling_are_loops_and_products() -> None:
    assert called(program(cnn, X, W)) == ["matmul"] * 3


def test_a_value_made_of_parts_is_made_once() -> None:
    """The tiles of x serve the convolution and a gradient, those of g two gradients."""
    wholes = {u.output.base for u in program(cnn, X, W) if isinstance(u, Part)}
    tiles = [
        whole for whole in wholes if whole.shape[0] == 16 and whole.layout.ndim == 5
    ]
    assert len(tiles) == 2
    with without("share"):
        wholes = {u.output.base for u in program(cnn, X, W) if isinstance(u, Part)}
    assert sum(w.shape[0] == 16 and w.layout.ndim == 5 for w in wholes) == 4


def test_a_product_is_shared_like_any_value() -> None:
    twice = lambda x, w: ops.conv(x, w) + ops.conv(x, w)  # noqa: E731
    assert called(program(twice, (2, 5, 4, 3), (1, 1, 3, 6))).count("matmul") == 3


@pytest.mark.parametrize("kept", [0, 10**9])
def test_a_large_value_is_made_anew_rather_than_kept(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minikeras.engine.kernels.winograd.MOST_KEPT", kept)
    wholes = {u.output.base for u in program(cnn, X, W) if isinstance(u, Part)}
    tiles = [w for w in wholes if w.shape[0] == 16 and w.layout.ndim == 5]
    assert len(tiles) == (2 if kept else 3)


def test_integers_are_convolved_as_a_whole() -> None:
    with Graph().as_default() as graph:
        x, w = ops.placeholder("int32", X), ops.placeholder("int32", W)
        y = ops.conv(x, w)
        ones = np.ones(X, "int32"), np.ones(W, "int32")
        with without("wait"), Session(graph=graph) as session:
            found = session.run(y, dict(zip((x, w), ones, strict=True)))
    assert found.dtype == np.int32
    assert (found == 3 * 3 * 16).all()


@pytest.mark.parametrize(
    "layers, shapes",
    [
        (cnn, (X, W)),
        (lambda x, w: ops.average_pool(ops.conv(x, w), 2, padding="same"), (X, W)),
        (lambda x, w: ops.conv(x, w, 2, "same"), ((3, 9, 7, 1), (3, 3, 1, 5))),
        (lambda x, w: ops.conv(x, w, 2), ((3, 9, 7, 4), (1, 1, 4, 5))),
        (lambda x, w: ops.depthwise_conv(x, w, 2), ((3, 9, 7, 4), (3, 3, 4, 2))),
        (lambda x, w: ops.conv(x, w, dilation=2), ((3, 9, 40), (3, 40, 5))),
    ],
)
def test_a_plan_gives_what_its_nodes_give(
    layers: Callable[..., Tensor], shapes: Any
) -> None:
    graph, xs, ys = built(layers, *shapes)
    rng = np.random.default_rng(0)
    feed = {x: rng.standard_normal(x.shape).astype("float32") for x in xs}
    found = []
    for off in ("wait", "compile"):
        with without(off), Session(graph=graph) as session:
            session.run(ys, feed)
            found.append(session.run(ys, feed))
    for ours, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4)

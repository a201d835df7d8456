"""Scans whose rows never meet are shared among threads; all others are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine import ops
from minikeras.engine.compiler import lowering, spread
from minikeras.engine.compiler.passes import without

STEPS, BATCH, UNITS = 5, 7, 4
DRAW = np.random.default_rng(8)
ROWS = DRAW.normal(size=(STEPS, BATCH, UNITS)).astype("float32")
START = DRAW.normal(size=(BATCH, UNITS)).astype("float32")
WEIGHTS = DRAW.normal(size=(UNITS, UNITS)).astype("float32")
SQUARE = DRAW.normal(size=(BATCH, BATCH)).astype("float32")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let two threads share whatever they can; note the scans that they share."""
    monkeypatch.setattr(spread, "LEAST_ROWS", 2)
    monkeypatch.setattr(spread, "WORTH_IT", 0)
    monkeypatch.setenv("MINIKERAS_THREADS", "2")
    found: list[str] = []

    def noted(node: Any, given: Any, outputs: Any, parts: Any) -> Any:
        assert [x.program.feeds[0].shape[0] for x in parts] == [3, 4]
        found.append(node.name)
        return spread.Spread(node, given, outputs, parts)

    monkeypatch.setattr(lowering, "Spread", noted)
    return found


Step = Callable[[Any, Any], tuple[Any, Any]]


def run(step: Step) -> list[np.ndarray]:
    """Return what a scan and its gradients yield, run twice: compiled at the second."""
    with tf.Graph().as_default(), tf.Session() as session:
        rows = tf.placeholder(tf.float32, ROWS.shape)
        start = tf.placeholder(tf.float32, START.shape)
        last, ys = ops.scan(step, start, rows)
        total = tf.reduce_sum(last * last) + tf.reduce_sum(ys)
        fetches = [last, ys, *tf.gradients(total, [rows, start])]
        for _ in range(2):
            found = session.run(fetches, {rows: ROWS, start: START})
        return found


def recurrent(h: Any, x: Any) -> tuple[Any, Any]:
    new = ops.tanh(ops.matmul(h, WEIGHTS) + x * 0.5 + np.float32([0.1, 0, -1, 2]))
    return new, new * x


def of_parts(h: Any, x: Any) -> tuple[Any, Any]:
    first, second = h[:, :2], h[:, 2:]
    new = ops.concatenate([second * x[:, :2], ops.sigmoid(first)], axis=1)
    return ops.matmul(new, WEIGHTS, transpose_b=True), ops.sum(new, 1)


def elementwise(h: Any, x: Any) -> tuple[Any, Any]:
    return h * 0.5 + x, ops.maximum(h, x)


def through_the_batch(h: Any, x: Any) -> tuple[Any, Any]:
    return h - ops.mean(x, 0), h


def of_the_batch_size(h: Any, x: Any) -> tuple[Any, Any]:
    return h + x / ops.cast(ops.shape(x)[0], "float32"), h


def mixed_rows(h: Any, x: Any) -> tuple[Any, Any]:
    return ops.matmul(SQUARE, h) + x, h


def other_rows(h: Any, x: Any) -> tuple[Any, Any]:
    return ops.flip(h, 0) + x, h


def shifted_rows(h: Any, x: Any) -> tuple[Any, Any]:
    return ops.concatenate([h[1:], h[:1]], axis=0) * x, h


def fixed_rows(h: Any, x: Any) -> tuple[Any, Any]:
    return h * START + x, h


@pytest.mark.parametrize("step", [recurrent, of_parts, elementwise])
def test_rows_that_never_meet_are_shared(step: Step, shared: list[str]) -> None:
    found = run(step)
    assert shared == ["Scan", "gradients/Scan_grad/Scan"]
    with without("spread"):
        wanted = run(step)
    assert len(found) == len(wanted) == 4
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "step",
    [
        through_the_batch,
        of_the_batch_size,
        mixed_rows,
        other_rows,
        shifted_rows,
        fixed_rows,
    ],
)
def test_rows_that_meet_are_not(step: Step, shared: list[str]) -> None:
    found = run(step)
    with without("compile"):
        wanted = run(step)
    assert "Scan" not in shared
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_failure_in_a_thread_reaches_the_caller(
    shared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arrays: Any) -> Any:
        def call() -> None:
            raise FloatingPointError("planted")

        return call

    monkeypatch.setattr("minikeras.engine.ops.linalg.bound_product", failing)
    with without("wait"), pytest.raises(tf.errors.ExecutionError, match="planted"):
        run(recurrent)
    assert "Scan" in shared

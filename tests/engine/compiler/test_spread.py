"""Scans whose rows never meet are shared among threads; all others are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine import native, ops
from minikeras.engine.compiler import bound, lowering, spread
from minikeras.engine.compiler.passes import without

pytestmark = pytest.mark.skipif(
    not (native.available() and native.can_multiply()),
    reason="there is no llvmlite, or NumPy has another BLAS than OpenBLAS of 64 bits",
)
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


def test_what_is_no_machine_code_is_done_in_order(
    shared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "product", lambda *arrays: None)
    found = run(recurrent)
    assert shared
    with without("spread"):
        wanted = run(recurrent)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def laid(x: np.ndarray, how: str) -> np.ndarray:
    """Return `x` in another place in memory."""
    if how == "transposed":
        return np.asfortranarray(x)
    wide = np.full((x.shape[0], x.shape[1] + 3), np.nan, x.dtype)
    wide[:, 1:-2] = x
    return wide[:, 1:-2] if how == "part" else x


@pytest.mark.parametrize("left", ["whole", "transposed", "part"])
@pytest.mark.parametrize("right", ["whole", "transposed", "part"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (17, 128, 512), (32, 513, 97)])
def test_products_in_a_sequence(left: str, right: str, shape: Any) -> None:
    rows, inner, columns = shape
    a = DRAW.normal(size=(rows, inner)).astype("float32")
    b = DRAW.normal(size=(inner, columns)).astype("float32")
    out = np.full((2, rows, columns), np.nan, "float32")
    copy = np.empty_like(out[0])
    made = native.product(laid(a, left), laid(b, right), out[0])
    after = native.copied(copy, out[0])
    other = native.product(laid(a, left), laid(b, right), out[1])
    assert made
    assert after
    assert other
    native.together([[made, after], [other]])()
    wanted = a.astype("float64") @ b.astype("float64")
    for found in (*out, copy):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)


def test_what_blas_cannot_read_is_no_product() -> None:
    a = np.ones((4, 6), "float32")
    assert native.product(a[:, ::2], a[:3], np.empty((4, 6), "float32")) is None
    assert native.product(a.astype("float64"), a.T, np.empty((4, 4))) is None
    assert native.copied(a[:, ::2], a[:, ::2]) is None
    assert native.copied(a, a.astype("float64")) is None


@pytest.mark.parametrize("shape", [(100, 40, 70), (48, 64, 200)])
@pytest.mark.parametrize("threads", ["1", "3", "16"])
def test_large_products_are_shared(
    shape: Any, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bound, "_LARGE", 0)
    monkeypatch.setenv("MINIKERAS_THREADS", threads)
    rows, inner, columns = shape
    a = DRAW.normal(size=(rows, inner)).astype("float32")
    b = DRAW.normal(size=(inner, columns)).astype("float32")
    out = np.full((rows, columns), np.nan, "float32")
    call = bound.product_in_parts(a, b, out)
    assert call is not None
    call()
    np.testing.assert_allclose(out, a.astype("float64") @ b, rtol=1e-5, atol=1e-5)

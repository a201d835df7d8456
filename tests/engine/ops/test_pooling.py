"""Pooling against Keras, where gradients go, and errors."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.kernels import windows
from minikeras.engine.session import Session

every_kind = pytest.mark.parametrize("name", ["max_pool", "average_pool"])


def slope(function, x):
    with Graph().as_default() as graph:
        at = ops.placeholder(x.dtype, (None,) * x.ndim)
        return Session(graph=graph).run(gradients(function(at), at)[0], {at: x})


def unlike(*shape):
    """Return numbers no two of which are alike: it is clear which is the largest."""
    rng = np.random.default_rng(0)
    return rng.permutation(np.arange(np.prod(shape))).reshape(shape).astype("float32")


@every_kind
@given(st.data(), st.integers(1, 3))
@settings(max_examples=25)
def test_pooling_is_that_of_keras(name, draws, axes):
    import keras

    size = draws.draw(st.tuples(*[st.integers(1, 4)] * axes))
    how = {
        "strides": draws.draw(st.one_of(st.just(size), st.integers(1, 3))),
        "padding": draws.draw(st.sampled_from(["valid", "same"])),
    }
    x = unlike(2, *(draws.draw(st.integers(k, 7)) for k in size), 3)
    found = getattr(ops, name)(x, size, **how)
    wanted = getattr(keras.ops, name)(x, size, **how)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@every_kind
@pytest.mark.parametrize("how", [(2, 2, "valid"), (3, 2, "same"), ((1, 3), 1, "same")])
def test_gradients_are_those_of_jax(name, how):
    import jax
    import keras

    x = unlike(2, 5, 6, 3)
    theirs = jax.grad(lambda x: getattr(keras.ops, name)(x, *how).sum())(x)
    ours = slope(lambda x: getattr(ops, name)(x, *how), x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_of_equal_elements_the_first_gets_the_gradient():
    x = np.zeros((1, 3, 3, 1))
    wanted = np.zeros((3, 3))
    wanted[:2, :2] = 1
    found = slope(lambda at: ops.max_pool(at, 2, 1), x)
    np.testing.assert_array_equal(found[0, ..., 0], wanted)
    # Row by row, not column by column.
    x[0, ..., 0] = [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    found = slope(lambda at: ops.max_pool(at, 3), x)
    np.testing.assert_array_equal(np.argwhere(found[0, ..., 0]), [[0, 1]])


def test_windows_that_overlap_add_their_gradients():
    x = np.array([0.0, 5.0, 1.0]).reshape(1, 3, 1)
    np.testing.assert_array_equal(
        slope(lambda at: ops.max_pool(at, 2, 1), x).ravel(), [0, 2, 0]
    )


def test_padding_is_below_everything():
    x = np.full((1, 3, 1), -7, "int32")
    np.testing.assert_array_equal(ops.max_pool(x, 2, padding="same").ravel(), [-7, -7])
    np.testing.assert_array_equal(ops.max_pool(x == 0, 2, padding="same"), [[[0], [0]]])


def test_padding_does_not_count():
    x = np.arange(5, dtype="float32").reshape(1, 5, 1)
    found = ops.average_pool(x, 3, 2, "same")
    np.testing.assert_allclose(found.ravel(), [0.5, 2, 3.5])


@every_kind
def test_channels_may_come_first(name):
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    pool = getattr(ops, name)
    first = pool(x, (2, 1), data_format="channels_first")
    last = pool(np.moveaxis(x, 1, -1), (2, 1))
    np.testing.assert_array_equal(first, np.moveaxis(last, -1, 1))


def test_blocks_of_examples_make_one_result(monkeypatch):
    x = np.random.default_rng(0).standard_normal((7, 6, 5, 3))

    def both_orders():
        with Graph().as_default() as graph:
            at = ops.constant(x)
            first = gradients(ops.max_pool(at, 3, 2, "same") ** 2, at)
            second = gradients(first[0] ** 2, at)
            return Session(graph=graph).run([*first, *second])

    whole = both_orders()
    monkeypatch.setattr(windows, "CPU_BLOCK", 3000)
    for parts, wanted in zip(both_orders(), whole, strict=True):
        np.testing.assert_array_equal(parts, wanted)


@every_kind
@pytest.mark.parametrize(
    "shape, how, message",
    [
        ((2, 3), {}, r"one to three spatial axes .* \(2, 3\)"),
        ((2, 3, 3, 1), {"pool_size": 4}, "spans 4 elements, but the axis has 3"),
        ((2, 3, 3, 1), {"pool_size": (2, 2, 2)}, "3 window sizes for 2 spatial axes"),
        ((2, 3, 3, 1), {"pool_size": 0}, "pool_size must be 1 or more; got 0"),
        ((2, 3, 3, 1), {"strides": 0}, "strides must be 1 or more; got 0"),
        ((2, 3, 3, 1), {"padding": "causal"}, "valid or same; got 'causal'"),
    ],
)
def test_what_does_not_fit_is_said(name, shape, how, message):
    with pytest.raises(ShapeError, match=message):
        getattr(ops, name)(np.zeros(shape), **{"pool_size": 2} | how)

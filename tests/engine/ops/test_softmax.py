"""Softmax and cross-entropies where logarithms and exponentials are in danger."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import DTypeError, ExecutionError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session

only_numpy = pytest.mark.skipif(
    devices.backend() != "numpy", reason="a GPU is not asked for its values"
)


def with_slope(function, logits):
    with Graph().as_default() as graph:
        at = ops.constant(logits)
        y = function(at)
        return Session(graph=graph).run([y, gradients(y, at)[0]])


def test_huge_logits_do_not_overflow():
    logits = np.array([[1e30, 0, -1e30], [-1e30, -1e30, -1e30]], "float32")
    np.testing.assert_allclose(ops.softmax(logits), [[1, 0, 0], [1 / 3] * 3])
    labels = np.array([0, 2])
    loss, slope = with_slope(
        lambda x: ops.sparse_softmax_cross_entropy(labels, x), logits
    )
    np.testing.assert_allclose(loss, [0, np.log(3)], rtol=1e-6)
    np.testing.assert_allclose(slope, [[0, 0, 0], [1 / 3, 1 / 3, -2 / 3]], atol=1e-6)


def test_small_probabilities_keep_their_digits():
    logits = np.array([0, -80, -200], "float32")
    np.testing.assert_array_equal(ops.log_softmax(logits), logits)


def test_infinite_logits_rule_classes_out():
    logits = np.array([0.0, -np.inf, 0.0])
    np.testing.assert_array_equal(ops.softmax(logits), [0.5, 0, 0.5])
    assert ops.sparse_softmax_cross_entropy(0, logits) == pytest.approx(np.log(2))


@pytest.mark.parametrize("x", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
@pytest.mark.parametrize("label", [0.0, 0.25, 1.0])
def test_sigmoid_cross_entropy_is_exact_everywhere(x, label):
    loss, slope = with_slope(lambda at: ops.sigmoid_cross_entropy(label, at), x)
    wanted = label * np.logaddexp(0, -x) + (1 - label) * np.logaddexp(0, x)
    np.testing.assert_allclose(loss, wanted, rtol=1e-6)
    p = 0.5 * (1 + np.tanh(x / 2))
    np.testing.assert_allclose(slope, p - label, atol=1e-6)


def test_both_kinds_of_labels_give_one_loss_and_one_gradient():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((5, 7)), rng.integers(0, 7, 5)
    hot = np.eye(7)[labels]
    sparse = with_slope(lambda x: ops.sparse_softmax_cross_entropy(labels, x), logits)
    dense = with_slope(lambda x: ops.softmax_cross_entropy(hot, x), logits)
    for a, b in zip(sparse, dense, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_losses_are_those_of_keras():
    import keras

    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4, 6)).astype("float32")
    labels = rng.integers(0, 6, 4)
    hot = np.eye(6, dtype="float32")[labels]
    for found, wanted in [
        (
            ops.softmax_cross_entropy(hot, logits),
            keras.ops.categorical_crossentropy(hot, logits, from_logits=True),
        ),
        (
            ops.sparse_softmax_cross_entropy(labels, logits),
            keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True),
        ),
        (
            ops.sigmoid_cross_entropy(hot, logits),
            keras.ops.binary_crossentropy(hot, logits, from_logits=True),
        ),
    ]:
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


# -- errors ----------------------------------------------------------------------------


@only_numpy
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_out_of_range_is_said(label):
    message = f"3 classes, so a label is from 0 to 2; got {label}"
    labels = np.array([0, label, 1])
    with pytest.raises(ExecutionError, match=message):
        ops.sparse_softmax_cross_entropy(labels, np.zeros((3, 3)))
    with Graph().as_default() as graph:
        at = ops.placeholder("int64", (None,))
        loss = ops.sparse_softmax_cross_entropy(at, np.zeros((3, 3)))
        with pytest.raises(ExecutionError, match=rf"(?s){message}.*test_softmax.py"):
            Session(graph=graph).run(loss, {at: labels})


@pytest.mark.parametrize(
    "function, labels",
    [
        (ops.softmax_cross_entropy, np.zeros((3, 4))),
        (ops.softmax_cross_entropy, np.zeros((3, 1))),
        (ops.sigmoid_cross_entropy, np.zeros(3)),
        (ops.sparse_softmax_cross_entropy, np.zeros(4, int)),
        (ops.sparse_softmax_cross_entropy, np.zeros((3, 1), int)),
    ],
)
def test_labels_of_another_shape_are_refused(function, labels):
    shape = ", ".join(map(str, labels.shape))
    with pytest.raises(ShapeError, match=rf"labels of shape \({shape},?\) for "):
        function(labels, np.zeros((3, 5)))


def test_sparse_labels_are_integers():
    with pytest.raises(DTypeError, match="integers; got float64"):
        ops.sparse_softmax_cross_entropy(np.zeros(3), np.zeros((3, 5)))


def test_softmax_of_an_axis_that_is_not_there():
    with pytest.raises(ShapeError, match="axis 2 is out of bounds"):
        ops.softmax(np.zeros((2, 3)), axis=2)

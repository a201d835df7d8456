"""tf.losses against NumPy: each loss, each reduction, what is collected."""

import numpy as np
import pytest
from scipy import special

import minikeras.engine as tf
from minikeras.engine.errors import ShapeError
from minikeras.engine.losses import Reduction

rng = np.random.default_rng(3)
LABELS = rng.normal(size=(4, 3))
PREDICTIONS = rng.normal(size=(4, 3))
BITS = (LABELS > 0).astype("float64")
CLASSES = np.array([2, 0, 1, 1])
ONE_HOT = np.eye(3)[CLASSES]
P = special.expit(PREDICTIONS)
ERROR = np.abs(PREDICTIONS - LABELS)


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


def nats(labels, logits):
    return -(labels * special.log_softmax(logits, 1)).sum(1)


CASES = {
    "absolute_difference": ((LABELS, PREDICTIONS), {}, ERROR),
    "mean_squared_error": ((LABELS, PREDICTIONS), {}, ERROR**2),
    "huber_loss": (
        (LABELS, PREDICTIONS),
        {"delta": 0.7},
        np.where(ERROR <= 0.7, ERROR**2 / 2, 0.7 * ERROR - 0.7**2 / 2),
    ),
    "hinge_loss": (
        (BITS, PREDICTIONS),
        {},
        np.maximum(0, 1 - np.where(BITS == 1, 1, -1) * PREDICTIONS),
    ),
    "log_loss": (
        (BITS, P),
        {"epsilon": 1e-4},
        -BITS * np.log(P + 1e-4) - (1 - BITS) * np.log(1 - P + 1e-4),
    ),
    "sigmoid_cross_entropy": (
        (BITS, PREDICTIONS),
        {"label_smoothing": 0.2},
        -(0.8 * BITS + 0.1) * np.log(P) - (0.9 - 0.8 * BITS) * np.log(1 - P),
    ),
    "softmax_cross_entropy": (
        (ONE_HOT, PREDICTIONS),
        {"label_smoothing": 0.3},
        nats(0.7 * ONE_HOT + 0.1, PREDICTIONS),
    ),
    "sparse_softmax_cross_entropy": (
        (CLASSES, PREDICTIONS),
        {},
        nats(ONE_HOT, PREDICTIONS),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loss_is_the_mean_of_the_formula(session, name):
    operands, settings, expected = CASES[name]
    loss = getattr(tf.losses, name)(*operands, **settings)
    assert loss.shape == ()
    assert session.run(loss) == pytest.approx(expected.mean(), rel=1e-6)
    each = getattr(tf.losses, name)(*operands, **settings, reduction=Reduction.NONE)
    np.testing.assert_allclose(session.run(each), expected, rtol=1e-6)
    assert tf.losses.get_losses() == [loss, each]


WEIGHTS = np.array([[0.0], [1.0], [2.0], [0.0]])
WEIGHTED = ERROR**2 * WEIGHTS


@pytest.mark.parametrize(
    "reduction, expected",
    [
        (Reduction.NONE, WEIGHTED),
        (Reduction.SUM, WEIGHTED.sum()),
        (Reduction.MEAN, WEIGHTED.sum() / (3 * 3)),
        (Reduction.SUM_OVER_BATCH_SIZE, WEIGHTED.mean()),
        (Reduction.SUM_BY_NONZERO_WEIGHTS, WEIGHTED.sum() / 6),
        (Reduction.SUM_OVER_NONZERO_WEIGHTS, WEIGHTED.sum() / 6),
    ],
)
def test_weights_and_reductions(session, reduction, expected):
    loss = tf.losses.mean_squared_error(
        LABELS, PREDICTIONS, weights=WEIGHTS, reduction=reduction
    )
    np.testing.assert_allclose(session.run(loss), expected, rtol=1e-6)


def test_no_weight_at_all_is_no_loss(session):
    loss = tf.losses.mean_squared_error(LABELS, PREDICTIONS, weights=0.0)
    assert session.run(loss) == 0
    doubled = tf.losses.mean_squared_error(LABELS, PREDICTIONS, weights=2.0)
    assert session.run(doubled) == pytest.approx(2 * (ERROR**2).mean())


def test_sparse_labels_may_be_a_column(session):
    column = tf.losses.sparse_softmax_cross_entropy(CLASSES[:, None], PREDICTIONS)
    plain = tf.losses.sparse_softmax_cross_entropy(CLASSES, PREDICTIONS)
    assert session.run(column) == session.run(plain)


def test_losses_are_collected(session):
    a = tf.losses.absolute_difference(1.0, 4.0, scope="mine")
    b = tf.losses.mean_squared_error(1.0, 4.0, loss_collection=None)
    tf.losses.add_loss(b * 2.0)
    assert a.name.startswith("mine/")
    assert b.name.startswith("mean_squared_error/")
    assert tf.losses.get_losses(scope="mine") == [a]
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(0.5))
    total = tf.losses.get_total_loss()
    assert total.name == "total_loss:0"
    assert session.run(total) == 3 + 18 + 0.5
    assert session.run(tf.losses.get_total_loss(False)) == 3 + 18
    assert len(tf.losses.get_regularization_losses()) == 1


def test_what_does_not_fit():
    with pytest.raises(ShapeError):
        tf.losses.mean_squared_error(LABELS, PREDICTIONS[:, :1])
    with pytest.raises(ValueError, match="no such reduction"):
        tf.losses.mean_squared_error(1.0, 1.0, reduction="median")

"""Losses of probabilities whose logits are known."""

import numpy as np
import pytest

import minikeras.backend as K

LOGITS = np.array([[30.0, 0.0, -5.0], [1.0, 2.0, 3.0]], "float32")
CLASSES = np.array([2, 0], "int32")
HOT = np.eye(3, dtype="float32")[CLASSES]

LOSSES = [
    (K.sparse_categorical_crossentropy, K.softmax, CLASSES, {}),
    (
        K.sparse_categorical_crossentropy,
        lambda x: K.softmax(x, 0),
        CLASSES,
        {"axis": 0},
    ),
    (K.categorical_crossentropy, K.softmax, HOT, {}),
    (K.binary_crossentropy, K.sigmoid, HOT, {}),
]


@pytest.mark.parametrize("loss, activation, target, options", LOSSES)
def test_the_loss_of_a_softmax_is_that_of_its_logits(loss, activation, target, options):
    logits = LOGITS.T if "axis" in options else LOGITS
    x = K.placeholder(logits.shape)
    found = K.function([x], [loss(target, activation(x), **options)])([logits])[0]
    exact = loss(target, logits, from_logits=True, **options)
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    # Probabilities alone do not tell how far below epsilon one is.
    clipped = loss(target, activation(logits), **options)
    assert np.max(clipped) < 17 < np.max(found)

"""Names in logs of outputs that the model has no names for, beside Keras's."""

import numpy as np
import pytest

import minikeras


def two_outputs(k, structure):
    class Two(k.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = k.layers.Dense(1), k.layers.Dense(1)

        def call(self, x):
            return structure(self.first(x), self.second(x))

    return Two()


def split_in_loss(k):
    class Split(k.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
            return super().compute_loss(x, y, [y_pred, 1 - y_pred], *args, **kwargs)

    x = k.Input((3,))
    return Split(x, k.layers.Dense(1, activation="sigmoid")(x))


CASES = {
    "tuple": (lambda k: two_outputs(k, lambda a, b: (a, b)), ["mse", "mae"], None),
    "one loss": (lambda k: two_outputs(k, lambda a, b: [a, b]), "mse", None),
    "same metrics": (
        lambda k: two_outputs(k, lambda a, b: (a, b)),
        ["mse", "mae"],
        [["mae"], ["mae", "mse"]],
    ),
    "dict": (
        lambda k: two_outputs(k, lambda a, b: {"a": a, "b": b}),
        {"a": "mse", "b": "mae"},
        {"a": "mae"},
    ),
    "in loss": (split_in_loss, ["mse", "binary_crossentropy"], None),
}


@pytest.mark.parametrize("case", CASES)
def test_logs_have_keras_s_names(keras, case):
    make, loss, metrics = CASES[case]
    x = np.ones((4, 3), "float32")
    y = np.ones((4, 1), "float32")
    found = []
    for k in (minikeras, keras):
        model = make(k)
        model.compile("sgd", loss, metrics=metrics)
        targets = {"a": y, "b": y} if case == "dict" else (y, y)
        found.append(sorted(model.fit(x, targets, verbose=0).history))
    assert found[0] == found[1]

"""Cases of labels: the numbers of classes."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.labels import IsOutside, OneHotLike
from tests.engine.ops.cases import Case, integers, uniform

X = (2, 3, 4)


def one_hot_like(labels, logits):
    return np.eye(logits.shape[-1])[labels]


def outside(labels, classes):
    return not set(labels.reshape(-1).tolist()) <= set(range(classes))


def picked(labels, x):
    return np.take_along_axis(x, labels[..., None], -1)[..., 0]


CASES = [
    Case("is_outside", IsOutside(), outside, (integers((2, 3), 0, 9), np.array(9))),
    Case(
        "is_outside",
        IsOutside(),
        outside,
        (np.array([0, -1], "int8"), np.array(300)),
        note="below",
    ),
    Case(
        "is_outside",
        IsOutside(),
        outside,
        (np.array([0, 255], "uint8"), np.array(255)),
        note="above",
    ),
    Case(
        "class_numbers",
        ops.class_numbers,
        lambda labels, x: labels,
        (integers((2, 3), 0, 4), X),
        wrt=(),
    ),
    Case("pick_class", ops.pick_class, picked, (integers((2, 3), 0, 4), X)),
    Case(
        "pick_class",
        ops.pick_class,
        picked,
        (integers((3,), 0, 99, "uint8"), uniform((3, 99))),
        note="of many",
    ),
    Case(
        "one_hot_like",
        OneHotLike(),
        one_hot_like,
        (integers((2, 3), 0, 4), X),
        wrt=(),
    ),
]

"""Cases of labels: the numbers of classes."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.labels import OneHotLike
from tests.engine.ops.cases import Case, integers, uniform

X = (2, 3, 4)


def one_hot_like(labels, logits):
    return np.eye(logits.shape[-1])[labels]


def picked(labels, x):
    return np.take_along_axis(x, labels[..., None], -1)[..., 0]


CASES = [
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

"""Cases of softmax and the cross-entropies, against SciPy and plain logarithms."""

from __future__ import annotations

import numpy as np
from scipy import special

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers, uniform

X = (2, 3, 4)


def softmax(x, axis=-1):
    return special.softmax(x, axis)


def log_softmax(x, axis=-1):
    return special.log_softmax(x, axis)


def cross_entropy(labels, logits, axis=-1):
    return -np.sum(labels * special.log_softmax(logits, axis), axis)


def sparse(labels, logits):
    return cross_entropy(np.eye(logits.shape[-1])[labels], logits)


def binary(labels, logits):
    return -labels * special.log_expit(logits) - (1 - labels) * special.log_expit(
        -logits
    )


CASES = [
    *(
        Case(name, function, oracle, (X,), kwargs)
        for name, function, oracle in [
            ("softmax", ops.softmax, softmax),
            ("log_softmax", ops.log_softmax, log_softmax),
        ]
        for kwargs in ({}, {"axis": 1}, {"axis": (0, -1)}, {"axis": None})
    ),
    Case(
        "softmax",
        ops.softmax,
        softmax,
        (uniform((5, 4), -90, 90),),
        note="wide",
    ),
    Case(
        "log_softmax",
        ops.log_softmax,
        log_softmax,
        (uniform((5, 4), -200, 200),),
        note="wide",
    ),
    Case("softmax", ops.softmax, softmax, (integers((2, 3)),), note="integers"),
    *(
        Case(
            "softmax_cross_entropy",
            ops.softmax_cross_entropy,
            cross_entropy,
            (uniform(X, 0, 1), X),
            kwargs,
        )
        for kwargs in ({}, {"axis": 1}, {"axis": 0})
    ),
    Case(
        "softmax_cross_entropy",
        ops.softmax_cross_entropy,
        cross_entropy,
        (integers((6, 5), 0, 2), uniform((6, 5), -50, 50)),
        note="integer labels",
    ),
    Case(
        "sparse_softmax_cross_entropy",
        ops.sparse_softmax_cross_entropy,
        sparse,
        (integers((2, 3), 0, 4), X),
    ),
    Case(
        "sparse_softmax_cross_entropy",
        ops.sparse_softmax_cross_entropy,
        sparse,
        (integers((6,), 0, 5, "uint8"), uniform((6, 5), -50, 50)),
        note="bytes",
    ),
    Case(
        "sigmoid_cross_entropy",
        ops.sigmoid_cross_entropy,
        binary,
        (uniform((3, 4), 0, 1), (3, 4)),
    ),
    Case(
        "sigmoid_cross_entropy",
        ops.sigmoid_cross_entropy,
        binary,
        (integers((9,), 0, 2), uniform((9,), -15, 15)),
        note="integer labels",
    ),
]

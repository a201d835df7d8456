"""Cases of counting: how often each class is in a row."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.counting import AtClasses
from tests.engine.ops.cases import Case, integers


def counts(x, weights, depth):
    return (np.eye(depth + 4)[x] * weights[..., None]).sum(-2)[..., :depth]


def at_classes(x, counts, depth):
    rows = np.concatenate([counts, np.zeros((*counts.shape[:-1], 4))], -1)
    return np.take_along_axis(rows, x, -1)


NUMBERS = integers((2, 3, 5), -2, 8)  # -2 and -1 stand for no class, as do 6 and 7

CASES = [
    Case(
        "class_counts",
        lambda x, weights, depth: ops.class_counts(x, depth, weights),
        counts,
        (NUMBERS, (2, 3, 5)),
        {"depth": 6},
    ),
    Case(
        "class_counts",
        lambda x: ops.class_counts(x, 6, dtype="int64"),
        lambda x: counts(x, np.ones(x.shape), 6).astype(int),
        (NUMBERS,),
        note="of integers",
        dtype="int64",
    ),
    Case(
        "class_counts",
        lambda x, weights, depth: ops.class_counts(x, depth, weights),
        lambda x, weights, depth: np.zeros((0, depth)),
        (np.zeros((0, 5), "int32"), np.zeros((0, 5))),
        {"depth": 3},
        note="no rows",
    ),
    Case(
        "class_counts",
        lambda x, weights, depth: ops.class_counts(x, depth, weights),
        lambda x, weights, depth: np.zeros((2, depth)),
        (np.zeros((2, 0), "int32"), np.zeros((2, 0))),
        {"depth": 3},
        note="empty rows",
    ),
    Case(
        "at_classes",
        lambda x, counts, depth: AtClasses(depth)(x, counts),
        at_classes,
        (NUMBERS, (2, 3, 6)),
        {"depth": 6},
    ),
]

ELSEWHERE = {"foreign": "test_foreign.py", "py_func": "test_host.py"}

"""Cases of sorting, the largest elements, and places in a sorted vector."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, distinct, integers


def stable_argsort(x, axis=-1):
    return np.argsort(x, axis, kind="stable")


def top_k(x, k):
    """Sort Python's pairs (minus the value, the place)."""
    rows = x.reshape(-1, x.shape[-1])
    pairs = [sorted((-float(v), i) for i, v in enumerate(row))[:k] for row in rows]
    places = np.array([[i for _, i in row] for row in pairs])
    values = np.take_along_axis(rows, places, 1)
    return values.reshape(*x.shape[:-1], k), places.reshape(*x.shape[:-1], k)


def in_top_k(targets, predictions, k):
    return np.array(
        [
            sum(p > row[t] for p in row) < k and bool(np.isfinite(row[t]))
            if 0 <= t < len(row)
            else False
            for t, row in zip(targets, predictions, strict=True)
        ]
    )


SCORES = np.array(
    [[0.1, 0.5, 0.5, 0.3], [0.1, 0.5, 0.5, 0.3], [4, 3, 2, 1], [np.inf, 1, 0, 0]]
)

CASES = [
    Case("sort", ops.sort, np.sort, (distinct((3, 5)),)),
    Case("sort", ops.sort, np.sort, (distinct((3, 5)),), {"axis": 0}),
    Case("sort", ops.sort, np.sort, (distinct((3, 5)),), {"axis": None}),
    Case("argsort", ops.argsort, stable_argsort, (distinct((3, 5)),), dtype="int32"),
    Case(
        "argsort",
        ops.argsort,
        stable_argsort,
        (integers((9,), 0, 3),),
        note="ties",
        dtype="int32",
    ),
    Case(
        "argsort",
        ops.argsort,
        stable_argsort,
        (distinct((3, 2)),),
        {"axis": None},
        dtype="int32",
    ),
    Case("top_k", ops.top_k, top_k, (distinct((2, 3, 5)),), {"k": 2}),
    Case("top_k", ops.top_k, top_k, (integers((3, 9), 0, 3),), {"k": 4}, note="ties"),
    Case(
        "top_k",
        ops.top_k,
        top_k,
        (np.array([-128, 127, 0, -128], "int8"),),
        {"k": 3},
        note="extremes",
    ),
    Case(
        "in_top_k",
        ops.in_top_k,
        in_top_k,
        (np.array([2, 3, 1, 0], "int32"), SCORES),
        {"k": 2},
        wrt=(),
    ),
    Case(
        "in_top_k",
        ops.in_top_k,
        in_top_k,
        (np.array([-1, 4, 0, 1], "int32"), SCORES),
        {"k": 1},
        wrt=(),
        note="no such class",
    ),
    Case(
        "searchsorted",
        ops.searchsorted,
        np.searchsorted,
        (np.array([1.0, 2.0, 2.0, 5.0]), np.array([[2.0, 0.0], [9.0, 2.5]])),
        dtype="int32",
        wrt=(),
    ),
    Case(
        "searchsorted",
        ops.searchsorted,
        np.searchsorted,
        (np.array([1, 2, 2, 5]), np.array([2, 5])),
        {"side": "right"},
        dtype="int32",
    ),
]

"""Cases of reductions by number, some of whose rows have a number out of range."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, distinct

IDS = np.array([2, 0, 2, -1, 1, 2, 7], "int32")  # 3 has no rows
ROWS = (7, 3)
TIES = np.array(
    [[1.0, 2.0], [3.0, 2.0], [1.0, 5.0], [0, 0], [3.0, 1.0], [1, 1], [0, 0]]
)
ZEROS = np.array([2.0, 0.0, 0.0, 5.0, -3.0, 1.5, 4.0])
WHOLE = np.iinfo("int32")
START = {"sum": 0, "prod": 1, "max": WHOLE.min, "min": WHOLE.max}


def reduced(name):
    def call(x, ids, num_segments):
        rows = [
            getattr(np, name)(x[ids == i], 0, initial=START[name])
            for i in range(num_segments)
        ]
        return np.stack(rows).astype(x.dtype)

    return call


def case(name, x, num_segments=4, op=None, **fields):
    function = getattr(ops, f"segment_{name}")
    return Case(
        op or f"segment_{name}",
        function,
        reduced(name),
        (x, IDS),
        {"num_segments": num_segments},
        any_rank=False,
        **fields,
    )


CASES = [
    case("sum", ROWS, op="scatter_nd", note="rows by number"),
    case("sum", (7,), 3, op="scatter_nd", note="numbers by number"),
    case("max", distinct(ROWS), 3),
    case("min", distinct((7,)), 3, note="numbers"),
    case("max", TIES.astype("int32"), note="integers"),
    case("min", TIES.astype("int32"), note="integers"),
    case("prod", ROWS),
    case("prod", (7,), 3, note="numbers"),
    case("prod", ZEROS, note="zeros"),
    case("prod", TIES.astype("int32"), note="integers"),
]

"""Cases of comparisons and of choosing between two."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers

X, Y = np.array([[1.0, 2.0, np.nan], [3.0, -1.0, 0.0]]), np.array([1.0, 3.0, np.nan])

CASES = [
    *(
        Case(name, getattr(ops, name), getattr(np, name), inputs, wrt=(), note=note)
        for name in (
            "equal",
            "not_equal",
            "less",
            "less_equal",
            "greater",
            "greater_equal",
        )
        for note, inputs in {
            "floats": (X, Y),
            "integers": (integers((3, 1)), integers((4,))),
            "mixed": (integers((3,), 0, 4), X),
        }.items()
    ),
    Case("isclose", ops.isclose, np.isclose, (X, X + 1e-7), wrt=(), note="near"),
    Case("isclose", ops.isclose, np.isclose, (X, Y), {"equal_nan": True}, wrt=()),
    Case(
        "isclose", ops.isclose, np.isclose, (X, Y), {"rtol": 0.5, "atol": 0.1}, wrt=()
    ),
    Case("where", ops.where, np.where, (booleans((3, 4)), (3, 4), (3, 4))),
    Case(
        "where", ops.where, np.where, (booleans((3, 1)), (4,), (2, 1, 1)), note="wide"
    ),
    Case(
        "where", ops.where, np.where, (integers((4,), 0, 2), (4,), ()), note="numbers"
    ),
    Case(
        "where",
        ops.where,
        np.where,
        (booleans((4,)), (4,), integers((4,))),
        wrt=(1,),
        note="mixed",
    ),
]

"""Cases of truth values and bits."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers

P, Q, SMALL = booleans((4, 5)), booleans((5,)), integers((4, 5), 0, 4)

CASES = [
    *(
        Case(name, getattr(ops, name), getattr(np, name), inputs, note=note)
        for name in ("logical_and", "logical_or", "logical_xor")
        for note, inputs in {"booleans": (P, Q), "integers": (SMALL, P)}.items()
    ),
    Case("logical_not", ops.logical_not, np.logical_not, (P,)),
    Case("logical_not", ops.logical_not, np.logical_not, (SMALL,), note="integers"),
    *(
        Case(name, getattr(ops, name), getattr(np, name), inputs, note=note)
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
        for note, inputs in {
            "booleans": (P, Q),
            "integers": (SMALL, integers((5,))),
            "mixed": (integers((5,), 0, 9, "uint8"), integers((5,), -9, 9, "int8")),
        }.items()
    ),
    Case("bitwise_not", ops.bitwise_not, np.invert, (P,)),
    Case("bitwise_not", ops.bitwise_not, np.invert, (SMALL,), note="integers"),
    Case("left_shift", ops.left_shift, np.left_shift, (integers((4, 5)), SMALL)),
    Case("right_shift", ops.right_shift, np.right_shift, (integers((4, 5)), SMALL)),
    *(
        Case(name, getattr(ops, name), getattr(np, name), (x,), kwargs, note=note)
        for name in ("all", "any")
        for note, x, kwargs in [
            ("whole", P, {}),
            ("last", P, {"axis": -1}),
            ("kept", P, {"axis": (0, 1), "keepdims": True}),
            ("integers", SMALL, {"axis": 0}),
        ]
    ),
]

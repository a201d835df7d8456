"""Cases of the larger and the smaller."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, distinct, integers, uniform

X, XS = distinct((2, 3, 4)), integers((2, 3), -9, 9)
LOW, HIGH = uniform((4,), -1.0, -0.5), uniform((3, 1), 0.5, 1.0)

AXES = {
    "whole": {},
    "first": {"axis": 0},
    "two": {"axis": (0, -1)},
    "kept": {"axis": 1, "keepdims": True},
    "whole kept": {"keepdims": True},
}


def int32(oracle):
    return lambda x, **kwargs: oracle(x, **kwargs).astype("int32")


CASES = [
    *(
        Case(name, getattr(ops, name), getattr(np, name), inputs, note=note)
        for name in ("maximum", "minimum")
        for note, inputs in {
            "same": ((3, 4), (3, 4)),
            "wide": ((4,), (3, 1)),
            "integers": (integers((4,)), integers((4,))),
            "mixed": ((3, 4), integers((4,))),
        }.items()
    ),
    Case("clip", ops.clip, np.clip, (X, LOW, HIGH)),
    Case(
        "clip",
        lambda x: ops.clip(x, -0.5, 1),
        lambda x: np.clip(x, -0.5, 1),
        (X,),
        note="numbers",
    ),
    Case(
        "clip",
        lambda x: ops.clip(x, -3, 2),
        lambda x: np.clip(x, -3, 2),
        (XS,),
        note="integers",
    ),
    Case(
        "maximum",
        lambda x: ops.clip(x, -0.5),
        lambda x: np.maximum(x, -0.5),
        (X,),
        note="clip below",
    ),
    Case(
        "minimum",
        lambda x: ops.clip(x, None, 0.5),
        lambda x: np.minimum(x, 0.5),
        (X,),
        note="clip above",
    ),
    *(
        Case(name, getattr(ops, name), getattr(np, name), (X,), kwargs, note=note)
        for name in ("max", "min")
        for note, kwargs in AXES.items()
    ),
    Case("max", ops.max, np.max, (XS,), {"axis": 1}, note="integers"),
    *(
        Case(
            name,
            getattr(ops, name),
            int32(getattr(np, name)),
            (X,),
            kwargs,
            wrt=(),
            note=note,
            dtype="int32",
        )
        for name in ("argmax", "argmin")
        for note, kwargs in AXES.items()
        if note != "two"
    ),
    Case(
        "argmax",
        lambda x: ops.argmax(x, 1, dtype="int64"),
        lambda x: np.argmax(x, 1),
        (XS,),
        note="int64",
        dtype="int64",
    ),
]

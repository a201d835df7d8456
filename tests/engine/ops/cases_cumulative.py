"""Cases of running sums and products, with zeros among the factors."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.cumulative import delay
from tests.engine.ops.cases import Case, integers

X, XS = (2, 3, 4), integers((3, 4))
ZEROS = np.array([[1.5, 0.0, -2.0, 0.5], [0.0, 3.0, 0.0, 1.0], [1.0, 2.0, -0.5, 0.3]])

WAYS = {
    "first": {"axis": 0},
    "last": {"axis": -1},
    "exclusive": {"axis": 1, "exclusive": True},
    "reverse": {"axis": 1, "reverse": True},
    "both": {"axis": 1, "reverse": True, "exclusive": True},
    "flat": {},
}


def running(start, combine, x, axis=None, exclusive=False, reverse=False):
    """Run along an axis, place by place."""
    x = x.reshape(-1) if axis is None else x
    rows = list(np.moveaxis(x, axis or 0, 0))
    total, found = np.full_like(rows[0], start), []
    for row in rows[::-1] if reverse else rows:
        before, total = total, combine(total, row)
        found.append(before if exclusive else total)
    return np.moveaxis(np.stack(found[::-1] if reverse else found), 0, axis or 0)


def cumsum(x, **kwargs):
    return running(0, np.add, x, **kwargs)


def cumprod(x, **kwargs):
    return running(1, np.multiply, x, **kwargs)


def recurrence(a, b, axis=-1, reverse=False):
    pairs = list(zip(np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0), strict=True))
    y, found = 0.0, []
    for keep, new in pairs[::-1] if reverse else pairs:
        y = keep * y + new
        found.append(y)
    return np.moveaxis(np.stack(found[::-1] if reverse else found), 0, axis)


def delayed(x, axis):
    rows = np.moveaxis(x, axis, 0)
    return np.moveaxis(np.concatenate([0 * rows[:1], rows[:-1]]), 0, axis)


CASES = [
    *(
        Case(
            name, getattr(ops, name), oracle, (x,), kwargs, note=f"{way} {note}".strip()
        )
        for name, oracle in {"cumsum": cumsum, "cumprod": cumprod}.items()
        for way, kwargs in WAYS.items()
        for note, x in {"": X, "zeros": ZEROS}.items()
    ),
    Case(
        "cumsum", ops.cumsum, cumsum, (XS,), {"axis": 0}, note="integers", dtype="int32"
    ),
    Case(
        "cumprod",
        ops.cumprod,
        cumprod,
        (XS,),
        {"axis": 1},
        note="integers",
        dtype="int32",
    ),
    *(
        Case("prod", ops.prod, np.prod, (x,), kwargs, note=note)
        for note, x, kwargs in [
            ("whole", X, {}),
            ("first", X, {"axis": 0}),
            ("two", X, {"axis": (0, -1)}),
            ("whole kept", X, {"keepdims": True}),
            ("zeros", ZEROS, {"axis": 1}),
            ("zeros kept", ZEROS, {"axis": -1, "keepdims": True}),
            ("zeros two", ZEROS, {"axis": (0, 1)}),
        ]
    ),
    Case("prod", ops.prod, np.prod, (XS,), {"axis": 0}, note="integers"),
    Case("linear_recurrence", ops.linear_recurrence, recurrence, (X, X)),
    Case(
        "linear_recurrence",
        ops.linear_recurrence,
        recurrence,
        (X, X),
        {"axis": 0, "reverse": True},
    ),
    Case("delay", delay, delayed, (X,), {"axis": 1}),
]

"""Cases of sums, means and other reductions, and of their adjoint, broadcasting."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.reduction import mean_share
from tests.engine.ops.cases import Case, booleans, integers

X, XS = (2, 3, 4), integers((3, 4))

AXES = {
    "whole": {},
    "first": {"axis": 0},
    "last": {"axis": -1},
    "two": {"axis": (0, -1)},
    "none": {"axis": ()},
    "kept": {"axis": (1,), "keepdims": True},
    "whole kept": {"keepdims": True},
}


def logsumexp(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis, keepdims=keepdims))


def count_nonzero(x, axis=None):
    return np.count_nonzero(x, axis).astype("int32")


def on_axis(x, like):
    return ops.broadcast_like(x, like, axis=(0, 2), keepdims=False)


CASES = [
    *(
        Case(name, getattr(ops, name), oracle, (X,), kwargs, note=note)
        for name, oracle in {
            "sum": np.sum,
            "mean": np.mean,
            "var": np.var,
            "logsumexp": logsumexp,
        }.items()
        for note, kwargs in AXES.items()
    ),
    Case("sum", ops.sum, np.sum, (XS,), note="integers", dtype="int32"),
    Case("sum", ops.sum, np.sum, (booleans((9,)),), note="booleans", dtype="int32"),
    Case(
        "sum",
        ops.sum,
        np.sum,
        (integers((9,), 0, 200, "uint8"),),
        note="bytes",
        dtype="uint32",
    ),
    Case("sum", ops.sum, np.sum, ((0, 3),), {"axis": 0}, note="nothing"),
    Case("mean", ops.mean, np.mean, (XS,), {"axis": 0}, note="integers"),
    Case("var", ops.var, np.var, (XS,), {"axis": 0}, note="integers"),
    Case("var", ops.std, np.std, (X,), {"axis": 1}, note="std"),
    Case(
        "sum",
        ops.count_nonzero,
        count_nonzero,
        (XS,),
        {"axis": 0},
        note="count",
        dtype="int32",
    ),
    Case(
        "mean_share",
        mean_share,
        lambda g, x: g * (g.size / x.size),
        ((4,), X),
        wrt=(0,),
    ),
    Case("sum_like", ops.sum_like, lambda x, y: x.sum((0, 1)), (X, (4,)), wrt=(0,)),
    Case(
        "sum_like",
        ops.sum_like,
        lambda x, y: x.sum(1, keepdims=True),
        (X, (2, 1, 4)),
        wrt=(0,),
        note="ones",
    ),
    Case(
        "broadcast_like",
        ops.broadcast_like,
        lambda x, y: x + 0 * y,
        ((3, 1), X),
        wrt=(0,),
    ),
    Case(
        "broadcast_like",
        on_axis,
        lambda x, y: x[None, :, None] + 0 * y,
        ((3,), X),
        wrt=(0,),
        note="axis",
    ),
]

"""Cases of pooling and its gradients; the oracle loops over windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.pooling import AvgPoolGrad, MaxPoolGrad, MaxPoolGradGrad
from minikeras.engine.ops.windows import listed
from tests.engine.ops.cases import Case, distinct, integers, uniform
from tests.oracles import windows

GEOMETRIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "line": ((2, 7, 3), {"pool_size": 2}),
    "overlap": ((2, 7, 2), {"pool_size": 3, "strides": 1}),
    "same": ((2, 7, 2), {"pool_size": 3, "strides": 2, "padding": "same"}),
    "plane": ((2, 4, 6, 3), {"pool_size": (2, 3)}),
    "plane same": (
        (1, 5, 4, 2),
        {"pool_size": 3, "strides": (2, 1), "padding": "same"},
    ),
    "gaps": ((2, 8, 1), {"pool_size": 1, "strides": 3}),
    "wider than x": ((1, 2, 3, 1), {"pool_size": 5, "padding": "same"}),
    "space": ((1, 3, 4, 3, 2), {"pool_size": 2, "strides": 1, "padding": "same"}),
}


def maximum(x, pool_size, **how):
    return windows.pool(np.max, x, pool_size, **how)


def mean(x, pool_size, **how):
    return windows.pool(np.mean, x, pool_size, **how)


def mean_first(x, pool_size, data_format):
    return np.moveaxis(mean(np.moveaxis(x, 1, -1), pool_size), -1, 1)


def fields(pool_size, strides=None, padding="valid"):
    taps, steps = listed(pool_size), listed(strides or pool_size)
    return {"size": taps, "strides": steps, "padding": padding}


def gradients(note, shape, how):
    """Return cases of the gradients, which have ops of their own."""
    y = maximum(np.zeros(shape), **how).shape
    size, how_else = (
        how["pool_size"],
        {k: v for k, v in how.items() if k != "pool_size"},
    )
    to_x, to_y = MaxPoolGrad(**fields(**how)), MaxPoolGradGrad(**fields(**how))
    spread, sizes = AvgPoolGrad(**fields(**how)), np.array(shape, "int32")

    def gathered(x, h):
        at = windows.spread(x, np.ones(y), size, **how_else)
        return (
            np.stack(
                [
                    windows.spread(x, one, size, **how_else).ravel() @ h.ravel()
                    for one in np.eye(int(np.prod(y))).reshape(-1, *y)
                ]
            ).reshape(y)
            if at.any()
            else np.zeros(y)
        )

    def shared(g):
        unit = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        parts = [np.vdot(mean(one, **how), g) for one in unit]
        return np.reshape(parts, shape)

    yield Case(
        "max_pool_grad",
        lambda x, g: to_x(x, ops.max_pool(x, **how), g),
        lambda x, g: windows.spread(x, g, size, **how_else),
        (distinct(shape), uniform(y)),
        wrt=(1,),
        note=note,
    )
    yield Case(
        "max_pool_grad_grad",
        lambda x, h: to_y(x, ops.max_pool(x, **how), h),
        gathered,
        (distinct(shape), uniform(shape)),
        wrt=(1,),
        note=note,
    )
    yield Case(
        "average_pool_grad",
        lambda g: spread(sizes, g),
        shared,
        (uniform(y),),
        note=note,
    )


CASES = [
    *(
        Case("max_pool", ops.max_pool, maximum, (distinct(shape),), how, note=note)
        for note, (shape, how) in GEOMETRIES.items()
    ),
    *(
        Case("average_pool", ops.average_pool, mean, (shape,), how, note=note)
        for note, (shape, how) in GEOMETRIES.items()
    ),
    *(
        case
        for note, (shape, how) in GEOMETRIES.items()
        for case in gradients(note, shape, how)
    ),
    Case(
        "max_pool",
        ops.max_pool,
        maximum,
        (integers((1, 5, 5, 2)),),
        {"pool_size": 3, "padding": "same"},
        note="integers",
        dtype="int32",
    ),
    Case(
        "average_pool",
        ops.average_pool,
        mean_first,
        ((2, 3, 4, 6),),
        {"pool_size": 2, "data_format": "channels_first"},
        any_rank=False,
    ),
]

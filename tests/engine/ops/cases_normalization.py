"""Cases of normalization; what is composed is named after an op that it needs."""

from __future__ import annotations

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.normalization import Standardize
from tests.engine.ops.cases import Case, integers, uniform

X, C = (2, 3, 4), (4,)
POSITIVE = uniform(C, 0.5, 2)


def moments(x, axes, keepdims=False):
    return np.mean(x, axes, keepdims=keepdims), np.var(x, axes, keepdims=keepdims)


def batch(x, mean, variance, offset=0.0, scale=1.0, axis=-1, epsilon=1e-3):
    x = np.moveaxis(x, axis, -1)
    y = scale * (x - mean) / np.sqrt(variance + epsilon) + offset
    return np.moveaxis(y, -1, axis)


def ours(x, mean, variance, *rest, **kwargs):
    offset, scale = rest or (None, None)
    return ops.batch_normalization(
        x, mean, variance, offset=offset, scale=scale, **kwargs
    )


def layer(x, gamma=1.0, beta=0.0, axis=-1, epsilon=1e-7):
    y = (x - x.mean(axis, keepdims=True)) / np.sqrt(
        x.var(axis, keepdims=True) + epsilon
    )
    return gamma * y + beta


def layer_first(x, gamma, beta, axis):
    return layer(x, gamma[:, None, :], beta[:, None, :], axis)


def rms(x, scale=1.0, axis=-1, epsilon=1e-7):
    return scale * x / np.sqrt(np.mean(x * x, axis, keepdims=True) + epsilon)


def unit(x, axis=-1):
    return x / np.sqrt(np.sum(x * x, axis, keepdims=True))


def standardize(x, centered):
    return Standardize((1, -1), 0.1, centered)(x)


def standardized(x, centered):
    apart = x - x.mean((1, -1), keepdims=True) * centered
    r = (np.mean(apart**2, (1, -1), keepdims=True) + 0.1) ** -0.5
    return apart * r, r


CASES = [
    Case("var", ops.moments, moments, (X,), {"axes": (0, 1)}, note="moments"),
    Case(
        "var",
        ops.moments,
        moments,
        (X,),
        {"axes": -1, "keepdims": True},
        note="moments kept",
    ),
    Case(
        "var",
        ops.moments,
        moments,
        (integers(X),),
        {"axes": 0},
        note="moments integers",
    ),
    Case("rsqrt", ours, batch, (X, C, POSITIVE), note="batch"),
    Case("rsqrt", ours, batch, (X, C, POSITIVE, C, C), note="batch scale"),
    Case(
        "rsqrt",
        ours,
        batch,
        ((2, 4, 3, 2), C, POSITIVE, C, C),
        {"axis": -3, "epsilon": 0.1},
        note="batch first",
    ),
    Case(
        "rsqrt",
        ours,
        batch,
        ((2, 4, 3, 2), C, POSITIVE, C, C),
        {"axis": 1},
        note="batch first counted",
        any_rank=False,
    ),
    Case("standardize", ops.layer_normalization, layer, (X,), note="layer"),
    Case("standardize", ops.layer_normalization, layer, (X, C, C), note="layer scale"),
    Case(
        "standardize",
        ops.layer_normalization,
        layer_first,
        ((2, 3, 4, 5), (3, 5), (3, 5)),
        {"axis": (-3, -1)},
        note="layer axes",
    ),
    Case("standardize", ops.rms_normalization, rms, (X, C), note="rms"),
    *(
        Case(
            "standardize",
            standardize,
            standardized,
            (X,),
            {"centered": centered},
        )
        for centered in (True, False)
    ),
    Case("rsqrt", ops.l2_normalize, unit, (X,), {"axis": 1}, note="unit"),
    Case("rsqrt", ops.l2_normalize, unit, (X,), {"axis": None}, note="unit whole"),
]

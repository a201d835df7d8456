"""Cases of elementwise functions of one operand."""

import math

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers, uniform

ANY, POSITIVE = uniform((3, 4)), uniform((3, 4), 0.1, 4.0)
SPECIAL = np.array([0.0, -1.5, np.nan, np.inf, -np.inf])
HALVES = np.array([-2.5, -1.5, -0.5, 0.2, 0.5, 1.5, 2.5, 3.7])

erf = np.vectorize(math.erf, otypes=[float])

CASES = [
    Case("negative", ops.negative, np.negative, (ANY,)),
    Case("negative", ops.negative, np.negative, (integers((3,)),), note="integers"),
    Case("absolute", ops.absolute, np.abs, (ANY,)),
    Case("absolute", ops.absolute, np.abs, (integers((3,)),), note="integers"),
    Case("sign", ops.sign, np.sign, (np.array([-2.0, 0.0, 3.0]),), wrt=()),
    Case("square", ops.square, np.square, (ANY,)),
    Case("square", ops.square, np.square, (integers((3,)),), note="integers"),
    Case("sqrt", ops.sqrt, np.sqrt, (POSITIVE,)),
    Case("rsqrt", ops.rsqrt, lambda x: 1 / np.sqrt(x), (POSITIVE,)),
    Case("reciprocal", ops.reciprocal, np.reciprocal, (POSITIVE,)),
    Case("exp", ops.exp, np.exp, (ANY,)),
    Case("exp", ops.exp, np.exp, (integers((2, 2)),), note="integers"),
    Case("exp", ops.exp, np.exp, (booleans((4,)),), note="booleans"),
    Case("expm1", ops.expm1, np.expm1, (ANY,)),
    Case("log", ops.log, np.log, (POSITIVE,)),
    Case("log1p", ops.log1p, np.log1p, (POSITIVE,)),
    Case("log2", ops.log2, np.log2, (POSITIVE,)),
    Case("log10", ops.log10, np.log10, (POSITIVE,)),
    Case("erf", ops.erf, erf, (ANY,)),
    Case("erf", ops.erf, erf, (uniform((50,), -7.0, 7.0),), note="tails"),
    Case("floor", ops.floor, np.floor, (HALVES,), wrt=()),
    Case(
        "floor",
        ops.floor,
        np.floor,
        (integers((3,)),),
        note="integers",
        dtype="float32",
    ),
    Case("ceil", ops.ceil, np.ceil, (HALVES,), wrt=()),
    Case("round", ops.round, np.round, (HALVES,), wrt=()),
    Case("round", ops.round, np.round, (ANY,), {"decimals": 1}, wrt=()),
    Case("round", ops.round, np.round, (integers((3,)),), note="integers"),
    Case("trunc", ops.trunc, np.trunc, (HALVES,), wrt=()),
    Case("trunc", ops.trunc, np.fix, (integers((3,)),), note="integers", dtype="int32"),
    Case("isnan", ops.isnan, np.isnan, (SPECIAL,), wrt=()),
    Case("isinf", ops.isinf, np.isinf, (SPECIAL,), wrt=()),
    Case("isfinite", ops.isfinite, np.isfinite, (SPECIAL,), wrt=()),
]

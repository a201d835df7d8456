"""Cases of ops that pass a value on, as it is or in another dtype."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers

X = (2, 3)


def as_is(x):
    return x


def casting(note, x, to, oracle, **more):
    return Case("cast", lambda x: ops.cast(x, to), oracle, (x,), note=note, **more)


CASES = [
    Case("identity", ops.identity, as_is, (X,)),
    Case("identity", ops.identity, as_is, (booleans((3,)),), note="booleans"),
    Case("stop_gradient", ops.stop_gradient, as_is, (X,), wrt=()),
    casting("wider", X, "float64", as_is, dtype="float64"),
    casting("to integers", X, "int32", np.trunc, dtype="int32", wrt=()),
    casting("to booleans", integers((5,), -1, 2), "bool", lambda x: x != 0),
    casting("from booleans", booleans((5,)), "float32", np.float64, dtype="float32"),
]

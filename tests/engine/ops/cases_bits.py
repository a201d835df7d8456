"""Cases of signs, neighbors and bytes."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers

SIGNED = np.array([-1.5, -0.0, 0.0, 2.0, np.nan, -np.inf])


def neighbor(x1, x2):
    """Return the neighbor in the dtype of this run, which the oracle is not told."""
    return x1


CASES = [
    Case("signbit", ops.signbit, np.signbit, (SIGNED,), wrt=()),
    Case("signbit", ops.signbit, np.signbit, (integers((3, 4)),), note="integers"),
    Case("nextafter", ops.nextafter, neighbor, ((2, 3), (3,)), wrt=(0,)),
    Case(
        "view",
        ops.view,
        lambda x, dtype: x.view(dtype),
        (integers((2, 4)),),
        {"dtype": "uint8"},
        dtype="uint8",
        any_rank=False,
    ),
    Case(
        "view",
        ops.view,
        lambda x, dtype: x.view(dtype),
        (integers((2, 4), dtype="int16"),),
        {"dtype": "int64"},
        dtype="int64",
        any_rank=False,
    ),
    Case(
        "view",
        ops.view,
        lambda x, dtype: x.view(dtype),
        (integers((4,)),),
        {"dtype": "uint32"},
        dtype="uint32",
        any_rank=False,
    ),
]

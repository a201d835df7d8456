"""Operators on truth values, and bits that do not exist."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.errors import DTypeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session


def test_the_operators_of_truth_are_those_of_bits():
    p, q = np.array([True, True, False]), np.array([True, False, False])
    with Graph().as_default() as graph:
        x, y = ops.constant(p), ops.constant(q)
        found = Session(graph=graph).run([x & y, x | y, x ^ y, ~x, True ^ x])
    for value, expected in zip(found, [p & q, p | q, p ^ q, ~p, ~p], strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("op", [ops.bitwise_and, ops.left_shift])
def test_floats_have_no_bits(op):
    with pytest.raises(DTypeError, match=r"bits are those of integers.*got float32"):
        op(np.ones(2, "float32"), 1)

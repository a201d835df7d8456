"""Tensors from nothing: at once from numbers, static wherever sizes are known."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph


@pytest.mark.parametrize(
    "made, expected",
    [
        (lambda: ops.zeros((2, 3)), np.zeros((2, 3), "float32")),
        (lambda: ops.ones(4, "int32"), np.ones(4, "int32")),
        (lambda: ops.full((2,), 1.5), np.full(2, 1.5, "float32")),
        (lambda: ops.full_like([[1, 2]], 7), np.array([[7, 7]], "int32")),
        (lambda: ops.arange(4), np.arange(4, dtype="int32")),
        (lambda: ops.arange(5, 0, -2), np.array([5, 3, 1], "int32")),
        (lambda: ops.arange(0, 1, 0.25), np.array([0, 0.25, 0.5, 0.75], "float32")),
        (lambda: ops.arange(3, dtype="float64"), np.array([0.0, 1.0, 2.0])),
        (lambda: ops.linspace(0, 1, 3), np.array([0, 0.5, 1], "float32")),
        (lambda: ops.eye(2, 3, 1), np.eye(2, 3, 1, "float32")),
    ],
)
def test_numbers_make_arrays_at_once(made, expected):
    found = devices.to_host(made())
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_shapes_with_tensors_in_them_stay_static():
    with Graph().as_default():
        n = ops.shape(ops.placeholder("float32", (5, None)))
        assert ops.zeros((n[0], n[1], 2)).shape == (5, None, 2)
        assert ops.ones(n).shape == (5, None)
        assert ops.eye(n[0], n[1]).shape == (5, None)
        assert ops.arange(n[0]).spec.value == (0, 1, 2, 3, 4)
        assert ops.arange(n[1]).shape == (None,)


def test_a_range_without_a_step_is_refused():
    with pytest.raises(ShapeError, match="a step of 0"):
        ops.arange(0, 3, 0)

"""Where powers and quotients are at their limits."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session


def slopes(function, *arrays):
    """Return the gradients of the sum of a function's values by each of its inputs."""
    with Graph().as_default() as graph:
        xs = [ops.constant(a) for a in arrays]
        return Session(graph=graph).run(gradients(function(*xs), xs))


def test_zero_to_the_power_zero_is_flat():
    x, y = np.array([0.0, 0.0, 3.0]), np.array([0.0, 2.0, 0.0])
    by_x, by_y = slopes(ops.power, x, y)
    np.testing.assert_array_equal(by_x, [0, 0, 0])
    np.testing.assert_allclose(by_y, [0, 0, np.log(3)])


def test_powers_of_negative_numbers_have_no_slope_in_the_exponent():
    by_x, by_y = slopes(ops.power, np.array([-2.0, -1.0]), np.array([3.0, 2.0]))
    np.testing.assert_allclose(by_x, [12, -2])
    np.testing.assert_array_equal(by_y, [0, 0])


def test_division_by_zero_without_nan_sends_no_gradient_back():
    by_x, by_y = slopes(ops.divide_no_nan, np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(by_x, [0, 0.5])
    np.testing.assert_array_equal(by_y, [0, -0.25])


def test_sizes_computed_from_shapes_are_known_before_the_run():
    with Graph().as_default():
        n = ops.shape(ops.placeholder("float32", (6, None)))
        computed = ops.floor_divide(n * 2 + 1 - n % 4, 5)
    assert computed.spec.value == ((6 * 2 + 1 - 6 % 4) // 5, None)


def test_a_size_that_overflows_is_left_to_the_run():
    with Graph().as_default() as graph:
        y = ops.constant(2**30) * 4
        assert y.spec.value == (None,)
        assert Session(graph=graph).run(y) == 0


def test_operands_that_do_not_broadcast_are_named():
    with Graph().as_default(), pytest.raises(ShapeError, match="3 against 4"):
        ops.add(ops.placeholder("float32", (2, 3)), ops.placeholder("float32", (4,)))

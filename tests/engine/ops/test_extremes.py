"""Who gets the gradient where values tie, and at the bounds of a range."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.test_arithmetic import slopes


def test_a_tie_of_two_sends_its_gradient_to_the_first():
    ones = np.ones(2)
    for function in (ops.maximum, ops.minimum):
        by_x, by_y = slopes(function, ones, ones)
        np.testing.assert_array_equal(by_x, [1, 1])
        np.testing.assert_array_equal(by_y, [0, 0])


def test_elements_that_tie_share_the_gradient():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    (by_x,) = slopes(lambda x: ops.max(x, axis=1), x)
    np.testing.assert_allclose(by_x, [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]])
    (by_x,) = slopes(ops.min, x)
    np.testing.assert_array_equal(by_x, [[1, 0, 0], [0, 0, 0]])


def test_the_gradient_passes_at_the_bounds_of_a_clip():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    by_x, by_low, by_high = slopes(ops.clip, x, np.array(-1.0), np.array(1.0))
    np.testing.assert_array_equal(by_x, [0, 1, 1, 1, 0])
    assert (by_low, by_high) == (1, 1)


def test_the_first_of_several_is_found():
    x = [3, 1, 3, 1]
    assert (ops.argmax(x), ops.argmin(x)) == (0, 1)


def test_nan_is_the_extreme():
    x = np.array([1.0, np.nan, 2.0])
    assert np.isnan(ops.max(x))
    assert np.isnan(ops.min(x))
    assert ops.argmax(x) == 1

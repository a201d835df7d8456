"""Sums at their limits: infinite terms, axes that do not exist."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.errors import ShapeError
from tests.engine.ops.test_arithmetic import slopes


def test_logsumexp_neither_overflows_nor_vanishes():
    x = np.array([[1000.0, 1000.0], [-1000.0, -1000.0], [-np.inf, 0.0]])
    y = ops.logsumexp(x, axis=1)
    np.testing.assert_allclose(y, [1000 + np.log(2), -1000 + np.log(2), 0])
    (by_x,) = slopes(lambda x: ops.logsumexp(x, axis=1), x)
    np.testing.assert_allclose(by_x, [[0.5, 0.5], [0.5, 0.5], [0, 1]])


def test_logsumexp_of_infinite_terms_is_infinite():
    assert ops.logsumexp([-np.inf, -np.inf]) == -np.inf
    assert ops.logsumexp([np.inf, 0.0]) == np.inf


def test_logsumexp_of_no_terms_is_the_logarithm_of_nothing():
    y = ops.logsumexp(np.zeros((2, 0)), axis=1)
    np.testing.assert_array_equal(y, [-np.inf, -np.inf])


@pytest.mark.parametrize(
    "axis, message", [(2, "axis 2 is out of bounds"), ((0, -2), "twice")]
)
def test_an_axis_that_is_not_there_is_named(axis, message):
    with pytest.raises(ShapeError, match=message):
        ops.sum(np.zeros((2, 3)), axis)

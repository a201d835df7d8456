"""Reductions by number: where central differences are no judge."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.session import Session


def test_rows_that_tie_share_the_gradient():
    x = ops.placeholder("float32", (None, 2))
    y = ops.segment_max(x, [1, 1, 0, 1], 3)
    rows = [[4.0, 1.0], [4.0, 2.0], [0.0, 0.0], [3.0, 2.0]]
    found = Session().run(gradients(y[:2], [x])[0], {x: rows})
    np.testing.assert_array_equal(found, [[0.5, 0], [0.5, 0.5], [1, 1], [0, 0.5]])


def test_a_number_without_rows_stands_for_the_extreme_of_nothing():
    x, ids = np.array([[1.5], [2.5]]), [2, -1]
    np.testing.assert_array_equal(
        ops.segment_max(x, ids, 3), [[-np.inf], [-np.inf], [1.5]]
    )
    np.testing.assert_array_equal(
        ops.segment_min(x, ids, 3), [[np.inf], [np.inf], [1.5]]
    )
    np.testing.assert_array_equal(ops.segment_prod(x, ids, 3), [[1], [1], [1.5]])
    np.testing.assert_array_equal(ops.segment_max(x > 0, ids, 3).ravel(), [0, 0, 1])
    np.testing.assert_array_equal(
        ops.segment_min(x[:0], np.zeros(0, int), 1), [[np.inf]]
    )


def test_a_number_without_rows_does_not_spoil_second_derivatives():
    x, h = (ops.placeholder("float32", (2,)) for _ in range(2))
    y = ops.segment_max(x, [1, 1], 3)
    g = ops.placeholder("float32", (3,))
    slope = gradients(y, [x], [g])[0]
    found = Session().run(
        gradients(slope, [g], [h])[0], {x: [1, 2], g: [1] * 3, h: [5, 7]}
    )
    np.testing.assert_array_equal(found, [0, 7, 0])

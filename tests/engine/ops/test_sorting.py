"""Ties, and what is refused."""

import numpy as np
import pytest

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session


def test_the_gradient_of_a_tie_goes_to_the_first():
    with Graph().as_default() as graph:
        x = ops.placeholder("float32", (4,))
        largest = ops.top_k(x, 2)[0][0]
        smallest = ops.sort(x)[0]
        slopes = gradients(largest, [x]) + gradients(smallest, [x])
        found = Session(graph=graph).run(slopes, {x: [1, 3, 3, 1]})
    assert [y.tolist() for y in found] == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_top_k_has_no_more_than_there_are():
    with pytest.raises(ShapeError, match="top_k: 4 of 3 elements"):
        ops.top_k(np.zeros((2, 3), "float32"), 4)


def test_shapes_of_in_top_k_are_checked():
    targets = np.zeros(2, "int32")
    with pytest.raises(ShapeError, match="classes"):
        ops.in_top_k(targets, np.zeros(2, "float32"), 1)
    with pytest.raises(ShapeError, match="contradict"):
        ops.in_top_k(targets, np.zeros((3, 4), "float32"), 1)


def test_a_sequence_to_search_is_a_vector():
    with pytest.raises(ShapeError, match="vector"):
        ops.searchsorted(np.zeros((2, 2), "float32"), 1.0)


def test_sorting_keeps_nan_for_the_end():
    y = devices.to_host(ops.sort(np.array([np.nan, 2, 1], "float32")))
    np.testing.assert_array_equal(y, [1, 2, np.nan])

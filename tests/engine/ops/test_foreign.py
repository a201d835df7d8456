"""Functions that another library computes, and differentiates: here NumPy, by hand."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Routine, Session
from tests.oracles.gradcheck import check_gradient, check_second_order


class Power:
    """y = x**n and the sum of an integer i, with a derivative that is again such."""

    def __init__(self, n, scale=1.0, wrong=1.0):
        self.n, self.scale, self.wrong = n, scale, wrong

    def __call__(self, x, i):
        return [self.scale * x**self.n, i.sum()]

    def specs(self, inputs):
        (shape, kind), (_, whole) = inputs
        return [(shape, kind), ((), whole)]

    def gradient(self, count):
        assert count == 2
        return Slope(self)


class Slope:
    """g, h, x, i -> the gradient by x; its own is by g and x."""

    def __init__(self, power):
        self.power = power

    def slope(self, x, order=1):
        n, factor = self.power.n, self.power.scale * self.power.wrong
        return factor * (n * x ** (n - 1) if order == 1 else n * (n - 1) * x ** (n - 2))

    def __call__(self, g, h, x, i):
        return [g * self.slope(x)]

    def gradient(self, count):
        assert count == 1
        return lambda u, g, h, x, i: [u * self.slope(x), u * g * self.slope(x, 2)]


WHOLE = np.arange(4, dtype="int32")


def power(x, **options):
    return ops.foreign(Power(3, 2.0, **options), [x, WHOLE])


def test_arrays_are_computed_at_once():
    y, total = power(np.array([1.0, 2.0], "float32"))
    assert y.tolist() == [2, 16]
    assert y.dtype == "float32"
    assert total == 6


def test_sizes_that_are_not_known_are_asked_for():
    with Graph().as_default() as graph:
        x = ops.placeholder("float32", (None, 3))
        y, total = power(x)
        assert (y.shape, total.shape, total.dtype) == ((None, 3), (), "int32")
        routine = Routine(Session(graph=graph), [y, total], [x])
        for rows in (2, 5):
            found, count = routine(np.full((rows, 3), 2, "float32"))
            np.testing.assert_array_equal(found, np.full((rows, 3), 16))
            assert count == 6


def test_the_gradient_is_the_functions_own():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3))
    check_gradient(lambda x: power(x)[0], [x], [0], rng)
    check_second_order(lambda x: power(x)[0], [x], [0], rng)


def test_a_gradient_off_by_a_thousandth_is_found():
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        check_gradient(lambda x: power(x, wrong=1.001)[0], [np.ones(3)], [0], rng)


def test_nothing_flows_to_integers():
    with Graph().as_default():
        x, i = ops.placeholder("float32", (2,)), ops.placeholder("int32", (4,))
        y, _ = ops.foreign(Power(2), [x, i])
        assert gradients([y], [x, i])[1] is None


def test_a_rank_that_is_not_known_is_refused():
    with Graph().as_default(), pytest.raises(ShapeError, match="known rank"):
        power(ops.placeholder("float32", None))

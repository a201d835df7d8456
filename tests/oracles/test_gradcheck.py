"""The gradient checks fail when a gradient is wrong, and only then."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.op import Op
from tests.oracles.gradcheck import check_gradient, check_second_order


class Cube(Op):
    """y = x³, with a gradient that is wrong by a share `off` in one place or in all."""

    off: float = 0.0
    everywhere: bool = True

    def infer(self, x):
        return x

    def kernel(self, xp, x):
        return x * x * x

    def vjp(self, g, y, x):
        error = np.full(x.shape, self.off)
        if not self.everywhere:
            error[1:] = 0.0
        return (3.0 * g * x * x * (1.0 + error),)


@pytest.fixture
def x(rng):
    return rng.uniform(0.5, 2.0, (3, 4))


def test_a_right_gradient_passes(x, rng):
    check_gradient(Cube(), [x], [0], rng)
    check_second_order(Cube(), [x], [0], rng)


@pytest.mark.parametrize("off", [1e-3, -1e-3])
@pytest.mark.parametrize("everywhere", [True, False])
def test_a_gradient_off_by_a_thousandth_fails(x, rng, off, everywhere):
    with pytest.raises(AssertionError, match="central differences measure"):
        check_gradient(Cube(off, everywhere), [x], [0], rng)


def test_a_missing_gradient_fails(x, rng):
    with pytest.raises(AssertionError, match="predicts a slope of 0"):
        check_gradient(lambda x: Cube()(ops.stop_gradient(x)), [x], [0], rng)


def test_a_gradient_of_the_wrong_shape_fails(x, rng):
    class Flat(Cube):
        def vjp(self, g, y, x):
            return (ops.sum(g, axis=0),)

    with pytest.raises(AssertionError, match="gradient by input 0 has shape"):
        check_gradient(Flat(), [x], [0], rng)


def test_a_gradient_that_takes_a_factor_for_a_constant_fails_in_second_order(x, rng):
    class Shallow(Cube):
        def vjp(self, g, y, x):
            return (3.0 * g * ops.stop_gradient(x * x),)

    check_gradient(Shallow(), [x], [0], rng)
    with pytest.raises(AssertionError, match="central differences measure"):
        check_second_order(Shallow(), [x], [0], rng)


def test_a_second_order_that_ignores_the_gradient_from_above_fails(x, rng):
    class Deaf(Cube):
        def vjp(self, g, y, x):
            return (3.0 * ops.stop_gradient(g) * x * x,)

    with pytest.raises(AssertionError, match="gradient by input 1"):
        check_second_order(Deaf(), [x], [0], rng)


def test_outputs_and_inputs_that_are_not_floats_are_left_alone(x, rng):
    def function(x, n):
        return Cube()(x), n

    n = np.array([1, 2], "int32")
    check_gradient(function, [x, n], [0], rng)
    check_second_order(function, [x, n], [0], rng)

"""Gradients by a rule: in graphs, in loops, and of second order."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session


def log1pexp(x):
    """Without the rule its gradient is infinity over infinity for large x."""
    e = ops.exp(x)
    (y,) = ops.with_gradient([ops.log(1 + e)], [x], lambda g: [g * (1 - 1 / (1 + e))])
    return y


def test_the_rule_is_the_gradient_and_has_one_itself():
    with Graph().as_default():
        x = ops.placeholder("float64", (None,))
        y = log1pexp(x)
        (slope,) = gradients(y, x)
        (curve,) = gradients(slope, x)
        at = np.array([-1.0, 0.0, 2.0])
        for _ in range(5):  # the plan is compiled when it is used again
            found = Session().run([y, slope, curve], {x: at})
        s = 1 / (1 + np.exp(-at))
        for value, want in zip(
            found, [np.log1p(np.exp(at)), s, s * (1 - s)], strict=True
        ):
            np.testing.assert_allclose(value, want)
        assert y.shape == slope.shape == (None,)


def test_a_rule_may_be_anything():
    with Graph().as_default():
        x, n = ops.placeholder("float32", (2,)), ops.placeholder("int32", ())
        doubled, same = ops.with_gradient(
            [2 * x, x], [x, n], lambda g, h: [g + 10 * h, None]
        )
        both = gradients([doubled, same], [x, n])
        one = gradients(doubled, [x])
        feed = {x: [1, 2], n: 3}
        values = Session().run([doubled, same, both[0], one[0]], feed)
    assert both[1] is None
    for value, want in zip(values, [[2, 4], [1, 2], [11, 11], [1, 1]], strict=True):
        np.testing.assert_array_equal(value, want)


@pytest.mark.parametrize("kind", ["scan", "while", "cond"])
def test_a_rule_goes_with_its_loop(kind):
    """There the operation is repeated on other tensors, and so is the rule."""

    def looped(x):
        if kind == "scan":
            return ops.scan(lambda c, _: (log1pexp(c), None), x, length=3)[0]
        if kind == "cond":
            return ops.cond(ops.sum(x) > 0, lambda: log1pexp(x), lambda: x)
        return ops.while_loop(
            lambda i, c: i < 3, lambda i, c: (i + 1, log1pexp(c)), (0, x)
        )[1]

    with Graph().as_default():
        x = ops.placeholder("float64", (2,))
        (slope,) = gradients(looped(x), x)
        at = np.array([0.5, 1.0])
        found = Session().run(slope, {x: at})
    want, c = np.ones(2), at
    for _ in range(1 if kind == "cond" else 3):
        want, c = want / (1 + np.exp(-c)), np.log1p(np.exp(c))
    np.testing.assert_allclose(found, want)


def test_a_rule_has_a_gradient_for_each_argument():
    with Graph().as_default():
        x = ops.placeholder("float32", ())
        with pytest.raises(GradientError, match="1 arguments, 2 gradients"):
            ops.with_gradient([x * 2], [x], lambda g: [g, g])

"""Values of variables from outside: scopes, and calls that leave state alone."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import Layer, Sequential, layers, metrics, optimizers
from minikeras import backend as K

X = np.arange(6, dtype="float32").reshape(2, 3)


def test_inside_a_scope_variables_have_other_values() -> None:
    a, b, out = (K.Variable(np.zeros(2, "float32")) for _ in range(3))
    with K.StatelessScope([(a, [1.0, 2.0]), (b, K.Variable([3.0, 4.0]))]) as scope:
        out.assign(a + b)
        out.assign_add([10.0, 10.0])
        np.testing.assert_array_equal(out + 0.0, [14.0, 16.0])
        np.testing.assert_array_equal(out.numpy(), [14.0, 16.0])
    np.testing.assert_array_equal(out + 0.0, [0.0, 0.0])
    np.testing.assert_array_equal(scope.get_current_value(out), [14.0, 16.0])
    assert scope.get_current_value(K.Variable(0.0)) is None
    assert not K.in_stateless_scope()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must be Variable instances"):
        K.StatelessScope([("v", 1.0)])
    with pytest.raises(ValueError, match="shape that matches the corresponding"):
        K.StatelessScope([(K.Variable([1.0]), [1.0, 2.0])])


def test_a_variable_made_inside_begins_at_the_end() -> None:
    with K.StatelessScope():
        with K.StatelessScope():
            v = K.Variable("ones", shape=(2,), name="late")
        assert v._value is None
        assert repr(v) == "<Variable path=late, shape=(2,), dtype=float32>"
        np.testing.assert_array_equal(v + 1, [2.0, 2.0])
        with pytest.raises(ValueError, match="while in a stateless scope"):
            v._deferred_initialize()
    np.testing.assert_array_equal(v.numpy(), [1.0, 1.0])
    with pytest.raises(ValueError, match="already initialized"):
        v._deferred_initialize()
    with (
        K.StatelessScope(),
        pytest.raises(ValueError, match="while in a stateless scope"),
    ):
        K.Variable(0.0)


def test_compiled_calls_inside_a_scope_read_it_and_note_updates() -> None:
    norm = layers.BatchNormalization(momentum=0.5)
    norm.build(X.shape)
    gamma = np.full(3, 2.0, "float32")
    for shift in (0.0, 5.0):  # the second call is compiled already
        with K.StatelessScope([(norm.gamma, gamma), (norm.beta, [shift] * 3)]) as scope:
            y = norm(X, training=True)
        np.testing.assert_allclose(y - shift, [[-2.0] * 3, [2.0] * 3], atol=1e-2)
        np.testing.assert_allclose(
            scope.get_current_value(norm.moving_mean), X.mean(0) / 2
        )
    np.testing.assert_array_equal(norm.moving_mean.numpy(), np.zeros(3))


class Counting(Layer):
    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 2), "ones")
        self.calls = self.add_weight((), "zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign_add(1.0)
        self.add_loss(K.sum(self.kernel))
        return K.dot(inputs, self.kernel)


def test_a_layer_called_statelessly_returns_what_it_would_assign() -> None:
    layer = Counting()
    with pytest.raises(ValueError, match="must be built"):
        layer.stateless_call([], [], X)
    layer.build(X.shape)
    kernel = np.full((3, 2), 2.0, "float32")
    y, rest, losses = layer.stateless_call([kernel], [7.0], X, return_losses=True)
    np.testing.assert_array_equal(y, X @ kernel)
    assert ([float(v) for v in rest], [float(v) for v in losses]) == ([8.0], [12.0])
    assert layer.calls.numpy() == 0.0
    with pytest.raises(ValueError, match="list with length 0, but expected 1"):
        layer.stateless_call([], [7.0], X)


def test_it_is_differentiable_in_the_values_given() -> None:
    model = Sequential([layers.Dense(1, use_bias=False)])
    model.build((None, 3))

    @K.function
    def gradient(kernel):
        y, _ = model.stateless_call([kernel], [], X)
        return K.gradients(K.sum(y), [kernel])[0]

    np.testing.assert_allclose(gradient(np.zeros((3, 1), "float32"))[:, 0], X.sum(0))


def test_metrics_and_optimizers_work_statelessly() -> None:
    metric = metrics.Mean()
    start = metric.stateless_reset_state()
    after = metric.stateless_update_state(start, [1.0, 3.0])
    assert float(metric.stateless_result(after)) == 2.0
    assert float(metric.result()) == 0.0
    with pytest.raises(ValueError, match="list with length 1, but expected 2"):
        metric.stateless_result([0.0])

    weight = K.Variable([1.0, 1.0])
    sgd = optimizers.SGD(0.5)
    sgd.build([weight])
    state = [v.value for v in sgd.variables]
    (new,), kept = sgd.stateless_apply(state, [np.array([2.0, 4.0])], [[1.0, 1.0]])
    np.testing.assert_array_equal(new, [0.0, -1.0])
    np.testing.assert_array_equal(weight.numpy(), [1.0, 1.0])
    assert [int(kept[0]), int(sgd.iterations)] == [1, 0]


def test_a_symbolic_scope_says_so() -> None:
    assert not K.in_symbolic_scope()
    with K.SymbolicScope(), K.SymbolicScope():
        assert K.in_symbolic_scope()
    assert not K.in_symbolic_scope()

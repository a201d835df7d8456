"""Regularizers: values written out, and against Keras's own."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import regularizers

W = np.array([[1.0, -2.0, 0.5], [-3.0, 0.0, 4.0]], "float32")

OBJECTS = {
    "L1": ({"l1": 0.1}, 0.1 * 10.5),
    "L2": ({"l2": 0.1}, 0.1 * 30.25),
    "L1L2": ({"l1": 0.2, "l2": 0.3}, 0.2 * 10.5 + 0.3 * 30.25),
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize("name", OBJECTS)
def test_penalties_are_their_formulas(keras, name):
    kwargs, wanted = OBJECTS[name]
    ours = getattr(regularizers, name)(**kwargs)
    theirs = getattr(keras.regularizers, name)(**kwargs)
    assert float(ours(W)) == pytest.approx(wanted)
    assert float(theirs(W)) == pytest.approx(wanted)
    assert ours(W).dtype == np.float32
    assert ours.get_config() == kwargs == pytest.approx(theirs.get_config())
    config = keras.regularizers.serialize(theirs)
    assert regularizers.serialize(ours) == {**config, "config": kwargs}


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonality_is_the_mean_absolute_cosine(keras, mode):
    rows = W if mode == "rows" else W.T
    cosines = [
        abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)
        for i, a in enumerate(rows)
        for b in rows[:i]
    ]
    ours = regularizers.OrthogonalRegularizer(0.5, mode)
    assert float(ours(W)) == pytest.approx(0.5 * np.mean(cosines), rel=1e-5)
    theirs = keras.regularizers.OrthogonalRegularizer(0.5, mode)
    wanted = float(theirs(keras.ops.convert_to_tensor(W)))
    assert float(ours(W)) == pytest.approx(wanted, rel=1e-5)
    assert regularizers.serialize(ours) == keras.regularizers.serialize(theirs)


def test_gradients_of_penalties():
    x = K.placeholder((2, 3))
    loss = regularizers.L1L2(0.1, 0.2)(x)
    (gradient,) = K.function([x], K.gradients(loss, [x]))([W])
    np.testing.assert_allclose(gradient, 0.1 * np.sign(W) + 0.4 * W, rtol=1e-6)


def test_nothing_to_penalize_is_zero():
    assert float(regularizers.L1L2()(W)) == 0.0


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def test_configs_come_back_and_arguments_are_those_of_keras(keras, name):
    ours = getattr(regularizers, name)
    theirs = getattr(keras.regularizers, name)
    assert [
        (p.name, p.default) for p in inspect.signature(ours).parameters.values()
    ] == [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
    config = regularizers.serialize(ours())
    again = regularizers.deserialize(config)
    assert type(again) is ours
    assert regularizers.serialize(again) == config


@pytest.mark.parametrize(
    ("name", "cls"), [("l1", "L1"), ("l2", "L2"), ("L1L2", "L1L2"), ("l1_l2", "L1L2")]
)
def test_get_by_name(name, cls):
    assert type(regularizers.get(name)).__name__ == cls


def test_get_of_nothing_of_functions_and_of_nonsense():
    assert regularizers.get(None) is None
    assert regularizers.get(np.sum) is np.sum
    with pytest.raises(ValueError, match=r"identifier: 'l1l3'\. Did you mean 'l1l2'"):
        regularizers.get("l1l3")


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan"), "0.1"])
def test_factors_are_finite_and_not_negative(value):
    with pytest.raises(ValueError, match="expected a non-negative float"):
        regularizers.L2(value)


def test_only_matrices_have_rows():
    with pytest.raises(ValueError, match="must have rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones(3, "float32"))
    with pytest.raises(ValueError, match="argument `mode`"):
        regularizers.OrthogonalRegularizer(mode="diagonals")

"""Constraints: what holds after them, and values against Keras's own."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import constraints

OBJECTS = {
    "MaxNorm": {"max_value": 1.5, "axis": 0},
    "MinMaxNorm": {"min_value": 0.8, "max_value": 1.2, "rate": 0.5, "axis": 1},
    "NonNeg": {},
    "UnitNorm": {"axis": [0, 1]},
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.fixture
def w(rng):
    return rng.normal(size=(4, 5)).astype("float32")


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("default", [True, False])
def test_values_and_configs_are_those_of_keras(keras, w, name, default):
    kwargs = {} if default else OBJECTS[name]
    ours = getattr(constraints, name)(**kwargs)
    theirs = getattr(keras.constraints, name)(**kwargs)
    found = ours(w)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, theirs(w), rtol=1e-6)
    config = constraints.serialize(ours)
    assert config == keras.constraints.serialize(theirs)
    assert constraints.serialize(constraints.deserialize(config)) == config


@pytest.mark.parametrize("name", OBJECTS)
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    ours = inspect.signature(getattr(constraints, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.constraints, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [
        (p.name, p.default) for p in theirs if p.kind not in (2, 4)
    ]


def test_norms_lie_in_their_bounds(w):
    norms = np.linalg.norm(constraints.MinMaxNorm(0.9, 1.1)(w), axis=0)
    assert ((norms > 0.9 - 1e-5) & (norms < 1.1 + 1e-5)).all()
    assert np.linalg.norm(constraints.MaxNorm(1.0)(w), axis=0).max() < 1 + 1e-5
    np.testing.assert_allclose(
        np.linalg.norm(constraints.UnitNorm()(w), axis=0), 1.0, rtol=1e-5
    )


def test_a_zero_vector_stays_one():
    zero = np.zeros((3, 2), "float32")
    np.testing.assert_array_equal(constraints.UnitNorm()(zero), zero)


def test_a_variable_can_be_constrained():
    variable = K.Variable(np.array([-1.0, 2.0], "float32"))
    variable.assign(constraints.NonNeg()(variable))
    np.testing.assert_array_equal(variable.numpy(), [0.0, 2.0])


@pytest.mark.parametrize(
    ("name", "cls"),
    [("max_norm", "MaxNorm"), ("NonNeg", "NonNeg"), ("unit_norm", "UnitNorm")],
)
def test_get_by_name(name, cls):
    assert type(constraints.get(name)).__name__ == cls
    assert constraints.get(None) is None


def test_a_wrong_name_gets_a_hint():
    with pytest.raises(ValueError, match=r"'maxnorm'\. Did you mean 'm.*norm'"):
        constraints.get("maxnorm")


def test_the_base_class_leaves_weights_as_they_are():
    w = np.array([-1.0, 2.0], "float32")
    np.testing.assert_array_equal(constraints.Constraint()(w), w)

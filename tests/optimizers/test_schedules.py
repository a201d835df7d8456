"""Learning-rate schedules against Keras's own, as numbers, arrays and graphs."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.optimizers import schedules

STEPS = [0, 1, 2, 3, 5, 7, 10, 11, 15, 20, 21, 33]

CASES = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}),
    ("ExponentialDecay", (0.1, 4, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 10, 0.5), {}),
    ("InverseTimeDecay", (0.1, 4, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([2, 10, 15], [1.0, 0.5, 0.25, 0.1]), {}),
    ("PolynomialDecay", (0.1, 10), {}),
    ("PolynomialDecay", (0.1, 10, 0.01), {"power": 2.0}),
    ("PolynomialDecay", (0.1, 10, 0.01), {"power": 0.5, "cycle": True}),
    ("CosineDecay", (0.1, 10), {}),
    ("CosineDecay", (0.1, 10, 0.2), {"warmup_target": 0.5, "warmup_steps": 5}),
    ("CosineDecay", (0.1, 10, 0.2), {"warmup_target": 0.5}),
    ("CosineDecayRestarts", (0.1, 5), {}),
    ("CosineDecayRestarts", (0.1, 5, 1.0, 0.5, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 3, 1.5, 0.9), {}),
]
NAMES = sorted({name for name, *_ in CASES})


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=str)
def test_values_are_those_of_keras(keras, name, args, kwargs):
    ours = getattr(schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    wanted = [float(theirs(step)) for step in STEPS]
    found = [ours(step) for step in STEPS]
    assert {np.asarray(rate).dtype for rate in found} == {np.dtype("float32")}
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-8)
    step = K.placeholder((), dtype="int32")
    graph = K.function([step], [ours(step)])
    np.testing.assert_allclose(
        [graph([np.int32(s)])[0] for s in STEPS], found, rtol=1e-6
    )


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=str)
def test_configs_go_both_ways(keras, name, args, kwargs):
    ours = getattr(schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    config = schedules.serialize(ours)
    assert config == keras.optimizers.schedules.serialize(theirs)
    again = schedules.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    def arguments(cls):
        return {p.name: p.default for p in inspect.signature(cls).parameters.values()}

    own = arguments(getattr(schedules, name))
    own["name"] = own["name"] or name
    assert own == arguments(getattr(keras.optimizers.schedules, name))


def test_decay_takes_time():
    with pytest.raises(ValueError, match="`decay_steps` must be > 0"):
        schedules.CosineDecay(0.1, 0)


def test_pieces_need_one_boundary_less():
    with pytest.raises(ValueError, match="1 less than the length of values"):
        schedules.PiecewiseConstantDecay([1, 2], [1.0, 2.0])


def test_a_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="must override `__call__"):
        schedules.LearningRateSchedule()(0)

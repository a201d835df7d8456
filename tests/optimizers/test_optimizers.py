"""All optimizers against Keras's own, many steps from the same weights."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import constraints, optimizers

STEPS = 7
SHAPES = {"kernel": (3, 4), "bias": (4,), "gain": ()}

# Name of the class and its arguments.
CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adam", {"amsgrad": True, "beta_2": 0.5}),
    ("AdamW", {"weight_decay": 0.1}),
    ("Adamax", {"learning_rate": 0.02}),
    ("Nadam", {"learning_rate": 0.02}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "epsilon": 1e-2}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 1.0}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.1,
        },
    ),
    ("Lion", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.02}),
    ("Lamb", {"learning_rate": 0.02, "beta_1": 0.5, "epsilon": 1e-2}),
    ("Adafactor", {"learning_rate": 0.5}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.1, "beta_2_decay": -0.5}),
    ("Muon", {"learning_rate": 0.05}),
    (
        "Muon",
        {
            "learning_rate": 0.05,
            "nesterov": False,
            "rms_rate": None,
            "adam_lr_ratio": 0.5,
            "adam_weight_decay": None,
            "exclude_layers": ["bias"],
        },
    ),
    ("Muon", {"exclude_layers": ["kernel"], "learning_rate": 0.05}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.02}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.02, "warmup_steps": 4, "beta_1": 0.7}),
]
# What all of them share, on some of them.
COMMON = [
    ("SGD", {"clipnorm": 0.5}),
    ("Adam", {"clipvalue": 0.2}),
    ("SGD", {"global_clipnorm": 0.7, "momentum": 0.5}),
    ("SGD", {"weight_decay": 0.1}),
    ("SGD", {"loss_scale_factor": 4.0}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.7}),
    ("RMSprop", {"use_ema": True, "centered": True}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3}),
    ("SGD", {"gradient_accumulation_steps": 3, "momentum": 0.9}),
    ("Adam", {"gradient_accumulation_steps": 2, "clipnorm": 1.0, "use_ema": True}),
    ("Nadam", {"gradient_accumulation_steps": 2}),
    ("Adafactor", {"gradient_accumulation_steps": 2, "use_ema": True}),
    ("Muon", {"gradient_accumulation_steps": 2, "clipnorm": 0.5}),
    ("ScheduleFreeAdamW", {"weight_decay": 0.1, "global_clipnorm": 0.5}),
]
NAMES = sorted({name for name, _ in CASES})


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def weights(rng):
    return {name: np.float32(rng.normal(size=shape)) for name, shape in SHAPES.items()}


def made(room, values):
    """Return variables of these values, the kernel and bias of a layer among them."""
    variables = []
    for name, value in values.items():
        with room.name_scope("dense"):
            variables.append(room.Variable(value, name=name))
    return variables


def gradients(rng, step):
    shapes = SHAPES.values()
    return [np.float32(rng.normal(size=shape) * (1 + step % 3)) for shape in shapes]


@pytest.mark.parametrize(("name", "kwargs"), CASES + COMMON, ids=str)
def test_many_steps_are_those_of_keras(keras, rng, name, kwargs):
    start = weights(rng)
    ours = getattr(optimizers, name)(name="opt", **kwargs)
    theirs = getattr(keras.optimizers, name)(name="opt", **kwargs)
    own, other = made(K, start), made(keras, start)
    own[1].constraint = constraints.MaxNorm(1.0)
    other[1].constraint = keras.constraints.MaxNorm(1.0)
    for step in range(STEPS):
        grads = gradients(rng, step)
        ours.apply(grads, own)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], other)
    compare(ours.variables, theirs.variables)
    compare(own, other)
    ours.finalize_variable_values(own)
    theirs.finalize_variable_values(other)
    compare(own, other)


def compare(own, other):
    for ours, theirs in zip(own, other, strict=True):
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), rtol=1e-4, atol=2e-6, err_msg=ours.path
        )


@pytest.mark.parametrize(("name", "kwargs"), CASES + COMMON, ids=str)
def test_a_traced_step_does_what_apply_does(rng, name, kwargs):
    start = weights(rng)
    plain, traced = (getattr(optimizers, name)(**kwargs) for _ in range(2))
    own, other = made(K, start), made(K, start)

    @K.function
    def step(grads):
        traced.apply(grads, other)
        return K.sum(grads[0])

    for i in range(4):
        grads = gradients(rng, i)
        plain.apply(grads, own)
        step(grads)
    for a, b in zip(plain.variables + own, traced.variables + other, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_paths_order_and_dtypes_are_those_of_keras(keras, rng, name):
    kwargs = dict(CASES)[name]  # the last case: with most slots
    start = weights(rng)
    ours = getattr(optimizers, name)(name="opt", **kwargs)
    theirs = getattr(keras.optimizers, name)(name="opt", **kwargs)
    ours.build(made(K, start))
    theirs.build(made(keras, start))
    found = [(v.path, v.dtype, v.shape) for v in ours.variables]
    wanted = [(v.path, v.dtype, v.shape) for v in theirs.variables]
    if name == "Nadam":  # its last one has an automatic name
        found, wanted = found[:-1], wanted[:-1]
    if name == "Adafactor":  # those of no use lie in the scope around
        wanted = [(f"opt/{p.removeprefix('opt/')}", *rest) for p, *rest in wanted]
    assert found == wanted
    assert not any(v.trainable for v in ours.variables)


@pytest.mark.parametrize(("name", "kwargs"), CASES + COMMON, ids=str)
def test_configs_go_both_ways(keras, name, kwargs):
    ours = getattr(optimizers, name)(**kwargs, name="mine")
    theirs = getattr(keras.optimizers, name)(**kwargs, name="mine")
    config = optimizers.serialize(ours)
    assert config == keras.optimizers.serialize(theirs)
    again = optimizers.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    if name != "Lamb":  # which Keras has not entered in its list
        assert type(keras.optimizers.deserialize(config)).__name__ == name


class TestGet:
    @pytest.mark.parametrize("name", ["adam", "Adam", "ADAM"])
    def test_by_name_in_any_case(self, name):
        assert type(optimizers.get(name)) is optimizers.Adam

    def test_by_config_class_or_itself(self):
        config = {"class_name": "sgd", "config": {"momentum": 0.5}}
        assert optimizers.get(config).momentum == 0.5
        assert type(optimizers.get(optimizers.Lion)) is optimizers.Lion
        assert optimizers.get(None) is None
        optimizer = optimizers.SGD()
        assert optimizers.get(optimizer) is optimizer

    def test_a_wrong_name_gets_a_hint(self):
        message = r"interpret optimizer identifier: 'adm'\. Did you mean 'adam'\?"
        with pytest.raises(ValueError, match=message):
            optimizers.get("adm")

    def test_a_function_is_no_optimizer(self):
        with pytest.raises(ValueError, match="optimizer identifier"):
            optimizers.get(np.sum)

"""Looking initializers up, their configs, and what all of them promise."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import initializers
from minikeras.initializers import Initializer

CLASSES = {
    name: getattr(initializers, name)
    for name in initializers.__all__
    if inspect.isclass(getattr(initializers, name))
    and name == getattr(initializers, name).__name__
    and name not in ("Initializer", "RandomInitializer")
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    ours = inspect.signature(CLASSES[name]).parameters.values()
    theirs = inspect.signature(getattr(keras.initializers, name)).parameters.values()
    assert [(p.name, p.default) for p in ours if p.kind != p.VAR_KEYWORD] == [
        (p.name, p.default) for p in theirs if p.kind not in (p.VAR_KEYWORD, 2)
    ]


@pytest.mark.parametrize("name", CLASSES)
def test_configs_are_those_of_keras_and_come_back(keras, name):
    ours = CLASSES[name]()
    config = initializers.serialize(ours)
    theirs = keras.initializers.serialize(getattr(keras.initializers, name)())
    if name == "Identity":  # Keras 3.15 forgets the gain
        theirs["config"] = {"gain": 1.0}
    assert config == theirs
    again = initializers.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    theirs = keras.initializers.deserialize(config)
    assert type(theirs).__name__ == name


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_shape_and_dtype_are_those_asked_for(name, dtype):
    shape = (4, 1, 6) if name == "STFT" else (4, 6)
    made = CLASSES[name]()(shape, dtype=dtype)
    assert made.shape == shape
    assert made.dtype == dtype
    assert CLASSES[name]()(shape).dtype == "float32"


@pytest.mark.parametrize("name", CLASSES)
def test_the_same_object_gives_the_same_values(name):
    initializer, shape = CLASSES[name](), (3, 1, 3) if name == "STFT" else (3, 3)
    np.testing.assert_array_equal(initializer(shape), initializer(shape))


def test_every_initializer_of_keras_is_here(keras):
    theirs = {n for n in dir(keras.initializers) if not n.startswith("_")}
    assert theirs <= set(initializers.__all__)
    aliases = {name for name in theirs if name.endswith("Initializer")}
    aliases -= {"Initializer"}
    assert all(initializers.get(alias) for alias in aliases)


class TestGet:
    @pytest.mark.parametrize(
        ("name", "cls"),
        [
            ("glorot_uniform", initializers.GlorotUniform),
            ("GlorotUniform", initializers.GlorotUniform),
            ("he_normal", initializers.HeNormal),
            ("zeros", initializers.Zeros),
            ("zero", initializers.Zeros),
            ("normal", initializers.RandomNormal),
            ("uniform", initializers.RandomUniform),
        ],
    )
    def test_by_name(self, name, cls):
        assert type(initializers.get(name)) is cls

    def test_by_config_class_function_or_itself(self):
        config = {"class_name": "constant", "config": {"value": 3.0}}
        assert initializers.get(config).value == 3.0
        assert type(initializers.get(initializers.Ones)) is initializers.Ones
        assert initializers.get(np.ones) is np.ones
        assert initializers.get(None) is None
        zeros = initializers.Zeros()
        assert initializers.get(zeros) is zeros

    def test_an_array_yields_itself_in_its_shape(self):
        given = np.arange(6.0).reshape(2, 3)
        initializer = initializers.get(given)
        np.testing.assert_array_equal(initializer((2, 3), "float32"), given)
        with pytest.raises(ValueError, match=r"Expected `shape` to be \(2, 3\)"):
            initializer((3, 2))

    def test_a_wrong_name_gets_a_hint(self):
        with pytest.raises(ValueError, match=r"'glorot'\. Did you mean '.*orot"):
            initializers.get("glorot")
        with pytest.raises(ValueError, match="initializer identifier: 3"):
            initializers.get(3)

    def test_a_users_class(self):
        @K.register_keras_serializable("tests")
        class Threes(Initializer):
            def __init__(self, more=0):
                self.more = more

            def __call__(self, shape, dtype=None):
                return K.ones(shape, dtype) * (3 + self.more)

        config = initializers.serialize(Threes(more=1))
        assert config["registered_name"] == "tests>Threes"
        assert initializers.get(config)((1,), "float32")[0] == 4
        del K.get_custom_objects()["tests>Threes"]


def test_a_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="__call__"):
        Initializer()((2, 2))

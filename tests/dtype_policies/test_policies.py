"""Dtype policies beside Keras's: what names mean, maps, errors, layers with them."""

import numpy as np
import pytest

from minikeras import config, dtype_policies, layers, models
from minikeras.dtype_policies import (
    AWQDTypePolicy,
    DTypePolicy,
    DTypePolicyMap,
    FloatDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

NAMES = [
    "float32",
    "float16",
    "bfloat16",
    "float64",
    "int8",
    "mixed_float16",
    "mixed_bfloat16",
    "int8_from_float32",
    "int8_from_mixed_bfloat16",
    "int4_from_float32",
    "int4/-1_from_float32",
    "int4/128_from_mixed_float16",
    "float8_from_mixed_bfloat16",
    "gptq/4/128_from_float32",
    "awq/4/-1_from_float32",
]
WRONG = [
    "mixed_bfloat15",
    "",
    "int8_abc",
    "int8_from_",
    "int8_from_float16",
    "int4/0_from_float32",
    "int4/a_from_float32",
    "int4/2/3_from_float32",
    "gptq/5/128_from_float32",
    "gptq/4/0_from_float32",
    "gptq/4_from_float32",
    "gptq/a/1_from_float32",
    "awq/8/128_from_float32",
    "awq/4/-2_from_float32",
    123,
]


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.fixture(autouse=True)
def unset():
    yield
    config.set_dtype_policy("float32")


def told(policy):
    return (
        type(policy).__name__,
        policy.name,
        policy.compute_dtype,
        policy.variable_dtype,
        policy.quantization_mode,
        policy.get_config(),
        repr(policy),
    )


@pytest.mark.parametrize("name", [n for n in NAMES if n != "int8"])
def test_names_mean_what_they_mean_in_keras(keras, name):
    ours, theirs = dtype_policies.get(name), keras.dtype_policies.get(name)
    assert told(ours) == told(theirs)
    written = dtype_policies.serialize(ours)
    assert written == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(written) == ours
    assert dtype_policies.get(written) == ours


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_those_of_keras(keras, name):
    with pytest.raises((TypeError, ValueError)) as wanted:
        keras.dtype_policies.get(name)
    with pytest.raises(wanted.type) as found:
        dtype_policies.get(name)
    assert str(found.value) == str(wanted.value)


def test_equal_if_they_say_the_same():
    assert DTypePolicy("float16") == FloatDTypePolicy("float16")
    assert DTypePolicy("float16") != DTypePolicy("float32")
    assert DTypePolicy("float32") != "float32"
    assert Int4DTypePolicy("int4/2", "float32") != Int4DTypePolicy("int4/4", "float32")
    assert QuantizedDTypePolicy("int4") != Int4DTypePolicy("int4/-1")
    eight = QuantizedFloat8DTypePolicy("float8", amax_history_length=8)
    assert eight != QuantizedFloat8DTypePolicy("float8")
    assert eight == QuantizedFloat8DTypePolicy.from_config(eight.get_config())
    assert len({DTypePolicy("float16"), FloatDTypePolicy("float16")}) == 1
    assert GPTQDTypePolicy("gptq/4/8").weight_bits == 4
    assert AWQDTypePolicy("awq/4/8").group_size == 8


class TestGlobal:
    def test_layers_follow_it(self):
        config.set_dtype_policy("mixed_float16")
        layer = layers.Dense(2)
        assert repr(config.dtype_policy()) == '<DTypePolicy "mixed_float16">'
        assert layers.Dense(2, dtype="float32").compute_dtype == "float32"
        assert layer(np.ones((1, 3), "float32")).dtype == np.float16
        assert layer.kernel.dtype == layer.variable_dtype == "float32"
        assert DTypePolicy().name == "mixed_float16"

    def test_unset_it_is_floatx(self):
        from minikeras import backend as K

        K.clear_session()
        config.set_floatx("float64")
        try:
            assert config.dtype_policy().name == "float64"
            assert layers.Dense(1).compute_dtype == "float64"
        finally:
            config.set_floatx("float32")

    def test_it_must_be_one(self):
        with pytest.raises(ValueError, match="Invalid `policy` argument"):
            config.set_dtype_policy(3)


class TestMap:
    def test_paths_then_patterns_then_the_default(self, keras):
        found = []
        for room in (dtype_policies, keras.dtype_policies):
            policies = room.DTypePolicyMap(default_policy=room.DTypePolicy("float64"))
            policies["encoder/a"] = "bfloat16"
            policies["encoder/.*"] = room.DTypePolicy("float16")
            policies["head"] = "int8_from_mixed_bfloat16"
            paths = ("encoder/a", "encoder/b", "head", "head/c", "x")
            names = [policies[path].name for path in paths]
            policies["encoder/b.*"] = "float32"
            with pytest.raises(ValueError, match="matches multiple dtype") as clash:
                policies["encoder/b"]
            with pytest.raises(ValueError, match="already exist") as taken:
                policies["head"] = "float32"
            with pytest.raises(ValueError, match="Cannot interpret") as wrong:
                policies["y"] = 3
            found.append((names, policies.name, *map(str, (clash, taken, wrong))))
            written = room.serialize(policies)
            again = room.deserialize(written)
            assert again["head"] == policies["head"]
            found[-1] += (written, len(again), list(again))
        assert found[0] == found[1]

    def test_without_a_default_all_follow_the_global_policy(self, keras):
        written = []
        for room in (dtype_policies, keras.dtype_policies):
            policies = room.DTypePolicyMap()
            policies["a"] = "float16"
            policies["b"] = "int8_from_mixed_bfloat16"
            written.append(room.serialize(policies))
        assert written[0] == written[1]
        config.set_dtype_policy("mixed_bfloat16")
        again = dtype_policies.deserialize(written[0])
        assert again["a"].name == again.default_policy.name == "mixed_bfloat16"
        assert again["b"].name == "int8_from_mixed_bfloat16"

    def test_a_layer_takes_the_policy_of_its_path(self):
        policies = DTypePolicyMap(policy_map={"outer/inner": DTypePolicy("float16")})

        class Outer(layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.inner = layers.Dense(2, dtype=self.dtype_policy, name="inner")

            def build(self, input_shape):
                self.inner.build(input_shape)

            def call(self, x):
                return self.inner(x)

        outer = Outer(dtype=policies, name="outer")
        assert outer(np.ones((1, 3), "float32")).dtype == np.float16
        assert outer.inner.path == "outer/inner"
        assert (outer.compute_dtype, outer.inner.compute_dtype) == (
            "float32",
            "float16",
        )

    def test_what_is_no_map(self):
        with pytest.raises(ValueError, match="cannot be a `DTypePolicyMap`"):
            DTypePolicyMap(DTypePolicyMap())
        with pytest.raises(TypeError, match="must be a dict"):
            DTypePolicyMap(policy_map=3)


class TestConvertInput:
    def test_floats_are_cast_and_nothing_else(self):
        policy = DTypePolicy("mixed_float16")
        x = np.ones(2, "float32")
        assert policy.convert_input(x, True, "float16").dtype == np.float16
        assert policy.convert_input(x, False, "float16").dtype == np.float32
        assert (
            policy.convert_input(np.ones(2, "int32"), True, "float16").dtype == "int32"
        )
        assert policy.convert_input("text", True, "float16") == "text"


def test_mixed_bfloat16_computes_in_it():
    pytest.importorskip("ml_dtypes")
    layer = layers.Dense(2, dtype="mixed_bfloat16", activation="relu")
    y = layer(np.ones((1, 3), "float32"))
    assert (str(y.dtype), layer.kernel.dtype) == ("bfloat16", "float32")


def test_mixed_bfloat16_trains(rng):
    pytest.importorskip("ml_dtypes")
    config.set_dtype_policy("mixed_bfloat16")
    model = models.Sequential(
        [layers.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(1, dtype="float32")]
    )
    model.compile("adam", "mse")
    assert type(model.optimizer).__name__ == "Adam"  # no loss scale is needed
    x = np.float32(rng.normal(size=(64, 4)))
    history = model.fit(x, x[:, :1], epochs=3, batch_size=8, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < losses[0]
    assert {w.dtype for w in model.weights} == {"float32"}

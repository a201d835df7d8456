"""Models against real Keras: structure, numbers, names, configs, errors."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras import layers
from minikeras.models import Functional, Model, Sequential


def two_branches(keras: ModuleType) -> Any:
    """Return a model with a shared layer, two inputs and two outputs."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = keras.layers.Dense(4, activation="tanh", name="shared")
    joined = keras.layers.Concatenate(name="joined")([shared(a), shared(b)])
    return keras.Model(
        [a, b], [keras.layers.Dense(2, name="out")(joined), joined], name="two"
    )


def deep(keras: ModuleType) -> Any:
    inner = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dense(4),
        ],
        name="inner",
    )
    x = keras.Input((6,), name="x")
    return keras.Model(x, keras.layers.Dense(1, name="head")(inner(x)), name="deep")


@pytest.mark.parametrize("make", [two_branches, deep])
def test_numbers_names_and_order_are_keras(
    make: Any, keras: ModuleType, rng: np.random.Generator
) -> None:
    K.clear_session()
    keras.utils.clear_session()
    ours, theirs = make(minikeras), make(keras)
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert [layer.name for layer in ours.layers] == [
        layer.name for layer in theirs.layers
    ]
    theirs.set_weights([rng.standard_normal(w.shape) for w in ours.weights])
    ours.set_weights(theirs.get_weights())
    inputs = [
        rng.standard_normal((5, *x.shape[1:])).astype("float32") for x in ours.inputs
    ]
    given = inputs if len(inputs) > 1 else inputs[0]
    mine, wanted = K.tree.flatten(ours(given)), K.tree.flatten(theirs(given))
    assert len(mine) == len(wanted)
    for y, want in zip(mine, wanted, strict=True):
        np.testing.assert_allclose(y, np.asarray(want), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [two_branches, deep])
def test_a_model_survives_its_config(make: Any, rng: np.random.Generator) -> None:
    model = make(minikeras)
    config = model.get_config()
    again = Model.from_config(config)
    assert isinstance(again, Functional)
    assert again.get_config() == config
    again.set_weights(model.get_weights())
    inputs = [
        rng.standard_normal((2, *x.shape[1:])).astype("float32") for x in model.inputs
    ]
    given = inputs if len(inputs) > 1 else inputs[0]
    for y, want in zip(
        K.tree.flatten(again(given)), K.tree.flatten(model(given)), strict=True
    ):
        np.testing.assert_array_equal(y, want)


@pytest.mark.parametrize("make", [two_branches, deep])
def test_the_config_is_keras(make: Any, keras: ModuleType) -> None:
    import json

    K.clear_session()
    keras.utils.clear_session()
    ours = json.loads(json.dumps(make(minikeras).get_config()))
    theirs = json.loads(json.dumps(make(keras).get_config(), default=str))
    assert list(ours) == list(theirs)
    assert ours["input_layers"] == theirs["input_layers"]
    assert ours["output_layers"] == theirs["output_layers"]
    for mine, wanted in zip(ours["layers"], theirs["layers"], strict=True):
        assert mine["class_name"] == wanted["class_name"]
        assert mine["name"] == wanted["name"]
        for node in wanted["inbound_nodes"]:
            node["kwargs"] = {k: v for k, v in node["kwargs"].items() if v is not None}
        assert mine["inbound_nodes"] == wanted["inbound_nodes"]


def test_sequential_builds_at_its_first_call() -> None:
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    assert model.weights == []
    assert model(np.ones((4, 5), "float32")).shape == (4, 2)
    assert [w.shape for w in model.weights] == [(5, 3), (3,), (3, 2), (2,)]
    assert model(np.ones((7, 5), "float32")).shape == (7, 2)


def test_sequential_can_grow_and_shrink() -> None:
    model = Sequential([layers.Input((4,))])
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    model.pop()
    assert model.output_shape == (None, 3)
    assert len(model.layers) == 1


def test_sequential_survives_its_config() -> None:
    model = Sequential([layers.Input((4,)), layers.Dense(3, activation="relu")])
    again = Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    open_model = Sequential([layers.Dense(3)])
    assert not Sequential.from_config(open_model.get_config()).built


def test_plain_operations_are_layers_of_a_model(rng: np.random.Generator) -> None:
    x = layers.Input((3,))
    h = layers.Dense(3)(x)
    model = Model(x, h * 2.0 + x)
    value = rng.standard_normal((4, 3)).astype("float32")
    want = model.layers[1](value) * 2 + value
    np.testing.assert_allclose(model(value), want, rtol=1e-6)


def test_a_model_of_inner_tensors_shares_the_layers(rng: np.random.Generator) -> None:
    model = Sequential(
        [layers.Input((6,)), layers.Dense(4, name="first"), layers.Dense(1)]
    )
    features = Model(model.inputs, model.get_layer("first").output)
    value = rng.standard_normal((2, 6)).astype("float32")
    np.testing.assert_array_equal(features(value), model.get_layer("first")(value))
    assert features.weights[0] is model.weights[0]


def test_subclassed_models_find_layers_in_lists_and_dicts() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [layers.Dense(4), layers.Dense(3)]
            self.heads = {"mean": layers.Dense(1)}

        def call(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.heads["mean"](x)

    model = Net()
    assert model(np.ones((2, 5), "float32")).shape == (2, 1)
    assert [w.shape for w in model.weights] == [
        (5, 4),
        (4,),
        (4, 3),
        (3,),
        (3, 1),
        (1,),
    ]
    assert len(model.layers) == 3


def test_a_subclass_may_pass_a_graph_on() -> None:
    class Graph(Model):
        def __init__(self, units: int) -> None:
            x = layers.Input((2,))
            super().__init__(x, layers.Dense(units)(x))

    model = Graph(3)
    assert isinstance(model, Functional)
    assert model(np.ones((1, 2), "float32")).shape == (1, 3)


def test_inputs_may_come_as_a_dict(rng: np.random.Generator) -> None:
    model = two_branches(minikeras)
    a, b = (rng.standard_normal((2, 3)).astype("float32") for _ in range(2))
    for y, want in zip(model({"b": b, "a": a}), model([a, b]), strict=True):
        np.testing.assert_array_equal(y, want)


def test_trainable_reaches_all_layers() -> None:
    model = deep(minikeras)
    model.get_layer("inner").trainable = False
    assert [w.path.split("/")[-2] for w in model.trainable_weights] == ["head", "head"]
    assert len(model.non_trainable_weights) == 4
    model.trainable = False
    assert model.trainable_weights == []
    model.trainable = True
    assert len(model.trainable_weights) == 6


def test_errors_name_the_model_and_what_was_wanted() -> None:
    model = Sequential([layers.Input((3,)), layers.Dense(2)], name="net")
    with pytest.raises(ValueError, match=r"expected.*3.*found shape=\(2, 5\)"):
        model(np.ones((2, 5), "float32"))
    with pytest.raises(ValueError, match="expects 2 input"):
        two_branches(minikeras)(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="structure of `inputs` doesn't match"):
        two_branches(minikeras)({"a": np.ones((2, 3), "float32")})
    with pytest.raises(ValueError, match=r"No such layer: x\. Existing layers are"):
        model.get_layer("x")
    with pytest.raises(ValueError, match="unique names"):
        Sequential([layers.Dense(1, name="d"), layers.Dense(1, name="d")])
    with pytest.raises(ValueError, match="is a function"):
        Sequential([layers.Dense(1), abs])


def test_unconnected_models_are_refused() -> None:
    a, b = layers.Input((2,), name="first"), layers.Input((2,), name="second")
    with pytest.raises(ValueError, match="second"):
        Model(a, layers.Dense(1)(b))
    with pytest.raises(ValueError, match="must be KerasTensors"):
        Model(a, np.ones(3))
    with pytest.raises(ValueError, match="does not depend on any model input"):
        Model(a, K.placeholder(shape=(None, 2)) * 2.0)


def test_a_subclass_is_built_for_a_shape() -> None:
    class Two(Model):
        def __init__(self) -> None:
            super().__init__(name="two")
            self.a = layers.Dense(4, name="a")
            self.b = layers.Dense(1, name="b")

        def call(self, x: Any) -> Any:
            return self.b(self.a(x))

    model = Two()
    model.build((None, 3))
    assert model.built
    shapes = {w.path: w.shape for w in model.weights}
    kernels, biases = {"two/a/kernel": (3, 4)}, {"two/a/bias": (4,)}
    assert shapes == kernels | biases | {"two/b/kernel": (4, 1), "two/b/bias": (1,)}
    before = model.get_weights()
    model(np.ones((2, 3), "float32"))
    for weight, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


class Shift(layers.Layer):
    """Adds its second input, where there is one."""

    def call(self, x: Any, by: Any = None) -> Any:
        return x if by is None else x + by


def test_an_optional_input_may_be_none_and_no_other() -> None:
    x, by = layers.Input((2,), name="x"), layers.Input((2,), name="by", optional=True)
    model = Model({"x": x, "by": by}, Shift()(x, by))
    ones = np.ones((3, 2), "float32")
    np.testing.assert_array_equal(model({"x": ones, "by": None}), ones)
    np.testing.assert_array_equal(model({"x": ones, "by": ones}), 2 * ones)
    with pytest.raises(ValueError, match="'x' is not optional"):
        model({"x": None, "by": ones})


def test_inputs_in_another_nesting_are_taken_with_a_warning_or_refused() -> None:
    first, second = layers.Input((2,)), layers.Input((2,))
    by_key = {"first": first, "second": second}
    model = Model(by_key, layers.Subtract()([first, second]))
    ones, zeros = np.ones((3, 2), "float32"), np.zeros((3, 2), "float32")
    with pytest.warns(UserWarning, match="structure of `inputs`"):
        np.testing.assert_array_equal(model([ones, zeros]), ones)
    given = {"another": zeros, "first": ones, "second": zeros}
    with pytest.warns(UserWarning, match="structure of `inputs`"):
        np.testing.assert_array_equal(model(given), ones)
    with pytest.raises(ValueError, match='Missing data for input "second"'):
        model({"first": ones})
    unsorted = Model({"b": first, "a": second}, layers.Subtract()([first, second]))
    with pytest.raises(ValueError, match="structure of `inputs`"):
        unsorted([ones, zeros])


def test_a_part_of_a_model_starts_with_an_input_of_its_own() -> None:
    x = layers.Input((2,))
    hidden = layers.Dense(3, name="hidden")(x)
    last = layers.Dense(4, name="last")
    part = Model(hidden, last(hidden))
    assert [type(layer).__name__ for layer in part.layers] == ["InputLayer", "Dense"]
    assert part.layers[1] is last
    data = np.ones((5, 3), "float32")
    np.testing.assert_allclose(part(data), last(data), rtol=1e-6)


def test_each_input_is_brought_to_its_own_dtype() -> None:
    half, whole = layers.Input((2,), dtype="float16"), layers.Input((2,), dtype="int32")
    model = Model((half, whole), (half + 2, whole + 2))
    found = model((np.ones((1, 2)), np.ones((1, 2))))
    assert [y.dtype.name for y in found] == ["float16", "int32"]


def test_the_state_of_a_model_is_a_tree_that_can_be_put_back() -> None:
    model = Sequential([layers.Input((2,)), layers.Dense(1, name="d")], name="m")
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    state = model.get_state_tree("numpy_array")
    kernel = state["trainable_variables"]["m"]["d"]["kernel"]
    np.testing.assert_array_equal(kernel, model.get_weights()[0])
    assert state["optimizer_variables"]["adam"]["iteration"] == 1
    assert set(state["metrics_variables"]["loss"]) == {"total", "count"}
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    model.set_state_tree({"trainable_variables": {"m": {"d": {"kernel": kernel}}}})
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    with pytest.raises(ValueError, match="Unknown variable name: weights"):
        model.set_state_tree({"weights": {}})


def test_a_row_of_layers_takes_a_nesting_and_refuses_a_second_shape() -> None:
    class Both(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs["a"] + inputs["b"]

    ones = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(
        Sequential([Both()])({"a": ones, "b": ones}), 2 * ones
    )
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.build((None, 2))
    with pytest.raises(ValueError, match="already been configured"):
        model.build((None, 4))
    with pytest.raises(ValueError, match="has no layers"):
        Sequential()(ones)


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_output_in_a_list_comes_alone(keras: ModuleType, kind: type) -> None:
    x = np.ones((2, 3), "float32")
    for library in (minikeras, keras):
        inputs = library.Input((3,))
        model = library.Model(inputs, kind([library.layers.Dense(2)(inputs)]))
        assert np.shape(model(x)) == np.shape(model.predict(x, verbose=0)) == (2, 2)


def test_a_trained_model_comes_out_of_a_pickle_as_it_was() -> None:
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model = Sequential([layers.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def told_training(k: Any) -> list[Any]:
    """What becomes of `training` given to layers of a model, when it is called."""
    x = np.full((4, 3), 2.0, "float32")
    found = []
    for given in (True, False):
        inputs = k.Input((3,))
        norm = k.layers.BatchNormalization(momentum=0.5)
        model = k.Model(inputs, norm(inputs, training=given))
        for told in (None, True, False):
            model(x, training=told)
            found.append(np.asarray(norm.moving_mean)[0])
    return found


def test_what_a_model_is_told_of_training_goes_before_what_its_layers_were(
    keras: ModuleType,
) -> None:
    np.testing.assert_allclose(told_training(minikeras), told_training(keras))


def test_only_a_compiled_model_has_an_optimizer() -> None:
    model = Sequential([layers.Dense(1)])
    assert not hasattr(model, "optimizer")
    model.compile("sgd", "mse")
    assert model.optimizer.name == "sgd"

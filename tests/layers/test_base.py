"""What every layer does, whatever it computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from minikeras.layers import (
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Identity,
    Input,
    InputSpec,
    Lambda,
    Layer,
    Masking,
)

X = np.arange(6.0, dtype="float32").reshape(2, 3)


class Scale(Layer):
    """inputs * factor, with a count of how often `call` is traced."""

    def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self._traces = 0

    def build(self, input_shape):
        self.factor = self.add_weight(
            name="factor", initializer=always(self.start), regularizer="l2"
        )

    def call(self, inputs):
        self._traces += 1
        return inputs * self.factor


def always(value):
    return lambda shape, dtype: np.full(shape, value, dtype)


class Block(Layer):
    """Two dense layers, one of them in a list."""

    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = Dense(units, name="first", kernel_regularizer="l1")
        self.rest = [Dense(1, name="second")]

    def call(self, inputs):
        x = self.first(inputs)
        self.add_loss(K.sum(x))
        return self.rest[0](x)


# -- calling ---------------------------------------------------------------------------


def test_on_arrays_it_returns_arrays():
    layer = Scale(2.0)
    y = layer(X)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y, 2 * X)


def test_on_symbols_it_returns_a_symbol():
    y = Scale()(Input((3,)))
    assert isinstance(y, K.Tensor)
    assert y.shape == (None, 3)


def test_on_a_variable_it_computes_at_once():
    assert isinstance(Scale()(K.variable(X)), np.ndarray)


def test_call_is_traced_once_for_each_shape():
    layer = Scale()
    layer(X)
    layer(X + 1)
    assert layer._traces == 1
    layer(X[:1])
    assert layer._traces == 2


def test_a_new_value_of_a_weight_is_used():
    layer = Scale(2.0)
    layer(X)
    layer.factor.assign(3.0)
    np.testing.assert_allclose(layer(X), 3 * X)


def test_a_new_value_of_an_attribute_is_used():
    layer = Dropout(0.0)
    np.testing.assert_array_equal(layer(X, training=True), X)
    layer.rate = 1.0
    np.testing.assert_array_equal(layer(X, training=True), 0 * X)


def test_it_can_be_part_of_a_traced_function():
    layer = Scale(2.0)
    double_twice = K.function(lambda x: layer(layer(x)))
    np.testing.assert_allclose(double_twice(X), 4 * X)


def test_float64_is_computed_in_floatx_unless_the_layer_says_otherwise():
    wide = X.astype("float64")
    assert Dense(2)(wide).dtype == "float32"
    assert Dense(2, dtype="float64")(X).dtype == "float64"
    assert Identity(autocast=False)(wide).dtype == "float64"


def test_integers_are_not_cast():
    assert Identity()(np.array([[1, 2]])).dtype == np.array([1]).dtype


class TwoInputs(Layer):
    """Builds from both shapes, which it names."""

    def build(self, query_shape, value_shape):
        self.sizes = (query_shape, value_shape)
        self.mix = self.add_weight((query_shape[-1], value_shape[-1]), name="mix")

    def call(self, query, value=None):
        return K.dot(query, self.mix) + value


def test_build_is_given_the_shapes_that_it_names():
    layer = TwoInputs()
    layer(X, value=np.ones((2, 2), "float32"))
    assert layer.sizes == ((2, 3), (2, 2))
    assert layer.get_build_config() == {
        "shapes_dict": {"query_shape": (2, 3), "value_shape": (2, 2)}
    }


def test_inputs_may_be_nested():
    class Total(Layer):
        def call(self, inputs):
            return inputs["a"] + inputs["b"][0]

    nested = {"a": X, "b": [X]}
    np.testing.assert_allclose(Total()(nested), 2 * X)
    assert Total().compute_output_shape({"a": (None, 3), "b": [(None, 3)]}) == (None, 3)


def test_call_without_its_arguments_says_what_is_missing():
    with pytest.raises(TypeError, match=r"Scale.call\(\).*inputs.*\(layer 'scale"):
        Scale()()


def test_a_layer_without_call_says_so():
    with pytest.raises(NotImplementedError, match="does not have a `call"):
        Layer()(X)


def test_a_forgotten_constructor_is_named():
    class Hasty(Layer):
        def __init__(self):
            self.size = 3

    with pytest.raises(RuntimeError, match="'Hasty', you forgot to call `super"):
        Hasty()(X)


def test_unknown_arguments_are_refused():
    with pytest.raises(
        ValueError, match=r"Unrecognized keyword arguments.*{'unit': 3}"
    ):
        Flatten(unit=3)


# -- errors ----------------------------------------------------------------------------

MISFITS = [
    ("Dense", {"units": 2}, (2, 3), (2, 4)),
    ("Dense", {"units": 2}, None, (4,)),
    ("Conv2D", {"filters": 2, "kernel_size": 2}, (1, 4, 4, 3), (1, 4, 4, 2)),
    ("Conv2D", {"filters": 2, "kernel_size": 2}, None, (4, 4, 3)),
    ("MaxPooling2D", {}, None, (2, 3)),
    ("BatchNormalization", {}, (2, 3), (2, 4)),
]


@pytest.mark.parametrize("name, args, built, given", MISFITS)
def test_inputs_that_do_not_fit_are_refused_in_keras_words(name, args, built, given):
    import keras

    messages = []
    for room in (keras.layers, layers):
        layer = getattr(room, name)(**args, name="mine")
        if built:
            layer(np.ones(built, "float32"))
        with pytest.raises(ValueError, match="incompatible") as error:
            layer(np.ones(given, "float32"))
        messages.append(str(error.value))
    lines = [line for line in messages[0].splitlines() if "incompatible" in line]
    assert lines == [messages[1]]


def test_an_error_below_names_the_layer():
    class Wrong(Layer):
        def call(self, inputs):
            return K.dot(inputs, K.ones((5, 2)))

    with pytest.raises(ValueError, match=r"matmul: inner sizes differ[^$]*'mine/"):
        Wrong(name="mine")(X)


def test_input_spec_compares_the_number_of_inputs():
    layer = layers.Add(name="mine")
    layer.input_spec = [InputSpec(ndim=2), InputSpec(ndim=2)]
    with pytest.raises(ValueError, match=r'"mine" expects 2 input\(s\), but.* 1 input'):
        layer([X])


# -- training --------------------------------------------------------------------------


class Phase(Layer):
    """Returns what `training` is."""

    def call(self, inputs, training=None):
        return inputs * 0 + (1.0 if training else 0.0)


class Outer(Layer):
    """Calls a layer without passing `training` on."""

    def __init__(self, inner: Layer, **given: Any) -> None:
        super().__init__()
        self.inner = inner
        self.given = given

    def call(self, inputs):
        return self.inner(inputs, **self.given)


def test_training_reaches_inner_layers():
    assert Outer(Phase())(X, training=True).all()
    assert not Outer(Phase())(X).any()


def test_an_explicit_value_of_training_wins():
    assert not Outer(Phase(), training=False)(X, training=True).any()
    assert Outer(Phase(), training=True)(X, training=False).all()


def test_the_learning_phase_is_the_default():
    layer = Outer(Phase())
    K.set_learning_phase(1)
    try:
        assert layer(X).all()
        assert not layer(X, training=False).any()
    finally:
        K.clear_session()
    assert not layer(X).any()


def test_the_signature_has_the_last_word():
    class On(Phase):
        def call(self, inputs, training=True):
            return super().call(inputs, training)

    assert On()(X).all()
    assert not Outer(On())(X, training=False).any()


def test_a_graph_that_is_merely_connected_follows_the_learning_phase():
    x = Input((3,))
    y = Dropout(1.0)(x)
    f = K.function([x, K.learning_phase()], [y])
    np.testing.assert_array_equal(f([X, 0])[0], X)
    np.testing.assert_array_equal(f([X, 1])[0], 0 * X)


# -- masks -----------------------------------------------------------------------------

IDS = np.array([[1, 2, 0], [3, 0, 0]])


def traced_mask(fn, *arrays):
    """Return the mask that the output of `fn` carries."""
    return K.function(lambda *x: fn(*x)._keras_mask)(*arrays)


def test_masks_pass_through_layers_that_support_them():
    embedding, dense = Embedding(5, 2, mask_zero=True), Dense(3)
    mask = traced_mask(lambda x: Dropout(0.5)(dense(embedding(x))), IDS)
    np.testing.assert_array_equal(mask, IDS != 0)


def test_masks_reach_call():
    embedding, mean = Embedding(5, 2, mask_zero=True), GlobalAveragePooling1D()
    y = K.function(lambda x: mean(embedding(x)))(IDS)
    table = embedding.embeddings.numpy()
    np.testing.assert_allclose(y[0], (table[1] + table[2]) / 2, rtol=1e-6)
    np.testing.assert_allclose(y[1], table[3], rtol=1e-6)


def test_a_mask_may_be_given_by_hand():
    mask = np.array([[True, False], [True, True]])
    x = np.ones((2, 2, 3), "float32") * np.array([1.0, 5.0], "float32")[:, None]
    y = GlobalAveragePooling1D()(x, mask=mask)
    np.testing.assert_allclose(y, [[1, 1, 1], [3, 3, 3]])


def test_masking_sets_and_masks_steps():
    x = np.array([[[1.0, 0.0], [2.0, 2.0]]], "float32")
    layer = Masking(2.0)
    np.testing.assert_array_equal(layer(x), [[[1, 0], [0, 0]]])
    np.testing.assert_array_equal(traced_mask(layer, x), [[True, False]])


def test_a_mask_that_is_lost_is_warned_of():
    embedding = Embedding(5, 2, mask_zero=True)
    with pytest.warns(UserWarning, match="destroy the mask information"):
        Flatten()(embedding(Input((3,))))


def test_each_of_several_inputs_has_its_mask():
    class Attend(Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            return K.cast(query_mask, "float32") - K.cast(value_mask, "float32")

    embedding, attend = Embedding(5, 2, mask_zero=True), Attend()
    both = K.function(lambda a, b: attend(embedding(a), embedding(b)))
    with pytest.warns(UserWarning, match="destroy the mask"):
        y = both(IDS, IDS[:, ::-1])
    np.testing.assert_array_equal(y, (IDS != 0) * 1.0 - (IDS[:, ::-1] != 0))


@pytest.mark.parametrize(
    "name", ["Add", "Multiply", "Maximum", "Minimum", "Concatenate"]
)
def test_merging_merges_masks_as_keras_does(name):
    import keras

    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3, 2)).astype("float32") for _ in range(2)]
    for a, steps in zip(arrays, ([0, 2], [0, 1]), strict=True):
        a[0, steps] = 0.0  # one step is masked in both
    masks = [layers.Masking(), keras.layers.Masking()]
    own, theirs = getattr(layers, name)(), getattr(keras.layers, name)()
    want = theirs([masks[1](a) for a in arrays])
    merged = K.function(lambda a, b: own([masks[0](a), masks[0](b)]))(*arrays)
    np.testing.assert_allclose(merged, np.asarray(want), rtol=1e-6)
    mask = traced_mask(lambda a, b: own([masks[0](a), masks[0](b)]), *arrays)
    np.testing.assert_array_equal(
        mask, np.asarray(keras.src.backend.get_keras_mask(want))
    )


# -- losses ----------------------------------------------------------------------------


def test_losses_have_values_after_a_call_on_arrays():
    block = Block()
    block(X)
    hidden = X @ block.first.kernel.numpy()
    own, penalty = block.losses
    np.testing.assert_allclose(own, hidden.sum(), rtol=1e-5)
    np.testing.assert_allclose(
        penalty, 0.01 * np.abs(block.first.kernel.numpy()).sum(), rtol=1e-5
    )


def test_losses_are_those_of_the_last_call():
    block = Block()
    block(X)
    before = block.losses[0]
    block(2 * X)
    assert len(block.losses) == 2
    np.testing.assert_allclose(block.losses[0], 2 * before, rtol=1e-5)


def test_losses_can_be_used_in_a_traced_function():
    block = Block()

    @K.function
    def total(x):
        block(x)
        return sum(block.losses[1:], block.losses[0])

    value = total(X)
    block(X)
    np.testing.assert_allclose(value, sum(block.losses), rtol=1e-5)


def test_weights_that_are_not_trained_are_not_penalized():
    layer = Scale(3.0)
    layer(X)
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


def test_asking_for_shapes_leaves_no_loss():
    block = Block()
    block.compute_output_shape((None, 3))
    assert len(block.losses) == 1


# -- weights ---------------------------------------------------------------------------


def test_paths_tell_where_a_weight_is():
    block = Block(name="block")
    block(X)
    assert [w.path for w in block.weights] == [
        "block/first/kernel",
        "block/first/bias",
        "block/second/kernel",
        "block/second/bias",
    ]


def test_names_are_made_unique():
    K.clear_session()
    assert [Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert BatchNormalization().name == "batch_normalization"


def nested(room):
    """Return a layer of `room` with layers in lists and dicts, and weights around."""

    class Nested(room.Layer):
        def __init__(self):
            super().__init__()
            self.late = {"x": room.Dense(1, name="d")}
            self.norm = room.BatchNormalization(name="n")

        def build(self, input_shape):
            self.fixed = self.add_weight(shape=(), trainable=False, name="fixed")
            self.free = self.add_weight(shape=(), name="free")

        def call(self, x):
            return self.late["x"](self.norm(x)) * self.free + self.fixed

    layer = Nested()
    layer(X)
    return layer


def test_weights_are_in_the_order_of_keras():
    import keras

    own, theirs = nested(layers), nested(keras.layers)
    for attribute in ("weights", "trainable_weights", "non_trainable_weights"):
        for listed in (own, theirs):
            names = [w.name for w in getattr(listed, attribute)]
            assert names == [w.name for w in getattr(theirs, attribute)]
    assert [w.name for w in own.weights][:2] == ["free", "fixed"]


def test_trainable_reaches_layers_below():
    layer = nested(layers)
    layer.trainable = False
    assert layer.trainable_weights == [] == layer.norm.trainable_weights
    layer.trainable = True
    assert [w.name for w in layer.norm.trainable_weights] == ["gamma", "beta"]


def test_a_layer_frozen_before_it_is_built_stays_so():
    block = Block()
    block.first.trainable = False
    block(X)
    assert [w.path.split("/")[1] for w in block.trainable_weights] == ["second"] * 2


def test_frozen_batch_normalization_uses_its_averages():
    layer = BatchNormalization()
    layer(X)
    layer.trainable = False
    np.testing.assert_allclose(layer(X, training=True), X / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)


def test_seeds_are_variables_but_no_weights():
    layer = Dropout(0.5)
    assert layer.weights == []
    assert [v.name for v in layer.variables] == ["seed_generator_state"]


def test_weights_go_out_and_in():
    one, other = Dense(2), Dense(2)
    for layer in (one, other):
        layer.build((None, 3))
    other.set_weights(one.get_weights())
    np.testing.assert_array_equal(one(X), other(X))


def test_wrong_weights_change_nothing():
    layer = Dense(2)
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"a weight list of length 1, .* expecting 2"):
        layer.set_weights([np.zeros((3, 2))])
    with pytest.raises(ValueError, match=r"\(2,\) is not compatible .* \(3,\)"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    for was, now in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_parameters_are_counted_once_there_are_some():
    layer = Dense(2)
    with pytest.raises(ValueError, match=r"`count_params` on layer.*isn't built"):
        layer.count_params()
    layer.build((None, 3))
    assert layer.count_params() == 8


# -- configs ---------------------------------------------------------------------------


def test_a_class_of_ones_own_has_a_config_by_itself():
    config = Scale(2.0, name="mine").get_config()
    assert config["start"] == 2.0
    again = Scale.from_config(config)
    assert (again.name, again.start) == ("mine", 2.0)


def test_what_the_constructor_does_not_take_is_left_out():
    class Bare(Layer):
        def __init__(self, size):
            super().__init__()
            self.size = 2 * size

    assert Bare(3).get_config() == {"size": 3}


def test_an_argument_that_cannot_be_written_is_refused():
    class Odd(Layer):
        def __init__(self, thing):
            super().__init__()

    with pytest.raises(NotImplementedError, match="Odd was created with an argument"):
        Odd(object()).get_config()


def test_a_subclass_adds_to_what_it_inherits():
    class Wide(Dense):
        def __init__(self, units, times=2, **kwargs):
            super().__init__(units, **kwargs)
            self.times = times

        def get_config(self):
            return {**super().get_config(), "times": self.times}

    config = Wide(3, times=4, activation="relu").get_config()
    assert (config["units"], config["times"], config["activation"]) == (3, 4, "relu")
    assert Wide.from_config(config).times == 4


def test_a_layer_is_built_from_its_build_config():
    layer = Dense(2)
    layer.build((None, 3))
    again = layers.deserialize(K.serialize_keras_object(layer))
    assert again.built
    assert again.kernel.shape == (3, 2)


def test_a_lambda_without_a_name_is_not_written():
    with pytest.raises(ValueError, match="lambda"):
        Lambda(lambda x: x).get_config()


def test_lambda_passes_what_its_function_takes():
    layer = Lambda(
        lambda x, by, training: x * by if training else x, arguments={"by": 3.0}
    )
    np.testing.assert_allclose(layer(X, training=True), 3 * X)
    np.testing.assert_allclose(layer(X), X)


# -- connecting ------------------------------------------------------------------------


def test_an_output_that_is_the_input_has_a_history_of_its_own():
    x = Input((3,), name="x")
    y = Identity()(x)
    assert y is not x
    assert x._keras_history.operation.name == "x"
    assert y._keras_history.operation.input is x


def test_the_history_is_of_what_was_given_before_any_cast():
    x = Input((3,), dtype="float64")
    y = Dense(2)(x)
    assert y.dtype == "float32"
    assert y._keras_history.operation.input is x


def test_only_the_outermost_call_is_noted():
    block = Block()
    block(Input((3,)))
    assert len(block._inbound_nodes) == 1
    assert block.first._inbound_nodes == []


def test_a_layer_of_a_kind_without_weights_is_built_from_the_start():
    class Mine(Layer):
        def call(self, x):
            return x

    assert layers.ReLU().built
    assert layers.MaxPooling2D().built
    assert not layers.Dense(2).built
    assert not Mine().built


def test_arguments_of_the_base_are_checked():
    with pytest.raises(ValueError, match="`trainable` to be a boolean"):
        layers.Dense(2, trainable=1)
    with pytest.raises(ValueError, match="name` must be passed as a keyword argument"):
        Layer().add_weight("kernel")


def test_a_shape_told_of_several_outputs_keeps_its_nesting():
    class Twice(Layer):
        def call(self, x):
            return x, x

        def compute_output_shape(self, input_shape):
            return (input_shape, input_shape)

    spec = Twice().compute_output_spec(K.KerasTensor((2, 3)))
    assert isinstance(spec, tuple)
    assert [x.shape for x in spec] == [(2, 3), (2, 3)]

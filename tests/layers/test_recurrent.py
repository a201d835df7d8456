"""Recurrent layers against Keras: masks, states, stacks of cells, both directions."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from minikeras.models import Model
from tests.engine.ops.test_scan import scans

KINDS = ["SimpleRNN", "LSTM", "GRU"]
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def x(rng):
    return rng.normal(size=(3, 5, 4)).astype("float32")


MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)


def pair(make, x, **call):
    """Return what `make` makes of each library, with the same weights, and outputs."""
    import keras

    own, theirs = make(layers), make(keras.layers)
    own(x, **call)
    theirs(x, **call)
    rng = np.random.default_rng(3)
    values = [rng.normal(0, 0.5, w.shape).astype("float32") for w in theirs.weights]
    own.set_weights(values)
    theirs.set_weights(values)
    return own, theirs


def same(own, theirs):
    mine = own if isinstance(own, (list, tuple)) else [own]
    other = theirs if isinstance(theirs, (list, tuple)) else [theirs]
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-5)


@kinds
@pytest.mark.parametrize("args", [{}, {"unroll": True}, {"zero_output_for_mask": True}])
def test_masked_steps_are_skipped(kind, args, x):
    def make(room):
        return getattr(room, kind)(2, return_sequences=True, **args)

    own, theirs = pair(make, x)
    same(own(x, mask=MASK), theirs(x, mask=MASK))


@kinds
def test_a_mask_comes_with_its_sequences(kind, x):
    masking, layer = layers.Masking(), getattr(layers, kind)(2)
    zeroed = np.where(MASK[..., None], x, 0)
    y = K.function(lambda x: layer(masking(x)))(zeroed)
    np.testing.assert_allclose(y, layer(zeroed, mask=MASK), rtol=1e-6)


@kinds
def test_states_go_in_and_out(kind, x, rng):
    start = rng.normal(size=(2, 3, 2)).astype("float32")
    states = list(start) if kind == "LSTM" else [start[0]]
    own, theirs = pair(lambda room: getattr(room, kind)(2, return_state=True), x)
    same(own(x, initial_state=states), theirs(x, initial_state=states))


@kinds
def test_a_stateful_layer_goes_on_where_it_ended(kind, x):
    own, theirs = pair(lambda room: getattr(room, kind)(2, stateful=True), x)
    own.reset_state()
    theirs.reset_state()
    for _ in range(2):
        same(own(x), theirs(x))
    own.reset_state()
    first = own(x)
    theirs.reset_state()
    same(first, theirs(x))


def test_states_are_no_weights(x):
    layer = layers.LSTM(2, stateful=True)
    layer(x)
    assert [w.name for w in layer.weights] == ["kernel", "recurrent_kernel", "bias"]


def test_a_stateful_layer_needs_the_size_of_the_batch():
    with pytest.raises(ValueError, match="the batch size must be static"):
        layers.LSTM(2, stateful=True).build((None, 5, 4))


def test_paths_are_those_of_keras(x):
    own, theirs = pair(lambda room: room.LSTM(2, name="mine"), x)
    assert [w.path for w in own.weights] == [w.path for w in theirs.weights]


def test_the_forget_gate_starts_open():
    layer = layers.LSTM(2, bias_initializer="zeros")
    layer.build((None, 5, 4))
    np.testing.assert_array_equal(layer.cell.bias.numpy(), [0, 0, 1, 1, 0, 0, 0, 0])


def test_cells_can_be_stacked(x):
    def make(room):
        cells = [room.LSTMCell(3), room.GRUCell(2), room.SimpleRNNCell(2)]
        return room.RNN(cells, return_sequences=True, return_state=True)

    own, theirs = pair(make, x)
    got, want = own(x), theirs(x)
    same(K.tree.flatten(got), K.tree.flatten(list(want)))
    again = layers.deserialize(layers.serialize(own))
    again.build(x.shape)
    again.set_weights(own.get_weights())
    same(again(x)[0], got[0])


def test_a_cell_of_ones_own_will_do(x):
    class Sum(layers.Layer):
        state_size = output_size = 4

        def call(self, inputs, states):
            return inputs + states[0], [inputs + states[0]]

    np.testing.assert_allclose(layers.RNN(Sum())(x), x.sum(1), rtol=1e-5)


def test_a_cell_can_be_called_by_itself(x):
    own, theirs = pair(lambda room: room.GRUCell(4), x[:, 0], states=[x[:, 1]])
    step, states = own(x[:, 0], [x[:, 1]])
    want, others = theirs(x[:, 0], [x[:, 1]])
    same(step, want)
    same(states, others)


@kinds
def test_dropout_drops_the_same_at_each_step(kind):
    # With no recurrence, and the same input at each step, outputs are all the same.
    layer = getattr(layers, kind)(
        8,
        dropout=0.5,
        return_sequences=True,
        activation="linear",
        recurrent_initializer="zeros",
    )
    x = np.ones((2, 6, 10), "float32")
    y, again = layer(x, training=True), layer(x, training=True)
    assert (y != again).any()
    assert (layer(x) != y).any()
    if kind == "SimpleRNN":
        np.testing.assert_allclose(y, y[:, :1] * np.ones((1, 6, 1)), rtol=1e-5)
    np.testing.assert_array_equal(layer(x), layer(x, training=False))


@kinds
def test_recurrent_dropout_is_for_training_alone(kind, x):
    layer = getattr(layers, kind)(8, recurrent_dropout=0.5)
    assert (layer(x, training=True) != layer(x, training=True)).any()
    np.testing.assert_array_equal(layer(x), layer(x))


SEQUENCES, STATES = {"return_sequences": True}, {"return_state": True}


@pytest.mark.parametrize(
    "mode, args",
    [
        ("concat", {}),
        ("sum", SEQUENCES),
        ("ave", {}),
        ("mul", STATES),
        (None, SEQUENCES),
        (None, STATES),
    ],
)
def test_both_directions(mode, args, x):
    def make(room):
        return room.Bidirectional(room.GRU(2, name="mine", **args), merge_mode=mode)

    own, theirs = pair(make, x)
    same(own(x), theirs(x))
    same(own(x, mask=MASK), theirs(x, mask=MASK))
    assert [w.path.split("/", 1)[1] for w in own.weights] == [
        w.path.split("/", 1)[1] for w in theirs.weights
    ]
    again = layers.deserialize(layers.serialize(own))
    again.build(x.shape)
    again.set_weights(own.get_weights())
    same(again(x), own(x))


def test_both_directions_must_fit():
    with pytest.raises(ValueError, match="different `go_backwards`"):
        layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))


def test_a_layer_for_each_step(x):
    own, theirs = pair(lambda room: room.TimeDistributed(room.Dense(3, name="mine")), x)
    same(own(x), theirs(x))
    assert own.compute_output_shape((None, None, 4)) == (None, None, 3)
    assert [w.path.split("/", 1)[1] for w in own.weights] == [
        w.path.split("/", 1)[1] for w in theirs.weights
    ]
    images = np.ones((2, 3, 6, 6, 1), "float32")
    own, theirs = pair(lambda room: room.TimeDistributed(room.Conv2D(2, 3)), images)
    same(own(images), theirs(images))


def test_the_number_of_steps_may_be_unknown(x):
    inputs = layers.Input((None, 4))
    y = layers.LSTM(3, return_sequences=True)(inputs)
    z = layers.Bidirectional(layers.GRU(2))(y)
    model = Model(inputs, layers.Dense(1)(z))
    assert y.shape == (None, None, 3)
    assert model.predict(x, verbose=0).shape == (3, 1)
    assert model.predict(x[:, :2], verbose=0).shape == (3, 1)


def test_an_encoder_hands_its_states_to_a_decoder(x):
    source, target = layers.Input((None, 4)), layers.Input((None, 4))
    _, h, c = layers.LSTM(2, return_state=True)(source)
    y = layers.LSTM(2, return_sequences=True)(target, initial_state=[h, c])
    model = Model([source, target], y)
    model.compile("sgd", "mse")
    history = model.fit([x, x], np.zeros((3, 5, 2)), epochs=2, verbose=0)
    first, second = history.history["loss"]
    assert second < first


# -- gradients -------------------------------------------------------------------------


def slopes(layer, x, along, **call):
    """Return the gradients of ``sum(layer(x) * along)`` by x and the weights."""
    inputs = K.placeholder(x.shape, dtype=str(x.dtype))
    total = K.sum(layer(inputs, **call) * along)
    return K.function([inputs], K.gradients(total, [inputs, *layer.trainable_weights]))(
        [x]
    )


def slopes_of_keras(layer, x, along, **call):
    import jax

    def total(x, weights):
        rest = [v.value for v in layer.non_trainable_variables]
        y, _ = layer.stateless_call(weights, rest, x, **call)
        return (y * along).sum()

    weights = [v.value for v in layer.trainable_variables]
    to_x, to_weights = jax.grad(total, argnums=(0, 1))(x, weights)
    return [to_x, *to_weights]


@kinds
@pytest.mark.parametrize(
    "args, mask",
    [
        ({}, None),
        ({"return_sequences": True}, MASK),
        ({"return_sequences": True, "go_backwards": True}, None),
        ({"go_backwards": True}, MASK),
        ({"return_sequences": True, "zero_output_for_mask": True}, MASK),
        ({"use_bias": False}, None),
    ],
    ids=str,
)
def test_gradients_are_those_of_keras(kind, args, mask, x, rng):
    own, theirs = pair(lambda room: getattr(room, kind)(2, **args), x)
    along = rng.normal(size=own(x).shape).astype("float32")
    call = {} if mask is None else {"mask": mask}
    same(slopes(own, x, along, **call), slopes_of_keras(theirs, x, along, **call))


def test_gradients_are_those_of_keras_if_a_gate_comes_before_the_product(x, rng):
    own, theirs = pair(lambda room: room.GRU(2, reset_after=False), x)
    along = rng.normal(size=(3, 2)).astype("float32")
    same(slopes(own, x, along), slopes_of_keras(theirs, x, along))


@kinds
def test_gradients_have_gradients(kind, x, rng):
    layer = getattr(layers, kind)(2, dtype="float64")
    inputs = K.placeholder(x.shape, dtype="float64")
    along, way = rng.normal(size=x.shape), rng.normal(size=x.shape)
    (slope,) = K.gradients(K.sum(K.square(layer(inputs))), [inputs])
    (second,) = K.gradients(K.sum(slope * along), [inputs])
    first, found = K.function([inputs], slope), K.function([inputs], second)([x])
    after, before = (first([x + step * way]) for step in (1e-5, -1e-5))
    measured = np.sum((after - before) * along) / 2e-5
    np.testing.assert_allclose(np.sum(found * way), measured, rtol=1e-6)


@pytest.mark.parametrize(
    "kind, args, products",
    [
        ("SimpleRNN", {}, 1),
        ("LSTM", {}, 1),
        ("GRU", {}, 1),
        ("GRU", {"reset_after": False}, 2),
        ("RNN", {}, 1),
    ],
)
def test_a_step_makes_only_the_products_with_the_state(kind, args, products):
    cell = {"cell": layers.LSTMCell(2)} if kind == "RNN" else {"units": 2}
    layer = getattr(layers, kind)(**cell, **args)
    y = layer(K.placeholder((None, None, 4)))
    forward, backward = scans([y, *K.gradients(K.sum(y), layer.trainable_weights)])
    assert forward.count("MatMul") == backward.count("MatMul") == products
    assert "Tanh" in forward
    assert "Tanh" not in backward  # what was computed is kept


def test_a_cell_that_changes_the_call_is_called(x):
    class Twice(layers.LSTMCell):
        def call(self, inputs, states, training=None):
            return super().call(inputs * 2, states, training)

    own, plain = layers.RNN(Twice(2)), layers.LSTM(2)
    own(x)
    plain(x)
    plain.set_weights(own.get_weights())
    np.testing.assert_allclose(own(x), plain(2 * x), rtol=1e-5)


class Counting(layers.Layer):
    """A cell of a user's own, with nothing that it could leave out."""

    state_size = 3

    def call(self, inputs, states):
        y = states[0] + K.sum(inputs, -1, keepdims=True)
        return y, [y]


def test_cells_of_a_users_own_are_stacked():
    x = np.ones((2, 4, 5), "float32")
    y = layers.RNN([Counting(), Counting()])(x)
    want = np.cumsum(3 * np.cumsum(np.full(4, 5.0)))[-1]
    np.testing.assert_allclose(y, np.full((2, 3), want), rtol=1e-6)


def test_a_stateful_layer_takes_one_batch_size():
    layer = layers.RNN(Counting(), stateful=True)
    layer(np.ones((2, 4, 5), "float32"))
    with pytest.raises(ValueError, match="batch size must match"):
        layer(np.ones((1, 4, 5), "float32"))


def test_a_layer_for_each_step_gets_the_mask_of_the_step():
    class Kept(layers.Layer):
        def compute_mask(self, inputs, previous_mask=None):
            return previous_mask

        def call(self, x, mask=None):
            return x * K.expand_dims(K.cast(mask, x.dtype), -1)

    x, mask = np.ones((2, 3, 4), "float32"), np.array([[1, 0, 1], [0, 1, 1]], bool)
    layer = layers.TimeDistributed(Kept())
    np.testing.assert_array_equal(layer(x, mask=mask), x * mask[..., None])
    with pytest.raises(ValueError, match="incompatible with the input shape"):
        layer(x, mask=mask[:1])
    with pytest.raises(ValueError, match="must be at least 2D"):
        layer(x, mask=mask[:, 0])

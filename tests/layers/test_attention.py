"""Attention does what Keras's does: arguments, weights, masks, values, gradients."""

from __future__ import annotations

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras import layers
from tests.layers.test_against_keras import close, comparable

SELF, CROSS = ((2, 5, 6),), ((2, 5, 6), (2, 7, 6))
OTHERS = ((2, 5, 6), (2, 7, 3), (2, 7, 4))  # keys of their own, other features
PLANE = ((2, 3, 4, 6), (2, 5, 4, 6))

HEADS = [
    (SELF, {"num_heads": 2, "key_dim": 3}),
    (CROSS, {"num_heads": 1, "key_dim": 4, "use_bias": False}),
    (OTHERS, {"num_heads": 2, "key_dim": 3, "use_gate": True, "output_shape": 8}),
    (CROSS, {"num_heads": 3, "key_dim": 2, "output_shape": (2, 3)}),
    (CROSS, {"num_heads": 2, "key_dim": 2, "sliding_window": 2}),
    (PLANE, {"num_heads": 2, "key_dim": 3}),
    (PLANE, {"num_heads": 2, "key_dim": 3, "attention_axes": 1}),
    (PLANE, {"num_heads": 2, "key_dim": 3, "attention_axes": (-3,)}),
    (
        SELF,
        {
            "num_heads": 2,
            "key_dim": 3,
            "kernel_initializer": "ones",
            "kernel_regularizer": "l2",
            "bias_regularizer": "l1",
            "activity_regularizer": "l2",
            "bias_constraint": "non_neg",
        },
    ),
]
GROUPS = [
    (SELF, {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}),
    (CROSS, {"head_dim": 3, "num_query_heads": 3, "num_key_value_heads": 1}),
    (
        CROSS,
        {
            "head_dim": 2,
            "num_query_heads": 2,
            "num_key_value_heads": 2,
            "use_bias": False,
            "use_gate": True,
            "sliding_window": 3,
        },
    ),
]
CASES = [
    *(("MultiHeadAttention", *case) for case in HEADS),
    *(("GroupQueryAttention", *case) for case in GROUPS),
]
each_case = pytest.mark.parametrize("layer, shapes, args", CASES)
# Keras compiles each of these anew, which takes its time.
some_cases = pytest.mark.parametrize(
    "layer, shapes, args", [CASES[i] for i in (0, 2, 5, -2, -1)]
)


def arrays(shapes, dtype="float32"):
    """Query, value and perhaps key; in self-attention the first is the second too."""
    rng = np.random.default_rng(0)
    made = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return made * 2 if len(made) == 1 else made


_pairs: dict[str, list] = {}


def two(keras, layer, args, inputs):
    """Return the layer of each library, built, with the same random weights."""
    shapes = [x.shape for x in inputs]
    known = f"{layer}{args}{shapes}"
    if known not in _pairs:
        _pairs[known] = [
            getattr(room, layer)(**args) for room in (layers, keras.layers)
        ]
        for made in _pairs[known]:
            made.build(*shapes)
    own, theirs = _pairs[known]
    rng = np.random.default_rng(1)
    values = [rng.normal(size=w.shape).astype("float32") for w in theirs.weights]
    own.set_weights(values)
    theirs.set_weights(values)
    return own, theirs


# -- layers with projections -----------------------------------------------------------


@each_case
def test_the_config_is_that_of_keras(keras, layer, shapes, args):
    own, theirs = two(keras, layer, args, arrays(shapes))
    assert comparable(own.get_config()) == comparable(theirs.get_config())
    config = layers.serialize(own)
    again = layers.deserialize(config)
    assert layers.serialize(again) == config
    named = keras.saving.serialize_keras_object(theirs)
    assert {k: config[k] for k in ("module", "class_name", "build_config")} == {
        k: named[k] for k in ("module", "class_name", "build_config")
    }


@each_case
def test_weights_have_the_names_and_shapes_of_keras(keras, layer, shapes, args):
    own, theirs = two(keras, layer, args, arrays(shapes))

    def described(layer):
        return [(w.path, tuple(w.shape), w.trainable) for w in layer.weights]

    assert described(own) == described(theirs)
    assert len(own.variables) == len(theirs.variables)


@each_case
def test_outputs_and_scores_are_those_of_keras(keras, layer, shapes, args):
    inputs = arrays(shapes)
    own, theirs = two(keras, layer, args, inputs)
    for training in (False, True):
        close(own(*inputs, training=training), theirs(*inputs, training=training))
        close(own.losses, theirs.losses)
    more = {"return_attention_scores": True}
    for y, z in zip(own(*inputs, **more), theirs(*inputs, **more), strict=True):
        assert y.dtype == "float32"
        close(y, z)


def test_values_may_have_channels_of_their_own(keras):
    """Where it gives no scores, Keras on JAX fails with them."""
    inputs = arrays(CROSS)
    args = {"num_heads": 2, "key_dim": 3, "value_dim": 5, "dropout": 0.5}
    own, theirs = two(keras, "MultiHeadAttention", args, inputs)
    plain = layers.MultiHeadAttention(2, 3, 5)
    plain(*inputs)
    plain.set_weights(own.get_weights())
    want = theirs(*inputs)
    close(own(*inputs), want)
    close(plain(*inputs), want)


MASKS = {
    "attention": lambda b, t, s: {"attention_mask": some(b, t, s)},
    "one for all": lambda b, t, s: {"attention_mask": some(t, s)},
    "each head": lambda b, t, s: {"attention_mask": some(b, 1, t, s)},
    "integers": lambda b, t, s: {"attention_mask": some(b, t, s).astype("int32")},
    "value": lambda b, t, s: {"value_mask": some(b, s)},
    "key": lambda b, t, s: {"value_mask": some(b, s), "key_mask": some(b, s)[::-1]},
    "query": lambda b, t, s: {"query_mask": some(b, t)},
    "causal": lambda b, t, s: {"use_causal_mask": True},
    "all": lambda b, t, s: {
        "query_mask": some(b, t),
        "value_mask": some(b, s),
        "attention_mask": some(b, t, s),
        "use_causal_mask": True,
    },
}


def some(*shape):
    """A mask that hides every third element, and for one query all."""
    mask = np.arange(np.prod(shape)).reshape(shape) % 3 > 0
    mask[..., 1, :] &= len(shape) < 3
    return mask


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("layer, shapes, args", [CASES[4], CASES[-2]])
def test_masks_hide_what_they_hide_in_keras(keras, layer, shapes, args, scores, mask):
    inputs = arrays(shapes)
    own, theirs = two(keras, layer, args, inputs)
    (b, t, _), (_, s, _) = inputs[0].shape, inputs[1].shape
    masks = {**MASKS[mask](b, t, s), "return_attention_scores": scores}
    found, wanted = own(*inputs, **masks), theirs(*inputs, **masks)
    for y, z in zip(K.tree.flatten(found), K.tree.flatten(wanted), strict=True):
        close(y, z)


@some_cases
def test_gradients_are_those_of_keras(keras, layer, shapes, args):
    import jax

    inputs = arrays(shapes)
    own, theirs = two(keras, layer, args, inputs)
    weight = np.random.default_rng(2).normal(size=own(*inputs).shape).astype("float32")

    @K.function
    def slopes(*inputs):
        loss = K.sum(own(*inputs, training=True) * weight)
        return K.gradients(loss, [*own.trainable_variables, *inputs])

    def loss(trained, inputs):
        others = [v.value for v in theirs.non_trainable_variables]
        y, _ = theirs.stateless_call(trained, others, *inputs, training=True)
        return (y * weight).sum()

    trained = [v.value for v in theirs.trainable_variables]
    by_weight, by_input = jax.grad(loss, argnums=(0, 1))(trained, inputs)
    found = slopes(*inputs)
    for got, want in zip(found, [*by_weight, *by_input], strict=True):
        close(got, want, 3e-4)


@each_case
def test_shapes_are_known_before_the_run(keras, layer, shapes, args):
    shapes = shapes * 2 if len(shapes) == 1 else shapes
    for open_axes in ((), (0,), (0, 1)):
        given = [
            tuple(None if i in open_axes else n for i, n in enumerate(shape))
            for shape in shapes
        ]
        own, theirs = (getattr(room, layer)(**args) for room in (layers, keras.layers))
        want = theirs.compute_output_shape(*given)
        assert own.compute_output_shape(*given) == tuple(want)
        y = own(*(layers.Input(batch_shape=shape) for shape in given))
        assert tuple(y.shape) == tuple(want)


@some_cases
def test_mixed_precision_is_that_of_keras(keras, layer, shapes, args):
    args = {**args, "dtype": "mixed_float16"}
    inputs = arrays(shapes)
    own, theirs = two(keras, layer, args, inputs)
    for made in (own, theirs):
        made.set_weights([0.1 * w for w in made.get_weights()])
    for more in ({}, {"return_attention_scores": True}):
        found, wanted = own(*inputs, **more), theirs(*inputs, **more)
        for y, z in zip(K.tree.flatten(found), K.tree.flatten(wanted), strict=True):
            assert y.dtype == "float16"
            close(y, z, 4e-3)
    assert {w.dtype for w in own.weights} == {"float32"}


def test_heads_start_with_numbers_of_their_own():
    layer = layers.MultiHeadAttention(2, 8)
    layer.build((None, 4, 16), (None, 4, 16))
    query, _, key, *_ = layer.get_weights()
    assert not np.array_equal(query, key)
    limit = (6 / (16 + 2 * 8)) ** 0.5  # of even numbers, by Glorot, for 16 to 2 · 8
    assert 0.9 * limit < np.abs(query).max() <= limit


def test_dropout_takes_scores_away_in_training_only():
    x = arrays(SELF)[0]
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1)
    tested = [layer(x, x) for _ in range(2)]
    trained = [layer(x, x, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*tested)
    assert not np.array_equal(*trained)
    assert len(layer.variables) == len(layer.weights) + 1


def test_a_subclass_may_attend_in_its_own_way():
    class Uniform(layers.MultiHeadAttention):
        def _compute_attention(self, query, key, value, *rest):
            return K.ones_like(query) * K.mean(value, axis=1, keepdims=True), None

    x = arrays(SELF)[0]
    y = Uniform(2, 3)(x, x)
    np.testing.assert_allclose(y[:, :1] * np.ones_like(y), y, rtol=1e-6)


# -- in a model ------------------------------------------------------------------------


def model_of(library, attention):
    """A sentence's class, by attention among its words; words of number 0 are none."""
    x = words = library.Input((6,))
    x = library.layers.Embedding(9, 8, mask_zero=True)(x)
    y = attention(library)(x)
    x = library.layers.LayerNormalization()(library.layers.Add()([x, y]))
    x = library.layers.GlobalAveragePooling1D()(x)
    return library.Model(words, library.layers.Dense(3)(x))


ATTENTIONS = {
    "heads": lambda k: lambda x: k.layers.MultiHeadAttention(2, 4)(x, x),
    "causal": lambda k: (
        lambda x: k.layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    ),
    "groups": lambda k: lambda x: k.layers.GroupQueryAttention(4, 2, 1)(x, x),
    "dot": lambda k: lambda x: k.layers.Attention(use_scale=True)([x, x]),
    "sum": lambda k: lambda x: k.layers.AdditiveAttention()([x, x]),
}


@pytest.mark.filterwarnings("ignore:.*was passed an input with a mask")  # by Keras
@pytest.mark.parametrize("name", ATTENTIONS)
def test_a_model_learns_as_in_keras(keras, name):
    rng = np.random.default_rng(5)
    x = rng.integers(1, 9, (8, 6)) * (np.arange(6) < rng.integers(2, 7, (8, 1)))
    y = rng.integers(0, 3, 8)
    pair = [model_of(library, ATTENTIONS[name]) for library in (minikeras, keras)]
    own, theirs = pair
    for v, w in zip(own.weights, theirs.weights, strict=True):
        assert v.path.split("/")[1:] == w.path.split("/")[1:]
    own.set_weights(theirs.get_weights())
    close(own.predict(x, verbose=0), theirs.predict(x, verbose=0))
    for library, model in zip((minikeras, keras), pair, strict=True):
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(library.optimizers.SGD(0.1), loss)
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for v, w in zip(own.weights, theirs.weights, strict=True):
        close(v.numpy(), w, 1e-4)


def test_the_mask_of_the_query_goes_on():
    words = layers.Input((6,))
    x = layers.Embedding(9, 8, mask_zero=True)(words)
    other = layers.Input((4, 8))
    for y in (
        layers.MultiHeadAttention(2, 4)(x, other),
        layers.GroupQueryAttention(4, 2, 1)(x, other),
        layers.Attention()([x, other]),
    ):
        assert y._keras_mask is x._keras_mask
    assert not hasattr(layers.MultiHeadAttention(2, 4)(other, x), "_keras_mask")


# -- without projections ---------------------------------------------------------------


@pytest.mark.parametrize("layer", ["Attention", "AdditiveAttention"])
@pytest.mark.parametrize(
    "mask", [(1, 1), (0, 1), (1, 0), None], ids=["both", "value", "query", "none"]
)
@pytest.mark.parametrize("causal", [False, True])
def test_lists_of_masks_mean_what_they_mean_in_keras(keras, layer, mask, causal):
    query, value, key = arrays(((2, 5, 4), (2, 7, 3), (2, 7, 4)))
    of_query, of_value = np.arange(10).reshape(2, 5) % 3 > 0, np.ones((2, 7), bool)
    of_value[0, 2:], of_value[1] = False, False
    both = zip(mask or (), (of_query, of_value), strict=False)
    masks = [m if kept else None for kept, m in both] or None
    own, theirs = (getattr(room, layer)() for room in (layers, keras.layers))
    more = {"mask": masks, "use_causal_mask": causal, "return_attention_scores": True}
    own([query, value, key]), theirs([query, value, key])
    own.set_weights(theirs.get_weights())
    found, wanted = (of([query, value, key], **more) for of in (own, theirs))
    for y, z in zip(found, wanted, strict=True):
        close(y, z)


@pytest.mark.parametrize("layer", ["Attention", "AdditiveAttention"])
def test_half_precision_is_that_of_keras(keras, layer):
    inputs = arrays(((2, 5, 4), (2, 7, 4)))
    mask = [None, np.arange(14).reshape(2, 7) % 3 > 0]
    own, theirs = (
        getattr(room, layer)(dtype="mixed_float16") for room in (layers, keras.layers)
    )
    own(inputs), theirs(inputs)
    own.set_weights(theirs.get_weights())
    y = own(inputs, mask=mask)
    assert y.dtype == "float16"
    close(y, theirs(inputs, mask=mask), 4e-3)


# -- what is refused -------------------------------------------------------------------

X = np.zeros((2, 5, 6), "float32")
MISTAKES = [
    lambda k: k.MultiHeadAttention(0, 4),
    lambda k: k.MultiHeadAttention(2, 4.5),
    lambda k: k.MultiHeadAttention(2, 4, value_dim=0),
    lambda k: k.MultiHeadAttention(2, 4, output_shape=1.5),
    lambda k: k.MultiHeadAttention(2, 4, sliding_window=0),
    lambda k: k.MultiHeadAttention(2, 4, flash_attention=True, dropout=0.1),
    lambda k: k.MultiHeadAttention(2, 4)(X, X, X[:, :3]),
    lambda k: k.MultiHeadAttention(2, 4).compute_output_shape(
        (2, 5, 6), (2, 4, 6), (2, 3, 6)
    ),
    lambda k: k.GroupQueryAttention(4, 3, 2),
    lambda k: k.GroupQueryAttention(4, 2, 1, sliding_window=-1),
    lambda k: k.GroupQueryAttention(4, 2, 1).compute_output_shape((2, 5, 6), (2, 5, 4)),
    lambda k: k.Attention(score_mode="scalar"),
    lambda k: k.Attention()([X]),
    lambda k: k.AdditiveAttention()([X, X, X, X]),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused_in_the_words_of_keras(keras, mistake):
    with pytest.raises(ValueError) as theirs:  # noqa: PT011 - its words are compared
        mistake(keras.layers)
    with pytest.raises(ValueError) as own:  # noqa: PT011
        mistake(layers)
    assert str(own.value) == str(theirs.value)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: layers.Attention()(X), "must be called on a list of inputs"),
        (lambda: layers.Attention()([X, X], mask=X), "mask must be a list"),
        (lambda: layers.Attention()([X, X], mask=[X]), "mask list of length 2 or 3"),
        (
            lambda: layers.MultiHeadAttention(2, 4, attention_axes="a"),
            "must be an int, list, or tuple",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 4, flash_attention=True)(
                X, X, return_attention_scores=True
            ),
            "not supported when flash attention",
        ),
    ],
)
def test_other_mistakes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_flash_attention_is_accepted():
    layer = layers.MultiHeadAttention(2, 4, flash_attention=True)
    assert layer(X, X).shape == X.shape

"""Vocabularies: how they come about, what is refused, and text in models."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models
from minikeras.layers.preprocessing import IndexLookup


def words(*batches):
    yield from (np.array(batch) for batch in batches)


# -- learning --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        ["a", "b", "a", "c", "b", "a"],
        np.array([["a", "b"], ["a", "c"], ["b", "a"]]),
        np.array([b"a", b"b", b"a", b"c", b"b", b"a"], object),
        lambda: words(["a", "b", "a"], ["c", "b", "a"]),
        lambda: iter([["a", "b", "a"], "c", ["b", "a"]]),
    ],
    ids=["list", "array", "bytes", "generator", "batches of lists"],
)
def test_a_vocabulary_is_ordered_by_frequency(data):
    layer = layers.StringLookup()
    layer.adapt(data() if callable(data) else data)
    assert layer.get_vocabulary() == ["[UNK]", "a", "b", "c"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "b", "c"]


def test_of_an_endless_source_so_many_batches_are_looked_at():
    def endless():
        while True:
            yield ["a", "b"]

    layer = layers.TextVectorization()
    layer.adapt(endless(), steps=3)
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"]


def test_learning_anew_forgets():
    layer = layers.TextVectorization()
    layer.adapt(["to be"])
    layer.adapt(["or not"])
    assert layer.get_vocabulary()[2:] == ["or", "not"]


def test_a_vocabulary_comes_from_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("foo\nbar\nbaz\n")
    layer = layers.TextVectorization(vocabulary=str(path))
    assert layer(["foo bar baz qux"]).tolist() == [[2, 3, 4, 1]]
    assert layer.get_config()["vocabulary"] is None
    integers = tmp_path / "integers.txt"
    integers.write_text("7\n5")
    assert layers.IntegerLookup(vocabulary=str(integers))([5, 7]).tolist() == [2, 1]


def test_tokens_that_break_lines_are_not_written(tmp_path):
    layer = layers.StringLookup()
    layer.adapt(["a", "\n"])
    with pytest.raises(ValueError, match="one token in each line"):
        layer.save_assets(tmp_path)


# -- what is refused -------------------------------------------------------------------

WRONG = [
    (lambda: layers.StringLookup(max_tokens=1), "must be greater than 1"),
    (lambda: layers.IntegerLookup(max_tokens=1), "must be greater than 1"),
    (lambda: layers.IntegerLookup(num_oov_indices=-1), "must >= 0"),
    (lambda: layers.IntegerLookup(vocabulary_dtype="int32"), "Only `vocabulary_dtype"),
    (lambda: layers.StringLookup(num_oov_indices=-1), "greater than or equal to 0"),
    (lambda: layers.StringLookup(pad_to_max_tokens=True), "must set `max_tokens`"),
    (lambda: layers.StringLookup(output_mode="hot"), "Allowed values are"),
    (lambda: layers.StringLookup(sparse=True), "sparse=True"),
    (lambda: layers.StringLookup(invert=True, output_mode="count"), "`invert` is true"),
    (lambda: layers.StringLookup(idf_weights=[1.0]), "`idf_weights` should only"),
    (lambda: layers.StringLookup(weights=[1.0]), "Unrecognized keyword"),
    (lambda: layers.StringLookup(salt="a"), "a tuple of 2 integers"),
    (lambda: layers.IntegerLookup(salt=3), "oov_method='farmhash'"),
    (lambda: layers.StringLookup(vocabulary="/nowhere"), "does not exist"),
    (lambda: layers.StringLookup(vocabulary=[]), "an empty vocabulary"),
    (lambda: layers.StringLookup(vocabulary=["a", "b", "a"]), "are: ['a']"),
    (lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"]), "is 3; `max"),
    (
        lambda: layers.StringLookup(mask_token="m", vocabulary=["a", "m"]),
        "reserved mask token at unexpected location",
    ),
    (
        lambda: layers.StringLookup(invert=True, vocabulary=["a", "[UNK]"]),
        "reserved OOV token at unexpected location",
    ),
    (
        lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"),
        "`idf_weights` argument must also",
    ),
    (
        lambda: layers.StringLookup(
            vocabulary=["a"], output_mode="tf_idf", idf_weights=[1.0, 2.0]
        ),
        "len(idf_weights) is 2; len(vocabulary) is 1",
    ),
    (
        lambda: layers.StringLookup(output_mode="tf_idf").set_vocabulary(["a"]),
        "must be set if output_mode is 'tf_idf'",
    ),
    (
        lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]),
        "after setting a static vocabulary",
    ),
    (
        lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["a", "b"]),
        "found OOV values ['b']",
    ),
    (lambda: layers.TextVectorization(ngrams="two"), "`ngrams` must be"),
    (lambda: layers.TextVectorization(ragged=True), "`ragged=True`"),
    (lambda: layers.TextVectorization(split="words"), "`split` argument of Text"),
    (lambda: layers.TextVectorization(standardize="up"), "`standardize` argument"),
    (
        lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3),
        "must not be set if `output_mode` is not 'int'",
    ),
    (
        lambda: layers.TextVectorization(output_sequence_length=2.5),
        "must be either None or an integer",
    ),
    (
        lambda: layers.TextVectorization()([["a", "b"]]),
        "last shape dimension must be 1",
    ),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[m for _, m in WRONG])
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is looked at below
        make()
    assert message in str(caught.value)


def test_numbers_are_no_strings():
    with pytest.raises(TypeError, match="strings are needed"):
        layers.StringLookup(vocabulary=["1"])(np.array([1, 2]))


def test_vectors_need_a_vocabulary_of_fixed_size():
    layer = layers.StringLookup(output_mode="multi_hot")
    assert layer(layers.Input((3,), dtype="string")).shape == (None, None)
    with pytest.raises(RuntimeError, match="must set the layer's vocabulary"):
        layer(["a"])
    layer.set_vocabulary(["a", "b"])
    assert layer(layers.Input((3,), dtype="string")).shape == (None, 3)
    with pytest.raises(RuntimeError, match="the vocabulary size cannot be changed"):
        layer.set_vocabulary(["a"])


# -- what users bring along ------------------------------------------------------------


def test_functions_of_numpy_arrays_standardize_and_split():
    def shout(text):
        assert (type(text), text.dtype.kind) == (np.ndarray, "U")
        return np.char.upper(text)

    def at_bars(text):
        return [s.split("|") for s in text]

    layer = layers.TextVectorization(
        standardize=shout, split=at_bars, vocabulary=["FOO", "BAR"]
    )
    assert layer(["foo|bar|baz", "bar"]).tolist() == [[2, 3, 1], [3, 0, 0]]
    with K.custom_object_scope({"shout": shout, "at_bars": at_bars}):
        config = K.serialize_keras_object(layer)
        again = K.deserialize_keras_object(config)
    assert again(["bar|foo"]).tolist() == [[3, 2]]


def test_bytes_are_decoded():
    layer = layers.StringLookup(vocabulary=["ä"], encoding="latin-1")
    assert layer(np.array(["ä".encode("latin-1"), b"a"])).tolist() == [1, 0]


def test_one_text_has_no_axis_of_texts():
    layer = layers.TextVectorization(vocabulary=["a"], output_sequence_length=3)
    assert layer("a b").tolist() == [2, 1, 0]
    assert layers.StringLookup(vocabulary=["a"])("a") == 1


def test_the_base_class_takes_integers_too():
    layer = IndexLookup(7, 1, 0, -1, "int64")
    layer.adapt([1, 1, 1, 2, 2, 3])
    assert layer.get_vocabulary() == [0, -1, 1, 2, 3]
    assert layer([1, 2, 4]).tolist() == [2, 3, 1]


# -- models ----------------------------------------------------------------------------

TEXTS = np.array(["good day", "bad day", "good good", "so bad", "what a day"] * 4)
LABELS = np.array([1.0, 0, 1, 0, 1] * 4)[:, None]


def trained(first, x, **options):
    rest = [layers.Embedding(20, 4), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    model = models.Sequential([first, *rest])
    model.compile("adam", "mse")
    history = model.fit(x, LABELS, epochs=20, batch_size=8, verbose=0, **options)
    return model, history.history["loss"]


@pytest.mark.parametrize("length", [4, None], ids=["of one length", "of any length"])
@pytest.mark.parametrize("form", [list, np.array, lambda x: np.array(x)[:, None]])
def test_models_train_on_raw_strings(length, form):
    layer = layers.TextVectorization(output_sequence_length=length)
    layer.adapt(TEXTS)
    model, losses = trained(layer, form(TEXTS.tolist()), validation_split=0.2)
    assert losses[-1] < losses[0]
    found = model.predict(form(TEXTS.tolist()), verbose=0)
    assert found.shape == (20, 1)
    # All of one class: equal texts give equal answers, in whatever batch they are.
    np.testing.assert_allclose(found[:5], found[5:10], atol=1e-6)


def test_text_and_numbers_are_inputs_side_by_side():
    text, number = layers.Input((1,), dtype="string"), layers.Input((1,))
    lookup = layers.StringLookup(output_mode="one_hot")
    lookup.adapt(TEXTS)
    joined = layers.Concatenate()([lookup(text), number])
    model = models.Model([text, number], layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    x = [TEXTS[:, None], np.arange(20.0)[:, None] / 20]
    assert np.isfinite(model.fit(x, LABELS, verbose=0).history["loss"]).all()


def test_a_vocabulary_learned_later_is_the_one_that_counts():
    layer = layers.TextVectorization(output_mode="tf_idf", max_tokens=8)
    model = models.Sequential([layers.Input((), dtype="string"), layer])
    layer.adapt(TEXTS)
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), layer(TEXTS))
    vocabulary = layer.get_vocabulary(include_special_tokens=False)
    layer.set_vocabulary(vocabulary, np.arange(len(vocabulary)) * 1.0)
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), layer(TEXTS))


def test_text_is_no_target():
    model = models.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="numbers are needed"):
        model.fit(np.ones((20, 1)), TEXTS, verbose=0)

"""Sequences of one length: against Keras, and with mistakes."""

import numpy as np
import pytest

from minikeras.utils import pad_sequences

RAGGED = [[1], [2, 3], [], [4, 5, 6, 7]]


@pytest.mark.parametrize("maxlen", [None, 2, 5])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_rows_are_those_of_keras(maxlen, padding, truncating):
    import keras

    kwargs = {"maxlen": maxlen, "padding": padding, "truncating": truncating}
    for sequences, value in ((RAGGED, 0), ([np.eye(2), np.ones((3, 2))], -1.0)):
        found = pad_sequences(sequences, value=value, **kwargs)
        wanted = keras.utils.pad_sequences(sequences, value=value, **kwargs)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_words_are_padded_too():
    found = pad_sequences([["a"], ["b", "c"]], dtype=object, value="-", padding="post")
    assert found.tolist() == [["a", "-"], ["b", "c"]]


@pytest.mark.parametrize(
    ("sequences", "kwargs", "message"),
    [
        (3, {}, "must be iterable"),
        ([1, 2], {}, "Found non-iterable: 1"),
        (RAGGED, {"padding": "both"}, 'Padding type "both" not understood'),
        (RAGGED, {"truncating": "both"}, 'Truncating type "both" not understood'),
        (RAGGED, {"value": "x"}, "is not compatible with `value`'s type"),
        ([[[1]], [[2, 3]]], {}, "of sequence at position 1 is different"),
    ],
)
def test_mistakes_are_named(sequences, kwargs, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **kwargs)

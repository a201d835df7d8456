"""IMDB: 50,000 reviews of movies, good ones and bad ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minikeras.datasets.npz import load_npz
from minikeras.datasets.sources import KERAS_FILES, file_of
from minikeras.datasets.words import Numbering, objects, shorter, word_index

__all__ = ["get_word_index", "load_data"]

_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_HASH = "bfafd718b763782e994055a2d397834f"  # MD5, the only one Keras has


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return 25,000 reviews of movies as numbers of words, and 25,000 for tests.

    The more frequent a word, the lower its number. 0 is no word: it is for padding.
    Words that occur in the tests alone are left out.

    Args:
        path: name of the file in the cache.
        num_words: numbers from this one on become `oov_char`; None keeps all.
        skip_top: numbers below this one become `oov_char`.
        maxlen: reviews of this many words or more are left out; None keeps all.
        seed: of the order of the reviews.
        start_char: the number before each review; None for nothing.
        oov_char: the number of all words that are left out; None drops them.
        index_from: what is added to the number of each word.
        **kwargs: not used, as in Keras.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of integers; labels
        are 1 for a good review, 0 for a bad one.

    Raises:
        ValueError: if no review is shorter than `maxlen`.
        DownloadError: if the file is nowhere to be found.
        UnpicklingError: if there is more in it than arrays of numbers.

    Source: Maas et al. 2011, https://aclanthology.org/P11-1015.
    """
    if kwargs:
        warnings.warn(f"load_data makes no use of {sorted(kwargs)}", stacklevel=2)
    form = Numbering(num_words, skip_top, start_char, oov_char, index_from)
    file = load_npz(file_of("imdb", path, _HASH, f"{KERAS_FILES}imdb.npz"))
    rng = np.random.RandomState(seed)  # Keras's order, so that indices mean the same
    parts = []
    for part in ("train", "test"):
        texts, labels = file[f"x_{part}"], file[f"y_{part}"]
        order = np.arange(len(texts))
        rng.shuffle(order)
        parts.append(shorter(maxlen, form.shifted(texts[order]), labels[order]))
    (x_train, y_train), (x_test, y_test) = parts
    if not x_train or not x_test:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence "
            "was kept. Increase maxlen."
        )
    texts, first = form.kept(x_train + x_test), len(x_train)
    return (objects(texts[:first]), np.array(y_train)), (
        objects(texts[first:]),
        np.array(y_test),
    )


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `load_data` adds its `index_from`.

    Args:
        path: name of the file in the cache.

    Raises:
        DownloadError: if the file is nowhere to be found.
    """
    origin = f"{KERAS_FILES}imdb_word_index.json"
    return word_index(file_of("imdb", path, _INDEX_HASH, origin))

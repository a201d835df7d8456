"""Reuters: 11,228 items of news, of 46 topics."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.datasets.npz import load_npz
from minikeras.datasets.sources import KERAS_FILES, file_of
from minikeras.datasets.words import Numbering, objects, shorter, word_index

__all__ = ["get_label_names", "get_word_index", "load_data"]

_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"  # MD5, the only one Keras has

_TOPICS = """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee
    sugar trade reserves ship cotton carcass crude nat-gas cpi money-fx
    interest gnp meal-feed alum oilseed gold tin strategic-metal livestock
    retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr
    gas silver wpi hog lead
"""


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return items of news as numbers of words, and their topics.

    The more frequent a word, the lower its number. 0 is no word: it is for padding.

    Args:
        path: name of the file in the cache.
        num_words: numbers from this one on become `oov_char`; None keeps all.
        skip_top: numbers below this one become `oov_char`.
        maxlen: items of this many words or more are left out; None keeps all.
        test_split: share of the items that are for tests.
        seed: of the order of the items.
        start_char: the number before each item; None for nothing.
        oov_char: the number of all words that are left out; None drops them.
        index_from: what is added to the number of each word.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists of integers; labels
        from 0 to 45, see `get_label_names`.

    Raises:
        DownloadError: if the file is nowhere to be found.
        UnpicklingError: if there is more in it than arrays of numbers.

    Source: Lewis 1997, Reuters-21578, as prepared by Keras's authors.
    """
    form = Numbering(num_words, skip_top, start_char, oov_char, index_from)
    file = load_npz(file_of("reuters", path, _HASH, f"{KERAS_FILES}reuters.npz"))
    order = np.arange(len(file["x"]))
    np.random.RandomState(seed).shuffle(order)  # Keras's order
    texts, labels = form.shifted(file["x"][order]), file["y"][order]
    texts, labels = shorter(maxlen, texts, labels)
    texts, first = form.kept(texts), int(len(texts) * (1 - test_split))
    return (objects(texts[:first]), np.array(labels[:first])), (
        objects(texts[first:]),
        np.array(labels[first:]),
    )


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `load_data` adds its `index_from`.

    Args:
        path: name of the file in the cache.

    Raises:
        DownloadError: if the file is nowhere to be found.
    """
    origin = f"{KERAS_FILES}reuters_word_index.json"
    return word_index(file_of("reuters", path, _INDEX_HASH, origin))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics, in the order of their numbers.

    Example:
        >>> get_label_names()[3]
        'earn'
    """
    return tuple(_TOPICS.split())

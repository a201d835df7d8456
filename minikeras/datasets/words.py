"""What the two data sets of texts have in common: texts as numbers of words.

Words are numbered by how frequent they are, the most frequent one first. In a text the
numbers are shifted, so that the lowest are free for a start, for padding and for words
that are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Numbering", "objects", "shorter", "word_index"]


class Numbering(NamedTuple):
    """How words become numbers.

    Attributes:
        num_words: numbers from this one on are left out; None keeps all.
        skip_top: numbers below this one are left out.
        start_char: stands before each text; None for nothing.
        oov_char: stands for what is left out; None for nothing.
        index_from: is added to the number of each word.
    """

    num_words: int | None
    skip_top: int
    start_char: int | None
    oov_char: int | None
    index_from: int | None

    def shifted(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return texts with the numbers shifted, and their start marked."""
        shift = self.index_from or 0
        if self.start_char is None:
            return [[word + shift for word in text] for text in texts]
        start = [self.start_char]
        return [start + [word + shift for word in text] for text in texts]

    def kept(self, texts: list[list[int]]) -> list[list[int]]:
        """Return texts without the words that are left out."""
        end = self.num_words or max(max(text) for text in texts)
        low, other = self.skip_top, self.oov_char
        if other is None:
            return [[word for word in text if low <= word < end] for text in texts]
        return [
            [word if low <= word < end else other for word in text] for text in texts
        ]


def shorter(maxlen: int | None, texts: list[Any], labels: Any) -> tuple[list[Any], Any]:
    """Return the texts of fewer than `maxlen` words, and their labels."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    return [texts[i] for i in kept], [labels[i] for i in kept]


def objects(texts: list[Any]) -> np.ndarray[Any, Any]:
    """Return an array of lists."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def word_index(path: str) -> dict[str, int]:
    """Return the numbers of words from a file in JSON."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)

"""Vocabularies: which tokens there are, how often, and the number of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np

from minikeras.backend.text.hashing import hash_bins
from minikeras.backend.text.strings import as_text

__all__ = [
    "TokenCounts",
    "TokenTable",
    "numbers_of_unknown",
    "padded_numbers",
    "token_array",
]


def token_array(x: Any, dtype: str, encoding: str = "utf-8") -> np.ndarray[Any, Any]:
    """Return tokens as an array: text, or integers of a dtype."""
    return as_text(x, encoding) if dtype == "string" else np.asarray(x).astype(dtype)


class TokenTable:
    """Numbers for tokens, and tokens for numbers.

    Args:
        tokens: what has numbers of its own, in order.
        start: the number of the first one.
        known: further tokens with their numbers, which go before.
        unknown: makes the numbers of an array of all other tokens.

    Example:
        >>> table = TokenTable(["to", "be"], 1, {}, np.zeros_like)
        >>> table.numbers(as_text(["be", "to", "to"]))
        array([2, 1, 1])
    """

    def __init__(
        self,
        tokens: Sequence[Any],
        start: int,
        known: dict[Any, int],
        unknown: Callable[..., Any],
    ) -> None:
        self.tokens = list(tokens)
        self.start = start
        self.number_of = {t: n for n, t in enumerate(self.tokens, start)} | known
        self.token_of = {n: t for t, n in self.number_of.items()}
        self.unknown = unknown

    def __len__(self) -> int:
        """Return how many numbers are taken, those before `start` included."""
        return self.start + len(self.tokens)

    def numbers(self, tokens: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the number of each token (int64)."""
        flat = tokens.reshape(-1)
        none = np.iinfo(np.int64).min
        each = map(self.number_of.get, flat.tolist(), repeat(none))
        numbers = np.fromiter(each, np.int64, flat.size)
        others = np.flatnonzero(numbers == none)
        if others.size:
            numbers[others] = self.unknown(flat[others])
        return numbers.reshape(tokens.shape)

    def words(self, numbers: Any, unknown: Any, dtype: str) -> np.ndarray[Any, Any]:
        """Return the token of each number, `unknown` where there is none."""
        numbers = np.asarray(numbers)
        flat = numbers.reshape(-1).tolist()
        tokens = [self.token_of.get(n, unknown) for n in flat]
        kind = object if dtype == "string" else dtype
        return np.array(tokens, kind).reshape(numbers.shape)


def numbers_of_unknown(
    tokens: np.ndarray[Any, Any],
    start: int,
    bins: int,
    salt: Sequence[int] | None = None,
    by_remainder: bool = False,
) -> np.ndarray[Any, Any]:
    """Return numbers for tokens that are in no vocabulary.

    Args:
        tokens: an array.
        start: the first of the numbers set aside for them.
        bins: how many are set aside.
        salt: a key for the hashes by which they are shared out.
        by_remainder: whether integers are shared out by their remainders instead.

    Raises:
        ValueError: if there are no such numbers.
    """
    if not bins:
        raise ValueError(
            "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV "
            f"values {tokens.tolist()}, consider setting `num_oov_indices=1`."
        )
    if bins == 1:
        return np.full(tokens.shape, start)
    shared = tokens % bins if by_remainder else hash_bins(tokens, bins, salt)
    return start + shared


def padded_numbers(
    rows: np.ndarray[Any, Any],
    numbers: Callable[..., Any],
    length: int | None,
    padding: int,
) -> np.ndarray[Any, Any]:
    """Return the numbers of the tokens in lists, as one array.

    Args:
        rows: an array of lists of tokens.
        numbers: makes them of an array of tokens.
        length: of all rows in the result; that of the longest by default.
        padding: what short rows are filled up with.

    Shapes:
        rows: (...)
        returns: (..., length)
    """
    lists = [row[:length] for row in rows.reshape(-1).tolist()]
    lengths = np.array([len(row) for row in lists], int)
    width = lengths.max(initial=0) if length is None else length
    flat = np.empty(lengths.sum(), object)
    flat[:] = [*chain.from_iterable(lists)]
    found = np.full((len(lists), width), padding, np.int64)
    found[np.arange(width) < lengths[:, None]] = numbers(flat)
    return found.reshape(*rows.shape, width)


class TokenCounts:
    """How often tokens were met, and in how many documents."""

    def __init__(self) -> None:
        self.of_token: Counter[Any] = Counter()
        self.of_document: Counter[Any] = Counter()
        self.documents = 0

    def add(self, documents: Iterable[Sequence[Any]]) -> None:
        """Count the tokens of documents, each a list of them."""
        for document in documents:
            self.documents += 1
            self.of_token.update(document)
            self.of_document.update(set(document))

    def most_frequent(self, limit: int | None, without: Iterable[Any]) -> list[Any]:
        """Return the tokens by falling frequency, equal ones by falling order.

        Args:
            limit: how many at most.
            without: tokens that are not to be among them.
        """
        left_out = set(without)
        pairs = [(n, t) for t, n in self.of_token.items() if t not in left_out]
        return [token for _, token in sorted(pairs, reverse=True)[:limit]]

    def inverse_frequencies(self, tokens: Sequence[Any]) -> list[float]:
        """Return for each token log(1 + documents / (1 + documents that have it))."""
        having = np.array([self.of_document[token] for token in tokens])
        return np.log(1 + self.documents / (1 + having)).tolist()

"""From strings and integers to bins, by TensorFlow's very hash functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minikeras.backend.text.farmhash import fingerprint64, fingerprint_cat64
from minikeras.backend.text.siphash import siphash
from minikeras.backend.text.strings import as_bytes, as_text

__all__ = ["crossed_bins", "hash_bins"]

# TensorFlow's own key for crosses of features.
_CROSS_KEY = 0xDECAFCAFFE


def hash_bins(
    values: Any, bins: int, salt: Sequence[int] | None = None, mask: Any = None
) -> Any:
    """Return for each value one of a number of bins, from 0 (int64).

    Args:
        values: strings, or numbers, which count as the decimal digits of an integer.
        bins: how many there are.
        salt: two integers, the key of SipHash; without it FarmHash is used.
        mask: the value to which bin 0 belongs alone, if there are more than one.

    Example:
        >>> hash_bins(["A", "B", "C"], 3), hash_bins([0, 1], 3)
        (array([1, 0, 1]), array([1, 0]))
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        values = as_text(values)
    if mask is None or bins == 1:
        return (_hashes(values, salt) % bins).astype(np.int64)
    return np.where(values == mask, 0, hash_bins(values, bins - 1, salt) + 1)


def crossed_bins(columns: Sequence[Any], bins: int) -> Any:
    """Return for the values at each place of several columns one bin for all (int64).

    Args:
        columns: integers or strings, all of one shape.
        bins: how many there are.
    """
    words = [
        column.astype(np.int64).view(np.uint64)
        if column.dtype.kind in "iub"
        else _hashes(column)
        for column in map(np.asarray, columns)
    ]
    start = np.full(words[0].shape, _CROSS_KEY, np.uint64)
    joined = functools.reduce(fingerprint_cat64, words, start)
    return (joined % bins).astype(np.int64)


def _hashes(
    values: np.ndarray[Any, Any], salt: Sequence[int] | None = None
) -> np.ndarray[Any, Any]:
    """Return a 64-bit hash of each value."""
    if values.dtype.kind in "biuf":
        values = values.astype(np.int64).astype(np.bytes_)
    of_rows = fingerprint64 if salt is None else functools.partial(siphash, key=salt)
    return _by_length(of_rows, as_bytes(values)).reshape(values.shape)


def _by_length(
    of_rows: Callable[..., Any], strings: Sequence[bytes]
) -> np.ndarray[Any, Any]:
    """Return the hash of each string, those of one length being made together."""
    hashes = np.empty(len(strings), np.uint64)
    lengths = np.array([len(string) for string in strings], int)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        together = b"".join([strings[i] for i in places.tolist()])
        rows = np.frombuffer(together, np.uint8).reshape(len(places), length)
        hashes[places] = of_rows(rows)
    return hashes

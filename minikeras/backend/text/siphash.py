"""SipHash-2-4, a hash with a secret key, of many strings of one length at a time.

Source: J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF, 2012,
https://eprint.iacr.org/2012/351.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["siphash"]

Words = np.ndarray[Any, Any]  # of uint64

# "somepseudorandomlygeneratedbytes"
_START = (
    0x736F6D6570736575,
    0x646F72616E646F6D,
    0x6C7967656E657261,
    0x7465646279746573,
)


def siphash(rows: np.ndarray[Any, Any], key: Sequence[int]) -> Words:
    """Return the hash of each row of bytes.

    Args:
        rows: the strings.
        key: two 64-bit integers.

    Shapes:
        rows: (strings, length)
        returns: (strings)
    """
    count, length = rows.shape
    padded = np.zeros((count, length // 8 * 8 + 8), np.uint8)
    padded[:, :length] = rows
    padded[:, -1] = length % 256
    keys = [k % 2**64 for k in key] * 2
    v: list[Words] = [
        np.full(count, k ^ start, np.uint64)
        for k, start in zip(keys, _START, strict=True)
    ]
    for word in padded.view("<u8").T.astype(np.uint64):
        v[3] = v[3] ^ word
        _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[Words], count: int) -> None:
    """Stir the four words."""
    for _ in range(count):
        _half_round(v, 0, 1, 2, 3, 13, 16)
        _half_round(v, 2, 1, 0, 3, 17, 21)


def _half_round(
    v: list[Words], a: int, b: int, c: int, d: int, by: int, by_other: int
) -> None:
    v[a] = v[a] + v[b]
    v[b] = _rotated(v[b], by) ^ v[a]
    v[a] = _rotated(v[a], 32)
    v[c] = v[c] + v[d]
    v[d] = _rotated(v[d], by_other) ^ v[c]


def _rotated(x: Words, by: int) -> Words:
    return (x << by) | (x >> (64 - by))

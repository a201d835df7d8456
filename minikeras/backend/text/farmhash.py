"""FarmHash's 64-bit fingerprint, of many strings of one length at a time.

A string is a row of bytes. All rows go through the same steps, in arithmetic on
unsigned 64-bit integers that wraps around, as arrays of NumPy do by themselves.

Source: G. Pike, FarmHash, https://github.com/google/farmhash, namespace farmhashna:
``Fingerprint64`` promises the same values for ever.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fingerprint64", "fingerprint_cat64"]

Words = np.ndarray[Any, Any]  # of uint64
Rows = np.ndarray[Any, Any]  # of uint8

# Primes between 2^63 and 2^64.
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def fingerprint64(rows: Rows) -> Words:
    """Return the fingerprint of each row of bytes.

    Shapes:
        rows: (strings, length)
        returns: (strings)
    """
    length = rows.shape[1]
    if length <= 16:
        return _up_to_16(rows, length)
    if length <= 32:
        return _up_to_32(rows, length)
    return _up_to_64(rows, length) if length <= 64 else _longer(rows, length)


def fingerprint_cat64(first: Words, second: Words) -> Words:
    """Return the fingerprints of pairs of fingerprints, as TensorFlow joins them.

    Source: ``FingerprintCat64`` in tensorflow/core/platform/fingerprint.h.
    """
    multiplier = 0xC6A4A7935BD1E995
    joined = (first ^ multiplier) ^ (_shift_mix(second * multiplier) * multiplier)
    return _shift_mix(_shift_mix(joined * multiplier) * multiplier)


# -- parts -----------------------------------------------------------------------------


def _at(rows: Rows, place: int, size: int = 8) -> Words:
    """Return the little-endian number in the bytes that begin at `place`."""
    start = place % rows.shape[1]
    part = np.ascontiguousarray(rows[:, start : start + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def _rotated(x: Words, by: int) -> Words:
    return (x >> by) | (x << (64 - by))


def _shift_mix(x: Words) -> Words:
    return x ^ (x >> 47)


def _mixed(u: Words, v: Words, multiplier: Any) -> Words:
    """Return a hash of two words."""
    a = _shift_mix((u ^ v) * multiplier)
    return _shift_mix((v ^ a) * multiplier) * multiplier


# -- by length -------------------------------------------------------------------------


def _up_to_16(rows: Rows, length: int) -> Words:
    multiplier = K2 + length * 2
    if length >= 8:
        a, b = _at(rows, 0) + K2, _at(rows, -8)
        c = _rotated(b, 37) * multiplier + a
        return _mixed(c, (_rotated(a, 25) + b) * multiplier, multiplier)
    if length >= 4:
        first, last = _at(rows, 0, 4), _at(rows, -4, 4)
        return _mixed((first << 3) + length, last, multiplier)
    if length:
        y = _at(rows, 0, 1) + (_at(rows, length >> 1, 1) << 8)
        z = (_at(rows, -1, 1) << 2) + length
        return _shift_mix((y * K2) ^ (z * K0)) * K2
    return np.full(len(rows), K2, np.uint64)


def _up_to_32(rows: Rows, length: int) -> Words:
    multiplier = K2 + length * 2
    a, b = _at(rows, 0) * K1, _at(rows, 8)
    c, d = _at(rows, -8) * multiplier, _at(rows, -16) * K2
    first = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _mixed(first, a + _rotated(b + K2, 18) + c, multiplier)


def _up_to_64(rows: Rows, length: int) -> Words:
    multiplier = K2 + length * 2
    a, b = _at(rows, 0) * K2, _at(rows, 8)
    c, d = _at(rows, -8) * multiplier, _at(rows, -16) * K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _mixed(y, a + _rotated(b + K2, 18) + c, multiplier)
    e, f = _at(rows, 16) * multiplier, _at(rows, 24)
    g = (y + _at(rows, -32)) * multiplier
    h = (z + _at(rows, -24)) * multiplier
    first = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _mixed(first, e + _rotated(f + a, 18) + g, multiplier)


Pair = tuple[Words, Words]


class _State:
    """Seven words: x, y, z, and the pairs v and w."""

    def __init__(self, rows: Rows) -> None:
        zero = np.zeros(len(rows), np.uint64)
        seed = 81
        self.rows = rows
        self.x = zero + seed * K2 % 2**64 + _at(rows, 0)
        self.y = zero + (seed * K1 + 113) % 2**64
        self.z = _shift_mix(self.y * K2 + 113) * K2
        self.v, self.w = (zero, zero), (zero, zero)

    def take(self, at: int, multiplier: Any, times: int) -> None:
        """Mix in the 64 bytes that begin at a place."""

        def word(i: int) -> Words:
            return _at(self.rows, at + 8 * i)

        v, w = self.v, self.w
        x = _rotated(self.x + self.y + v[0] + word(1), 37) * multiplier
        y = _rotated(self.y + v[1] + word(6), 42) * multiplier
        x = x ^ (w[1] * times)
        y = y + v[0] * times + word(5)
        z = _rotated(self.z + w[0], 33) * multiplier
        self.v = self.half(at, v[1] * multiplier, x + w[0])
        self.w = self.half(at + 32, z + w[1], y + word(2))
        self.x, self.y, self.z = z, y, x

    def half(self, at: int, a: Words, b: Words) -> Pair:
        """Return the hash of 32 bytes and two seeds, as two words."""
        w, x, y, z = (_at(self.rows, at + 8 * i) for i in range(4))
        a = a + w
        b = _rotated(b + a + z, 21)
        whole = a + x + y
        return whole + z, b + _rotated(whole, 44) + a


def _longer(rows: Rows, length: int) -> Words:
    state = _State(rows)
    for at in range(0, (length - 1) // 64 * 64, 64):
        state.take(at, K1, 1)
    multiplier = ((state.z & 0xFF) << 1) + K1
    first = state.w[0] + ((length - 1) & 63)
    v = state.v[0] + first
    state.v, state.w = (v, state.v[1]), (first + v, state.w[1])
    state.take(length - 64, multiplier, 9)
    v, w = state.v, state.w
    left = _mixed(v[0], w[0], multiplier) + _shift_mix(state.y) * K0 + state.z
    return _mixed(left, _mixed(v[1], w[1], multiplier) + state.x, multiplier)

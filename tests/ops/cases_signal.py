"""Calls of signal, complex and special functions, and of reductions by number."""

from __future__ import annotations

import numpy as np

from tests.ops.cases import Case, each, floats, integers, positive

__all__ = ["CASES"]

X, Y = floats(3, 4), floats(3, 4)
Z = (X + 1j * Y).astype("complex64")
SPECIAL = np.float32([1, np.nan, np.inf, -np.inf, 0, -0.0, -2.5])
OTHERS = np.float32([np.nan, 2, -np.inf, 3, -0.0, 0, 1])

NUMBERS = [
    *each("real imag conj conjugate angle isreal abs view_as_real", Z),
    *each("real imag conj conjugate angle isreal view_as_real", X),
    *each("real imag conj angle isreal", integers(3)),
    *each("angle isreal signbit", SPECIAL),
    *each("polar", positive(3, 4), Y),
    *each("view_as_complex", floats(3, 2)),
    *each("view_as_complex", integers(3, 2)),
    *each("cbrt erfc sinc i0 signbit", X * 2),
    *each("cbrt sinc i0 erfc signbit", integers(3, 4)),
    *each("cbrt erfc", SPECIAL),
    *each("erfinv", floats(3, 4, low=-0.99, high=0.99)),
    *each("erfinv", np.float32([-1, 1, 0, 2, np.nan])),
    *each("fmax fmin fmod nextafter", X, Y[:1]),
    *each("fmax fmin nextafter", SPECIAL, OTHERS),
    *each("fmax fmin fmod", integers(3, 4), positive(4)),
    *each("fmod gcd lcm", integers(3, 4), integers(4, low=1)),
    *each("gcd lcm", integers(3, 4), 6),
    *each("view", X),
    *each("view", X, dtype="uint8"),
    *each("view", integers(3, 4), "int16"),
    *each("view", integers(3, 4), "float32"),
    *each("bartlett blackman hamming hanning", 6),
    *each("bartlett blackman hamming hanning", 1),
    *each("kaiser", 7, 8.6),
]

SIGNAL, ODD = floats(2, 23), floats(3, 9)
PIECES = floats(2, 5, 5), floats(2, 5, 5)
WEIGHTS = positive(6)

SIGNALS = [
    *(Case(name, ((X, Y),), unknown=False) for name in ("fft", "fft2", "ifft2")),
    *(
        Case(name, ([floats(2, 3, 5), floats(2, 3, 5)],), unknown=False)
        for name in ("fft2", "ifft2")
    ),
    *each("rfft", X),
    *each("rfft", ODD),
    *each("rfft", ODD, 8),
    *each("rfft", ODD, fft_length=12),
    *each("irfft", (X, Y)),
    *each("irfft", (X, Y), 5),
    *each("irfft", (X, Y), fft_length=9),
    *each("extract_sequences", SIGNAL, 5, 2),
    *each("extract_sequences", floats(7), sequence_length=3, sequence_stride=4),
    *each("stft", SIGNAL, 8, 3, 8),
    *each("stft", SIGNAL, 6, 2, 9, window="hamming", center=False),
    *each("stft", floats(2, 3, 17), 6, 4, 8, window=WEIGHTS),
    *each("stft", floats(17), 5, 5, 8, window=None),
    *each("istft", PIECES, 8, 3, 8),
    *each("istft", PIECES, 6, 2, 9, window="hamming", center=False),
    *each("istft", PIECES, 6, 4, 8, length=13, window=WEIGHTS),
    *each("istft", PIECES, 8, 2, 8, window=None),
]

IDS = np.array([1, 0, -1, 1, 7, 3], "int32")

REDUCTIONS = "segment_sum segment_max segment_min segment_prod"

SEGMENTS = [
    case
    for rows in (floats(6, 3), floats(6), floats(6, 2, 2), integers(6, 2))
    for case in each(REDUCTIONS, rows, IDS, num_segments=5)
]

CASES: list[Case] = [*NUMBERS, *SIGNALS, *SEGMENTS]

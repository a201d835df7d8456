"""From random bits to random numbers: uniform, normal, truncated normal."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType

import numpy as np

from minikeras.engine import dtypes
from minikeras.engine.dtypes import DType
from minikeras.engine.kernels import philox
from minikeras.engine.spec import Array

__all__ = ["Law", "draw", "normal", "truncated", "uniform"]

# A law makes numbers of random words, which have 64 bits for float64 and else 32.
Law = Callable[[ModuleType, Array, DType], Array]

# By dtype, how many random bits become a number in [0, 1).
DIGITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}


def uniform(xp: ModuleType, words: Array, dtype: DType) -> Array:
    """Return multiples of 2**-DIGITS in [0, 1), each as likely as the others."""
    digits, kind = DIGITS[dtype], dtype.as_numpy_dtype
    whole = words >> (8 * words.itemsize - digits)
    return whole.astype(kind) * kind.type(2.0**-digits)


def normal(xp: ModuleType, words: Array, dtype: DType) -> Array:
    """Return standard normal numbers: points of the plane, by radius and angle.

    Source: Box and Muller 1958, doi:10.1214/aoms/1177706645.
    """
    width = 8 * words.itemsize
    odd = words | 1  # above 0: it has a logarithm
    fractions = odd.astype(f"float{width}") * 2.0**-width
    radius = xp.sqrt(-2 * xp.log(fractions[::2]))
    angle = 2 * math.pi * fractions[1::2]
    return xp.stack([radius * xp.cos(angle), radius * xp.sin(angle)], 1).reshape(-1)


# erfinv(x) / x as a polynomial in -log(1 - x²) - 2.5, the highest power first; from
# Giles 2012, "Approximating the erfinv function", GPU Computing Gems, table 5.
ERFINV = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)


def truncated(xp: ModuleType, words: Array, dtype: DType) -> Array:
    """Return standard normal numbers under the condition that they lie within ±2.

    By inversion of the distribution function: unlike drawing again what falls outside,
    it takes the same time for each number. The error is 4e-7 at most.
    """
    working = dtypes.as_dtype(f"float{8 * words.itemsize}")
    x = (2 * uniform(xp, words, working) - 1) * math.erf(math.sqrt(2))
    w = -xp.log((1 - x) * (1 + x)) - 2.5
    ratio = xp.zeros_like(w)
    for coefficient in ERFINV:
        ratio = ratio * w + coefficient
    return xp.clip(math.sqrt(2) * x * ratio, -2, 2)


# So many numbers at a time stay in a processor's cache, about twice as fast.
BLOCK = 2**14


def draw(
    xp: ModuleType, law: Law, key: Array, count: int, dtype: DType, stream: int = 0
) -> Array:
    """Return `count` numbers that follow `law`; see `philox.bits` for the stream."""
    words = philox.bits(xp, key, count + count % 2, _width(dtype), stream)  # in pairs
    y = xp.empty(words.shape, dtype.as_numpy_dtype)
    step = BLOCK if xp is np else max(count, 1)
    for i in range(0, count, step):
        y[i : i + step] = law(xp, words[i : i + step], dtype)
    return y[:count]


def drawing(law: Law, y: Array, key: Array, dtype: DType) -> Callable[[], None]:
    """Return the call that fills the vector `y`, on the CPU, with what `draw` gives."""
    words = np.empty(y.size + y.size % 2, f"uint{_width(dtype)}")
    fill = philox.drawing(words, key)
    starts = range(0, y.size, BLOCK)
    pairs = [(words[i : i + BLOCK], y[i : i + BLOCK]) for i in starts]

    def call() -> None:
        fill()
        for some, block in pairs:
            block[...] = law(np, some, dtype)[: block.size]

    return call


def _width(dtype: DType) -> int:
    return 64 if dtype == "float64" else 32

"""Random bits without a state: Philox4x64-10, a cipher applied to a counter.

Block i of a stream, four words of 64 bits, is the encryption of the number i under the
stream's key. So each block can be had by itself, in any order, on any device, and the
same key gives the same bits.

Two versions of one function: NumPy brings the generator in C, while on the GPU one
kernel computes all blocks side by side. The variant with 32-bit words could have been
written once, in array arithmetic, but a million such words would take 8 ms instead of
2 ms, and a small layer's dropout mask 100 µs instead of 10.

Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine.spec import Array

__all__ = ["bits", "derived_key"]

WORD = 2**64

# CUDA C for block i; the key and the counter each have more words, which are 0 here.
BLOCK = """
unsigned long long c0 = i + 1, c1 = stream, c2 = 0, c3 = 0;
unsigned long long k0 = key[0] | (unsigned long long) key[1] << 32, k1 = 0;
for (int round = 0; round < 10; ++round) {
    unsigned long long high0 = __umul64hi(0xD2E7470EE14C6C93ull, c0);
    unsigned long long high2 = __umul64hi(0xCA5A826395121157ull, c2);
    unsigned long long low0 = 0xD2E7470EE14C6C93ull * c0;
    unsigned long long low2 = 0xCA5A826395121157ull * c2;
    c0 = high2 ^ c1 ^ k0;
    c1 = low2;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B97F4A7C15ull;
    k1 += 0xBB67AE8584CAA73Bull;
}
words[4 * i] = c0;
words[4 * i + 1] = c1;
words[4 * i + 2] = c2;
words[4 * i + 3] = c3;
"""


def bits(xp: ModuleType, key: Array, count: int, width: int, stream: int = 0) -> Array:
    """Return random unsigned integers.

    Args:
        xp: the array library, NumPy or CuPy.
        key: two words, uint32.
        count: how many integers to return.
        width: their bits, 32 or 64.
        stream: tells apart several draws with one key; below 2**64.

    Shapes:
        key: (2)
        returns: (count)
    """
    words = -(-count * width // 64)
    draw = _on_cpu if xp is np else _on_gpu
    return draw(xp, key, words, stream).view(f"uint{width}")[:count]


def _on_cpu(xp: ModuleType, key: Array, count: int, stream: int) -> Array:
    # NumPy counts up before it encrypts: its first block is that of counter 1.
    return np.random.Philox(counter=stream * WORD, key=_joined(key)).random_raw(count)


def _on_gpu(xp: ModuleType, key: Array, count: int, stream: int) -> Array:
    blocks = -(-count // 4)
    words = xp.empty(4 * blocks, np.uint64)
    _gpu_kernel(xp)(key, np.uint64(stream), words, size=blocks)
    return words[:count]


@cache
def _gpu_kernel(xp: Any) -> Any:
    types = "raw uint32 key, uint64 stream", "raw uint64 words"
    return xp.ElementwiseKernel(*types, BLOCK, "philox4x64")


def _joined(key: Array) -> int:
    low, high = key.tolist()
    return low | high << 32


def derived_key(seed: int, *numbers: int) -> Array:
    """Return a key that depends on `seed` and on each of `numbers`, in their order.

    It is a block, too, in which the numbers are the counter. The second word of the
    cipher's key keeps these blocks apart from those that `bits` makes of a seed.
    """
    key = seed % WORD
    for i in range(0, len(numbers), 4):
        words = (n % WORD for n in numbers[i : i + 4])
        counter = sum(n << 64 * j for j, n in enumerate(words))
        block = np.random.Philox(counter=counter, key=key + WORD)
        key = int(block.random_raw())
    return np.array([key % 2**32, key >> 32], np.uint32)

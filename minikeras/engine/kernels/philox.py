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

import threading
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine.spec import Array

__all__ = ["bits", "derived_key", "drawing"]

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
    return _cipher.started(_joined(key), 0, stream).random_raw(count)


# Words at a time: they stay in a processor's cache on their way to where they belong.
AT_ONCE = 2**12


def drawing(y: Array, key: Array) -> Callable[[], None]:
    """Return the call that fills `y`, on the CPU, with what `bits` gives for `key`.

    Shapes:
        y: (count), uint32 or uint64
        key: (2)
    """
    even = y[: y.nbytes // 8 * 8 // y.itemsize]
    rest, words = y[len(even) :], even.view(np.uint64)
    blocks = [words[i : i + AT_ONCE] for i in range(0, len(words), AT_ONCE)]

    def call() -> None:
        cipher = _cipher.started(_joined(key))
        for block in blocks:
            np.copyto(block, cipher.random_raw(len(block)))
        if rest.size:
            rest[0] = cipher.random_raw() % 2**32

    return call


class _Cipher(threading.local):
    """NumPy's generator, one for each thread: to start it anew takes less than to make.

    It counts up before it encrypts: its first block is that of counter 1.
    """

    def __init__(self) -> None:
        self.generator = np.random.Philox(0)
        self.state: Any = self.generator.state
        self.counter, self.key = (self.state["state"][k] for k in ("counter", "key"))

    def started(self, key: int, *counter: int) -> np.random.Philox:
        """Return the generator with this key and counter, whose words may be left out.

        The words of both follow one another from the lowest on.
        """
        self.key[0], self.key[1] = key % WORD, key // WORD
        self.counter[:] = 0
        for i, word in enumerate(counter):
            self.counter[i] = word
        self.generator.state = self.state
        return self.generator


_cipher = _Cipher()


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
        counter = (n % WORD for n in numbers[i : i + 4])
        key = _cipher.started(key + WORD, *counter).random_raw()
    return np.array([key % 2**32, key >> 32], np.uint32)

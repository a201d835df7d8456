"""Random bits: against the cipher written out, and its authors' published vectors."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from minikeras.engine import devices
from minikeras.engine.kernels import philox

KEY = np.array([0x89ABCDEF, 0x01234567], "uint32")


def encrypted(counter, key):
    """Philox4x64-10 in Python's integers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (
            (second >> 64) ^ c1 ^ k0,
            second % 2**64,
            (first >> 64) ^ c3 ^ k1,
            first % 2**64,
        )
        k0 = (k0 + 0x9E3779B97F4A7C15) % 2**64
        k1 = (k1 + 0xBB67AE8584CAA73B) % 2**64
    return [c0, c1, c2, c3]


def blocks(count, stream=0):
    """The stream of KEY, block after block."""
    key = (0x0123456789ABCDEF, 0)
    found = [encrypted((i + 1, stream, 0, 0), key) for i in range(count)]
    return np.array(found, "uint64").reshape(-1)


# Random123 1.14, tests/kat_vectors, "philox4x64 10": counter, key, result.
KNOWN = """
    0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000
    16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b

    ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff
    ffffffffffffffff ffffffffffffffff
    87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0

    243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89
    452821e638d01377 be5466cf34e90c6c
    a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6
"""


@pytest.mark.parametrize("vector", KNOWN.strip().split("\n\n"))
def test_the_cipher_of_this_test_is_the_authors(vector):
    words = [int(word, 16) for word in vector.split()]
    assert encrypted(words[:4], words[4:6]) == words[6:]


def drawn(*args, **kwargs):
    key = devices.to_device(KEY)
    return devices.to_host(philox.bits(devices.xp, key, *args, **kwargs))


def test_bits_are_the_encrypted_counter():
    np.testing.assert_array_equal(drawn(13, 64), blocks(4)[:13])


def test_words_of_32_bits_are_halves_the_lower_first():
    halves = np.stack([blocks(4) % 2**32, blocks(4) >> 32], 1).reshape(-1)
    np.testing.assert_array_equal(drawn(31, 32), halves[:31])
    assert drawn(31, 32).dtype == "uint32"


def test_streams_of_one_key_are_other_blocks():
    np.testing.assert_array_equal(drawn(8, 64, stream=7), blocks(2, stream=7))
    last = 2**64 - 1
    np.testing.assert_array_equal(drawn(8, 64, stream=last), blocks(2, stream=last))


def test_no_bits_are_an_empty_array():
    assert drawn(0, 32).shape == drawn(0, 64).shape == (0,)


def test_a_derived_key_depends_on_every_number_and_their_order():
    numbers = [(1,), (2,), (1, 2), (2, 1), (1, 2, 0, 0, 5), (1, 2, 0, 0, 6), (-1,), ()]
    keys = {tuple(philox.derived_key(seed, *n)) for n in numbers for seed in (0, 1)}
    assert len(keys) == 2 * len(numbers)


def test_a_derived_key_is_the_same_every_time():
    first, second = philox.derived_key(3, 4, 5), philox.derived_key(3, 4, 5)
    np.testing.assert_array_equal(first, second)
    word = encrypted((4 + 1, 5, 0, 0), (3, 1))[0]
    np.testing.assert_array_equal(first, [word % 2**32, word >> 32])


C_PROGRAM = """
#include <stdint.h>
#define __umul64hi(a, b) ((uint64_t) (((unsigned __int128) (a) * (b)) >> 64))
void fill(const uint32_t *key, uint64_t stream, uint64_t *words, long blocks) {
    for (long i = 0; i < blocks; ++i) {
        %s
    }
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_gpu_kernel_gives_the_same_bits(tmp_path):
    """As C on the CPU: its text has nothing of CUDA but the upper half of a product."""
    source, library = tmp_path / "philox.c", tmp_path / "philox.so"
    source.write_text(C_PROGRAM % philox.BLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
    words = np.empty(40, "uint64")
    ctypes.CDLL(str(library)).fill(
        KEY.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_uint64(9),
        words.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_long(10),
    )
    np.testing.assert_array_equal(words, blocks(10, stream=9))

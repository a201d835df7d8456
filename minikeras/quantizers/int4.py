"""Two 4-bit integers in a byte."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = ["pack_int4", "unpack_int4"]


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Any, Any, int]:
    """Return bytes that hold two numbers each, their shape, and how many there were.

    The first number of a pair is in the low four bits; an odd one is paired with 0.

    Args:
        arr: numbers from -8 to 7, or from 0 to 15.
        axis: along which neighbors are paired.
        dtype: of `arr` and of the bytes, ``"int8"`` or ``"uint8"``.

    Raises:
        ValueError: if `dtype` is neither.
        TypeError: if it is not that of `arr`.

    Example:
        >>> packed, shape, length = pack_int4(np.array([1, 2, 3], "int8"))
        >>> packed, shape, length
        (array([33,  3], dtype=int8), (2,), 3)
    """
    _check(dtype)
    kind = K.standardize_dtype(arr.dtype)
    if kind != dtype:
        raise TypeError(f"Expected {dtype} tensor for packing, got {kind}.")
    x: Any = K.moveaxis(arr, axis, 0)
    length = x.shape[0]
    x = K.pad(x, [(0, length % 2)] + [(0, 0)] * (len(x.shape) - 1))
    low, high = K.bitwise_and(x[::2], 15), K.left_shift(x[1::2], 4)
    packed: Any = K.moveaxis(K.cast(K.bitwise_or(low, high), dtype), 0, axis)
    return packed, tuple(packed.shape), length


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Any:
    """Return the numbers that `pack_int4` put into bytes.

    Args:
        packed: the bytes.
        orig_len: how many numbers there were along `axis`.
        axis: along which neighbors were paired.
        dtype: ``"int8"`` for numbers from -8 to 7, ``"uint8"`` for those from 0 to 15.

    Raises:
        ValueError: if `dtype` is neither.
        TypeError: if `packed` are no bytes.
    """
    _check(dtype)
    if K.standardize_dtype(packed.dtype) not in ("int8", "uint8"):
        raise TypeError(
            f"Expected int8 or uint8 tensor for unpacking, got {packed.dtype}"
        )
    halves = [K.bitwise_and(x, 15) for x in (packed, K.right_shift(packed, 4))]
    count = packed.shape[axis]
    turns = [i // 2 + i % 2 * count for i in range(orig_len)]  # low, high, low ...
    numbers = K.take(K.concatenate(halves, axis), turns, axis)
    if dtype == "int8":
        numbers = K.bitwise_xor(numbers, 8) - 8  # the fourth bit is the sign
    return K.cast(numbers, dtype)


def _check(dtype: str) -> None:
    if dtype not in ("int8", "uint8"):
        raise ValueError(f"Expected dtype to be 'int8' or 'uint8', but got '{dtype}'.")

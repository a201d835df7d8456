"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray[Any, Any]:
    """Return sequences as the rows of an array, filled up or cut to one length.

    Args:
        sequences: lists or arrays; their elements may be arrays of one shape.
        maxlen: the length of a row; that of the longest sequence by default.
        dtype: of the result; ``object`` for strings of any length.
        padding: whether to fill up ``"pre"`` or ``"post"``: before or after.
        truncating: whether to cut off elements at the beginning or at the end.
        value: what is filled in.

    Raises:
        ValueError: if something is no sequence, the elements of two sequences differ in
            shape, or an argument is none of the above.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6, 7]], maxlen=3)
        array([[0, 0, 1],
               [0, 2, 3],
               [5, 6, 7]], dtype=int32)
    """
    for name, side in (("Truncating", truncating), ("Padding", padding)):
        if side not in ("pre", "post"):
            raise ValueError(f'{name} type "{side}" not understood')
    lengths = _lengths(sequences)
    length = max(lengths, default=0) if maxlen is None else maxlen
    filled = next((np.asarray(s) for s in sequences if len(s)), np.zeros(0))
    _check_value(value, dtype)
    rows = np.full((len(lengths), length, *filled.shape[1:]), value, dtype)
    for i, (row, s) in enumerate(zip(rows, sequences, strict=True)):
        start = max(len(s) - length, 0) if truncating == "pre" else 0
        kept = np.asarray(s[start : start + length], dtype)
        if not len(s):
            continue
        if kept.shape[1:] != filled.shape[1:]:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is "
                f"different from expected shape {filled.shape[1:]}"
            )
        before = length - len(kept) if padding == "pre" else 0
        row[before : before + len(kept)] = kept
    return rows


def _lengths(sequences: Any) -> list[int]:
    """Return the length of each sequence.

    Raises:
        ValueError: if these are not sequences.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    lengths = []
    for s in sequences:
        if not hasattr(s, "__len__"):
            raise ValueError(
                f"`sequences` must be a list of iterables. Found non-iterable: {s}"
            )
        lengths.append(len(s))
    return lengths


def _check_value(value: Any, dtype: Any) -> None:
    """Raise ValueError if text is to be filled in among numbers."""
    is_text = np.dtype(dtype).kind in "USO"
    if isinstance(value, str) and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )

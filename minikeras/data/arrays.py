"""Batches of rows, cut out of arrays of one length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

__all__ = ["ArrayBatches", "split_rows"]

# What picks rows: neighbors are a view, others a copy.
Rows = slice | np.ndarray[Any, Any]


class ArrayBatches:
    """The rows of several arrays, a batch at a time.

    Anything with ``shape`` and ``[rows]`` will do, so also an array that lies on disk.

    Args:
        arrays: of one length.
        batch_size: rows per batch; the last one has what is left.
        shuffle: False keeps the order; True takes the rows in a new random order at
            each pass; ``"batch"`` keeps neighbors together and takes the batches in
            random order, which suits arrays on disk.
        rng: makes the source of random numbers for one pass; NumPy's by default.

    Raises:
        ValueError: if the lengths differ, or an argument is none of the above.

    Example:
        >>> for x, y in ArrayBatches([np.arange(3), np.eye(3)], batch_size=2):
        ...     print(x, y.shape)
        [0 1] (2, 3)
        [2] (1, 3)
    """

    def __init__(
        self,
        arrays: Sequence[Any],
        batch_size: int = 32,
        shuffle: bool | str = False,
        rng: Callable[[], np.random.Generator] | None = None,
    ) -> None:
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"shuffle is True, False or 'batch'; got {shuffle!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size is 1 or more; got {batch_size}")
        self.arrays = list(arrays)
        self.rows = _common_length(self.arrays)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.rng = rng or np.random.default_rng

    def __len__(self) -> int:
        """Return the number of batches in a pass."""
        return -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield the batches of one pass: rows of each array."""
        shuffled = self.shuffle is True
        of_each: list[
            Callable[[Any], Any]
        ] = [  # `take` picks rows by their numbers in a quarter of the time
            partial(array.take, axis=0)
            if shuffled and type(array) is np.ndarray
            else array.__getitem__
            for array in self.arrays
        ]
        for rows in self._selections():
            yield [of_array(rows) for of_array in of_each]

    def _selections(self) -> Iterator[Rows]:
        """Yield the rows of each batch."""
        size = self.batch_size
        if self.shuffle is True:
            order = self.rng().permutation(self.rows)
            yield from (order[i : i + size] for i in range(0, self.rows, size))
            return
        numbers = np.arange(len(self))
        if self.shuffle:
            numbers = self.rng().permutation(numbers)
        yield from (slice(i * size, (i + 1) * size) for i in numbers.tolist())


def split_rows(arrays: Sequence[Any], share: float) -> tuple[list[Any], list[Any]]:
    """Return the first rows of each array, and the last ones: `share` of them.

    Raises:
        ValueError: if one of the two parts would be empty.

    Example:
        >>> split_rows([np.arange(5)], 0.4)
        ([array([0, 1, 2])], [array([3, 4])])
    """
    rows = _common_length(arrays)
    first = int(rows * (1.0 - share))
    if not 0 < first < rows:
        raise ValueError(
            f"{rows} rows cannot be split in two parts, one {share} of all"
        )
    return [a[:first] for a in arrays], [a[first:] for a in arrays]


def _common_length(arrays: Sequence[Any]) -> int:
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        shown = ", ".join(str(len(array)) for array in arrays) or "none"
        raise ValueError(f"arrays of one length are needed; got lengths {shown}")
    return lengths.pop()

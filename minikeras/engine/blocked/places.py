"""Where values lie. A place is asked, block by block, for its view.

In a dimension in which a value does not vary its views have size 1, so that NumPy
broadcasts them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minikeras.engine.blocked.geometry import Block

__all__ = [
    "Array",
    "Memory",
    "Place",
    "Scratch",
    "Scratchpad",
    "Slots",
    "Whole",
    "cell",
    "extent",
    "filled",
    "just",
    "seen",
    "spread",
]

Array: TypeAlias = "np.ndarray[Any, Any]"
LINE = 64  # bytes that a cache fetches at once
Place: TypeAlias = "Callable[[Block, Memory], Array]"


class Slots:
    """Scratch as it is being assigned.

    Attributes:
        size: bytes of all slots.
    """

    def __init__(self) -> None:
        self.size = 0
        self._free: dict[int, list[int]] = defaultdict(list)

    def take(self, size: int) -> int:
        """Return the offset of a slot, of that of this size last let go if there is."""
        if self._free[size]:
            return self._free[size].pop()
        offset = self.size
        self.size += -(-size // LINE) * LINE
        return offset

    def give(self, offset: int, size: int) -> None:
        """Let a slot go."""
        self._free[size].append(offset)


class Scratchpad:
    """Memory for scratch, shared by loops of which no two run at the same time.

    So it stays in the cache from one loop to the next.
    """

    def __init__(self) -> None:
        self._buffers: dict[int, Array] = {}

    def memory(self, thread: int, size: int) -> Memory:
        """Return so many bytes for one of a loop's threads."""
        buffer = self._buffers.get(thread)
        if buffer is None or len(buffer) < size:
            buffer = self._buffers[thread] = _aligned(size)
        return Memory(buffer)


def _aligned(size: int) -> Array:
    raw = np.empty(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size]


class Memory:
    """The slots of one thread."""

    def __init__(self, buffer: Array) -> None:
        self._buffer = buffer
        self._views: dict[Any, Array] = {}

    def view(self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Return what begins at `offset` as an array, the same one every time."""
        key = offset, dtype, shape
        if key not in self._views:
            self._views[key] = np.ndarray(shape, dtype, self._buffer, offset)
        return self._views[key]


class Whole(NamedTuple):
    """An array over the whole box, of which a block sees its part."""

    array: Array

    def __call__(self, block: Block, memory: Memory) -> Array:
        """Return the view."""
        if not block.parts:
            return self.array
        parts = zip(block.parts, self.array.shape, strict=True)
        return self.array[tuple([slice(None) if n == 1 else p for p, n in parts])]


class Scratch(NamedTuple):
    """What lies in a slot while a block is worked on.

    Attributes:
        offset: of the slot.
        size: of the slot, in bytes.
        dtype: of the value.
        varies: in which dimensions the value does.
        head: if not 0, the first so many dimensions count as rows, and one more row
            stands before them: room for a running total.
    """

    offset: int
    size: int
    dtype: np.dtype[Any]
    varies: tuple[bool, ...]
    head: int = 0

    def __call__(self, block: Block, memory: Memory) -> Array:
        """Return the view."""
        shape = extent(block.shape, self.varies)
        if not self.head:
            return memory.view(self.offset, self.dtype, shape)
        return self.rows(block, memory)[1:].reshape(shape)

    def rows(self, block: Block, memory: Memory) -> Array:
        """Return the rows, including the one at the head."""
        shape = extent(block.shape, self.varies)
        count = math.prod(shape[: self.head]) + 1
        return memory.view(self.offset, self.dtype, (count, *shape[self.head :]))


def extent(sizes: Sequence[int], varies: Sequence[bool]) -> tuple[int, ...]:
    """Return the shape of a value in a box of `sizes`: 1 where it does not vary."""
    return tuple([n if v else 1 for n, v in zip(sizes, varies, strict=True)])


def cell(array: Array) -> Place:
    """Return the place of one element for each block."""
    return lambda block, memory: array[block.number : block.number + 1]


def filled(array: Array, varies: Sequence[bool]) -> Place:
    """Return the place of one number, all over `array`, as a value that varies."""

    def view(block: Block, memory: Memory) -> Array:
        shape = extent(block.shape, varies)
        return array[: math.prod(shape)].reshape(shape)

    return view


def just(array: Any) -> Place:
    """Return the place of an array that has nothing to do with blocks."""
    return lambda block, memory: array


def spread(place: Place, axes: Sequence[int]) -> Place:
    """Return the place of a value that is repeated where it does not vary in `axes`."""

    def view(block: Block, memory: Memory) -> Array:
        array = place(block, memory)
        sizes = enumerate(zip(array.shape, block.shape, strict=True))
        return np.broadcast_to(array, [n if d in axes else m for d, (m, n) in sizes])

    return view


def seen(place: Place, how: Callable[[Array], Array]) -> Place:
    """Return the place of what is in another, seen in another way."""
    return lambda block, memory: how(place(block, memory))

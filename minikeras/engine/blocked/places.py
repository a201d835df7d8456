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
Place: TypeAlias = "Callable[[Block, Memory], Array]"


class Slots:
    """Scratch as it is being assigned: slots of so many bytes, used again when free."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._free: dict[int, list[int]] = defaultdict(list)

    def take(self, size: int) -> int:
        """Return a slot, the one of this size that was last let go if there is one."""
        if self._free[size]:
            return self._free[size].pop()
        self.sizes.append(size)
        return len(self.sizes) - 1

    def give(self, slot: int) -> None:
        """Let a slot go."""
        self._free[self.sizes[slot]].append(slot)


class Memory:
    """The slots as memory, each at the start of a cache line; every thread has its own.

    Args:
        sizes: of the slots, in bytes.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._slots = [_aligned(size) for size in sizes]
        self._views: dict[Any, Array] = {}

    def view(self, slot: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Return the beginning of a slot as an array, the same one every time."""
        key = slot, dtype, shape
        if key not in self._views:
            size = math.prod(shape) * dtype.itemsize
            self._views[key] = self._slots[slot][:size].view(dtype).reshape(shape)
        return self._views[key]


def _aligned(size: int, line: int = 64) -> Array:
    raw = np.empty(size + line, np.uint8)
    start = -raw.ctypes.data % line
    return raw[start : start + size]


class Whole(NamedTuple):
    """An array over the whole box, of which a block sees its part."""

    array: Array

    def __call__(self, block: Block, memory: Memory) -> Array:
        """Return the view."""
        parts = zip(block.parts, self.array.shape, strict=True)
        return self.array[tuple([slice(None) if n == 1 else p for p, n in parts])]


class Scratch(NamedTuple):
    """What lies in a slot while a block is worked on.

    Attributes:
        slot: its number.
        dtype: of the value.
        varies: in which dimensions the value does.
        head: if not 0, the first so many dimensions count as rows, and one more row
            stands before them: room for a running total.
    """

    slot: int
    dtype: np.dtype[Any]
    varies: tuple[bool, ...]
    head: int = 0

    def __call__(self, block: Block, memory: Memory) -> Array:
        """Return the view."""
        shape = extent(block.shape, self.varies)
        if not self.head:
            return memory.view(self.slot, self.dtype, shape)
        return self.rows(block, memory)[1:].reshape(shape)

    def rows(self, block: Block, memory: Memory) -> Array:
        """Return the rows, including the one at the head."""
        shape = extent(block.shape, self.varies)
        count = math.prod(shape[: self.head]) + 1
        return memory.view(self.slot, self.dtype, (count, *shape[self.head :]))


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

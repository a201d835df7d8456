"""Where a session keeps its variables' values."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minikeras.engine import devices
from minikeras.engine.ops.state import Handle
from minikeras.engine.spec import Array

__all__ = ["ALIGNMENT", "Storage", "aligned"]

ALIGNMENT = 64  # bytes: a line of the cache, and the widest vector
_ALONE = None, None  # the arena of a variable that lies with no others


def aligned(size: int) -> np.ndarray[Any, Any]:
    """Return bytes that begin where a line of the cache does."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + size]


class Storage(MutableMapping[Handle, Array]):
    """The variables' values, each in memory of its own that stays where it is.

    A value that is read is a view on which nobody can write, and which changes when the
    variable does. To set a variable is to copy into its memory, unless its shape or
    dtype becomes another. A variable's value goes when no graph and no program refers
    to the variable any more.

    Attributes:
        generation: changes whenever a variable's memory is another than before.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._memory: WeakKeyDictionary[Handle, Array] = WeakKeyDictionary()
        # Of a variable that lies with others: the ids of all, and the array they share.
        self._arenas: WeakKeyDictionary[Handle, tuple[Any, Any]] = WeakKeyDictionary()

    def __getitem__(self, handle: Handle) -> Array:
        array = self._memory[handle].view()
        if devices.xp is np:
            array.flags.writeable = False
        return array

    def __setitem__(self, handle: Handle, value: Any) -> None:
        kept = self._memory.get(handle)
        value = devices.xp.asarray(value)
        if kept is not None and (kept.shape, kept.dtype) == (value.shape, value.dtype):
            kept[...] = value
        else:
            self._memory[handle] = devices.xp.array(value, order="C")
            self._arenas.pop(handle, None)
            self.generation += 1

    def memory(self, handle: Handle) -> Array:
        """Return the array in which a variable is kept, to be written on."""
        return self._memory[handle]

    def can_join(self, handles: Sequence[Handle]) -> bool:
        """Whether variables may lie one after the other: none lies with others yet."""
        keys = {self._arenas.get(handle, _ALONE)[0] for handle in handles}
        return keys in ({None}, {tuple(map(id, handles))})

    def arena(
        self, handles: Sequence[Handle], starts: Sequence[int], size: int
    ) -> Array:
        """Return one array on which variables lie, each from its start on.

        They lie so from now on, if they did not before, and keep their values.
        """
        key = tuple(map(id, handles))
        kept = [handle.value_in(self) for handle in handles]
        arenas = [self._arenas.get(handle, _ALONE) for handle in handles]
        if all(found == key for found, _ in arenas):
            return arenas[0][1]
        whole = aligned(size * kept[0].itemsize).view(kept[0].dtype)
        whole[:] = 0
        for handle, array, start in zip(handles, kept, starts, strict=True):
            part = whole[start : start + array.size].reshape(array.shape)
            part[...] = array
            self._memory[handle] = part
            self._arenas[handle] = key, whole
        self.generation += 1
        return whole

    def __delitem__(self, handle: Handle) -> None:
        del self._memory[handle]
        self._arenas.pop(handle, None)
        self.generation += 1

    def __contains__(self, handle: object) -> bool:
        return handle in self._memory

    def __iter__(self) -> Iterator[Handle]:
        return iter(list(self._memory))

    def __len__(self) -> int:
        return len(self._memory)

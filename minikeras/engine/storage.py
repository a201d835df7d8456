"""Where a session keeps its variables' values."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minikeras.engine import devices
from minikeras.engine.ops.state import Handle
from minikeras.engine.spec import Array

__all__ = ["Storage"]


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
            self.generation += 1

    def memory(self, handle: Handle) -> Array:
        """Return the array in which a variable is kept, to be written on."""
        return self._memory[handle]

    def place(self, handle: Handle, memory: Array) -> None:
        """Keep a variable in this memory from now on; its value goes along."""
        if handle in self._memory:
            memory[...] = self._memory[handle]
        self._memory[handle] = memory
        self.generation += 1

    def __delitem__(self, handle: Handle) -> None:
        del self._memory[handle]
        self.generation += 1

    def __contains__(self, handle: object) -> bool:
        return handle in self._memory

    def __iter__(self) -> Iterator[Handle]:
        return iter(list(self._memory))

    def __len__(self) -> int:
        return len(self._memory)

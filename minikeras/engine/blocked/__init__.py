"""Running a loop with NumPy's own ufuncs, block by block.

A block is so small that what it reads, writes and keeps is still in the cache when the
next ufunc needs it, and so large that the time of a call goes to its elements. Views,
scratch and order are settled when a loop is bound to its arrays; a run only makes the
calls. Big loops are shared among threads.

Every element gets the bits that the same ufuncs give it on whole arrays. So do totals,
nearly all:

- ``reduce``: `ufunc.reduce` of each row by itself, all along the row;
- ``accumulate`` of what is stored as well, or only loaded; of values per row; over
  leading dimensions; and over everything, where rows do not matter and the operands
  lie in memory as one: `ufunc.reduce` of the whole array, in C order, or as it lies
  if it is only loaded. (But for products of everything, and float16, whose partial sums
  NumPy does not round.)
- ``accumulate`` of other values, if there is more than one block: the total of totals
  of parts of blocks.

No bit depends on the number of threads.
"""

from __future__ import annotations

from minikeras.engine.blocked.binding import bind
from minikeras.engine.blocked.blas import in_one_thread
from minikeras.engine.blocked.lowering import supports
from minikeras.engine.blocked.places import Scratchpad

__all__ = ["Scratchpad", "bind", "in_one_thread", "supports"]

"""Running a loop with NumPy's own ufuncs, block by block.

A block is so small that all it reads, writes and keeps stays in the cache from one
ufunc to the next, and so large that the time a call takes is spent on its elements.
Views, scratch and order are settled when a loop is bound to its arrays; a run makes
the calls, and allocates nothing.

Every element gets the bits that the same ufuncs would give it on whole arrays, and
neither the blocks nor the threads change a bit of any result. Of totals:

- over the row (``reduce``): `ufunc.reduce` of that row, whose elements NumPy adds in
  pairs of pairs;
- over leading dimensions: of the whole array, row after row, as NumPy does it;
- over all elements, where they lie one after the other in all operands: of the whole
  array, in pairs of pairs, as NumPy does it (but for float16);
- over the row and more, where rows matter: of the rows' totals, in pairs of pairs;
- anything else: total of one block after the other.

Source: the order in which NumPy adds is that of `pairwise_sum` in its loops.
"""

from __future__ import annotations

from minikeras.engine.blocked.binding import bind
from minikeras.engine.blocked.lowering import supports
from minikeras.engine.blocked.places import Scratchpad

__all__ = ["Scratchpad", "bind", "supports"]

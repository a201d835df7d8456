"""Picking elements out of an array, and the adjoint that all such ops share.

Whatever way elements are picked (a slice, a list of rows, a permutation, a mirrored
border), the gradient goes back where they were taken from. To find out where that is,
the same op is run on an array that holds, in each place, the number of the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels.rows import adding
from minikeras.engine.op import Op
from minikeras.engine.spec import Array, Spec

__all__: list[str] = []


class Selection(Op):
    """An op whose result is made of elements of x, some of them maybe repeatedly.

    Its other inputs say which ones.
    """

    def depth(self, rank: int, *indices: Array) -> int:
        """Return how many leading axes of x matter; of the rest, all is taken."""
        return rank

    def values(self, x: Spec, *indices: Spec) -> tuple[int | None, ...] | None:
        """Return what is known of the result, where x is a shape for instance."""
        known = [i.value is not None and None not in i.value for i in indices]
        if x.value is None or not all(known):
            return None
        try:
            # An array of objects, for None may be among the values of x.
            places = [_known_array(i, int) for i in indices]
            found = np.asarray(self.kernel(np, _known_array(x, object), *places))
        except IndexError as error:
            raise ShapeError(f"{self.name}: {error}") from None
        return tuple(found.reshape(-1).tolist()) if found.ndim <= 1 else None

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *indices: Array
    ) -> Array:
        """Return zeros of `shape`, with `g` added where it would be taken from."""
        lead = self.depth(len(shape), *indices)
        rows, width = shapes.product(shape[:lead]), shapes.product(shape[lead:])
        ones = (1,) * len(shape[lead:])
        numbers = xp.arange(rows).reshape(*shape[:lead], *ones)
        taken = self.kernel(xp, numbers, *indices).reshape(-1)
        sums = xp.empty((rows, width), g.dtype)
        adding(xp, sums, taken, g)()
        return sums.reshape(shape)

    def bind_scatter(self, y: Array, g: Array, *indices: Array) -> Callable[[], object]:
        """Return the call that writes to `y` what `scatter` returns."""
        return lambda: np.copyto(y, self.scatter(np, g, y.shape, *indices))

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, *indices: Tensor
    ) -> tuple[Tensor | None, ...]:
        return ScatterSelected(self)(g, x, *indices), *(None for _ in indices)


def _known_array(spec: Spec, kind: type) -> Array:
    """Return the value of a spec, a vector or scalar, as an array."""
    return np.array(spec.value, kind).reshape((-1,) * len(spec.known))


class ScatterSelected(Op, name="scatter_selected"):
    """y has the shape of x, and g added wherever `selection` takes elements of x."""

    selection: Selection
    any_rank = True
    binds = True

    def infer(self, g: Spec, x: Spec, *indices: Spec) -> Spec:
        return Spec(x.shape, g.dtype)

    def kernel(self, xp: ModuleType, g: Array, x: Array, *indices: Array) -> Array:
        return self.selection.scatter(xp, g, x.shape, *indices)

    def bind(
        self, y: Array, g: Array, x: Array, *indices: Array
    ) -> Callable[[], object]:
        """Return the call that writes the sums in these arrays."""
        return self.selection.bind_scatter(y, g, *indices)

    def vjp(
        self, h: Tensor, y: Tensor, g: Tensor, x: Tensor, *indices: Tensor
    ) -> tuple[Tensor | None, ...]:
        return self.selection(h, *indices), None, *(None for _ in indices)


def overlaid(
    xp: ModuleType, part: Array, shape: Sequence[int], place: Any, rest: Any
) -> Array:
    """Return an array of `shape` that is `part` at a `place`, and `rest` around it.

    It is made of blocks of which no two overlap, each of them by one step.

    Args:
        xp: the array library.
        part: what stands at the place.
        shape: of the result.
        place: an index made of integers, slices, None and an ellipsis.
        rest: a number, or an array of `shape`.
    """
    y = xp.empty_like(part, shape=tuple(shape))
    if part.size:
        y[place] = part
    for around in _around(shape, place):
        y[around] = rest[around] if hasattr(rest, "shape") else rest
    return y


def _around(shape: Sequence[int], place: Any) -> Iterator[tuple[slice, ...]]:
    """Yield the blocks that together are all that lies outside of a place."""
    items = [
        i for i in (place if isinstance(place, tuple) else (place,)) if i is not None
    ]
    dots = items.index(Ellipsis) if Ellipsis in items else len(items)
    after = items[dots + 1 :]
    middle = [slice(None)] * (len(shape) - dots - len(after))
    inside: list[slice] = []
    for item, n in zip([*items[:dots], *middle, *after], shape, strict=True):
        taken = range(n)[item] if isinstance(item, slice) else range(n)[item:][:1]
        taken = taken if taken.step > 0 else taken[::-1]
        for block in _gaps(taken, n):
            if range(n)[block]:
                yield (*inside, block)
        if not taken:
            return
        inside.append(slice(taken.start, taken.stop, taken.step))


def _gaps(taken: range, n: int) -> Iterator[slice]:
    """Yield, as slices, the numbers below `n` that are not `taken`."""
    if not taken:
        yield slice(0, n)
        return
    yield slice(0, taken[0])
    for i in range(1, taken.step):
        yield slice(taken[0] + i, taken[-1], taken.step)
    yield slice(taken[-1] + 1, n)


def check_integers(op: str, indices: Spec) -> None:
    """Allow only integers as indices.

    Raises:
        DTypeError: if they are something else.
    """
    if not indices.dtype.is_integer:
        raise DTypeError(f"{op}: indices must be integers; got {indices.dtype}")

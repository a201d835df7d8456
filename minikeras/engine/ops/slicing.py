"""Indexing with square brackets: ``x[1:n, ..., None, rows]``.

An index is taken apart once, when the graph is built: what is a plain number stays in
the op (`GetItem.index`), what is a tensor or an array becomes one more input, and a
`Part` stands for it in the index.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from types import EllipsisType, ModuleType
from typing import Any, TypeAlias

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.selection import Selection, check_integers, overlaid
from minikeras.engine.registry import register
from minikeras.engine.spec import Array, Shape, Spec
from minikeras.engine.values import Value

__all__ = ["getitem"]


# -- an index as a value ---------------------------------------------------------------


class Part(Value):
    """Stands for a further input of the op, by its number."""

    number: int


class Range(Value):
    """``start:stop:step``; None is left out, a `Part` is a tensor."""

    start: int | Part | None
    stop: int | Part | None
    step: int | Part | None


Entry: TypeAlias = int | Range | Part | EllipsisType | None


def _take_apart(index: Any) -> tuple[tuple[Entry, ...], list[Any]]:
    """Return an index with its tensors and arrays replaced by `Part`s, and these."""
    parts: list[Any] = []

    def plain(value: Any) -> Any:
        if value is None or value is Ellipsis:
            return value
        if not isinstance(value, bool):
            try:
                return operator.index(value)
            except TypeError:
                pass
        parts.append(value)
        return Part(len(parts) - 1)

    items = index if isinstance(index, tuple) else (index,)
    entries = tuple(
        Range(plain(item.start), plain(item.stop), plain(item.step))
        if isinstance(item, slice)
        else plain(item)
        for item in items
    )
    return entries, parts


def _put_together(index: Sequence[Entry], value: Callable[[Part], Any]) -> list[Any]:
    """Return an index as NumPy takes it, with each `Part` replaced by its `value`."""

    def filled(entry: Any) -> Any:
        return value(entry) if isinstance(entry, Part) else entry

    return [
        slice(filled(e.start), filled(e.stop), filled(e.step))
        if isinstance(e, Range)
        else filled(e)
        for e in index
    ]


# -- the shape of the result -----------------------------------------------------------


def _axes_used(entry: Any) -> int:
    """Return how many axes of x an entry is about: a mask is about all of its own."""
    if entry is None or entry is Ellipsis:
        return 0
    is_mask = isinstance(entry, Spec) and entry.dtype.is_bool
    return len(entry.known) if is_mask else 1


def _indexed(entries: list[Any], shape: Shape) -> Shape:
    """Return the shape of ``x[entries]``; a Spec is an array, a `Part` an unknown int.

    Raises:
        ShapeError: if there are too many entries, or one is out of range.
    """
    whole = [slice(None)] * (len(shape) - sum(map(_axes_used, entries)))
    where = [i for i, e in enumerate(entries) if e is Ellipsis] or [len(entries)]
    if sum(map(_axes_used, entries)) > len(shape) or len(where) > 1:
        raise ShapeError(f"getitem: too many indices for shape {shapes.show(shape)}")
    entries = [*entries[: where[0]], *whole, *entries[where[0] + 1 :]]
    sizes: list[int | None] = []
    seats: list[tuple[int, int]] = []  # of what is no slice: among entries, and sizes
    axis = 0
    for i, entry in enumerate(entries):
        if entry is None:
            sizes.append(1)
        elif isinstance(entry, slice):
            sizes.append(_length(entry, shape[axis]))
        else:
            seats.append((i, len(sizes)))
            _check_entry(entry, shape[axis:])
        axis += _axes_used(entry)
    arrays = [e for e in entries if isinstance(e, Spec)]
    if not arrays:
        return tuple(sizes)
    block = shapes.broadcast(*((None,) if e.dtype.is_bool else e.shape for e in arrays))
    # Beside arrays a plain integer counts as one. What stands together gives its axes
    # to the result where it stands; what is separated by slices, in front.
    together = seats[-1][0] - seats[0][0] == len(seats) - 1
    at = seats[0][1] if together else 0
    return (*sizes[:at], *(block or ()), *sizes[at:])


def _length(index: slice, n: int | None) -> int | None:
    """Return how many of `n` elements a slice takes, None if that is not known."""
    bounds = (index.start, index.stop, index.step)
    if index.step == 0:
        raise ShapeError("getitem: the step of a slice cannot be 0")
    if n is None or any(isinstance(b, Part) for b in bounds):
        return n if bounds[:2] == (None, None) and bounds[2] in (None, 1, -1) else None
    return len(range(*index.indices(n)))


def _check_entry(entry: Any, shape: Shape) -> None:
    """Allow integers in range, integer arrays and fitting masks."""
    if isinstance(entry, int) and shape[0] is not None:
        if not -shape[0] <= entry < shape[0]:
            raise ShapeError(
                f"getitem: no element {entry} in an axis of size {shape[0]}"
            )
    elif isinstance(entry, Spec) and entry.dtype.is_bool:
        mask = entry.known
        if not mask or not all(map(shapes.compatible, mask, shape)):
            raise ShapeError(
                f"getitem: a mask of shape {shapes.show(mask)} does not fit axes of "
                f"sizes {shapes.show(shape)}"
            )


# -- getitem ---------------------------------------------------------------------------


class StridedSlice(Selection, name="strided_slice"):
    """y = x[index], by NumPy's rules."""

    index: tuple[Entry, ...]

    def infer(self, x: Spec, *parts: Spec) -> Spec:
        for part in parts:
            if not part.dtype.is_bool:
                check_integers("getitem", part)

        def known(part: Part) -> Any:
            spec = parts[part.number]
            if spec.rank or spec.dtype.is_bool:
                return spec
            value = spec.value and spec.value[0]
            return part if value is None else value

        found = _indexed(_put_together(self.index, known), x.known)
        return Spec(found, x.dtype, self.values(x, *parts))

    def place(self, parts: Sequence[Array]) -> tuple[Any, ...]:
        """Return the index as the array library takes it."""

        def value(part: Part) -> Any:
            array = parts[part.number]
            return array if array.ndim else int(array)

        entries = _put_together(self.index, value)
        # With an ellipsis even a single element comes out as an array.
        return (*entries,) if Ellipsis in self.index else (*entries, Ellipsis)

    def kernel(self, xp: ModuleType, x: Array, *parts: Array) -> Array:
        return x[self.place(parts)]

    def depth(self, rank: int, *parts: Array) -> int:
        if Ellipsis in self.index:
            return rank
        masks = [part.ndim for part in parts if part.dtype.kind == "b"]
        others = [entry for entry in self.index if entry is not None]
        return len(others) - len(masks) + sum(masks)

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *parts: Array
    ) -> Array:
        arrays = [part.dtype.kind for part in parts if part.ndim]
        if any(kind != "b" for kind in arrays):
            return super().scatter(xp, g, shape, *parts)
        place = self.place(parts)
        if not arrays:
            return overlaid(xp, g, shape, place, 0)
        spread = xp.zeros(shape, g.dtype)  # a mask takes no element twice
        spread[place] = g
        return spread


def getitem(x: Any, index: Any) -> Tensor:
    """Return ``x[index]``, by NumPy's rules.

    Args:
        x: what to index.
        index: integers, slices, None, an ellipsis, integer arrays and masks, or a tuple
            of these. Integers, arrays and the bounds of slices may be tensors.

    Raises:
        ShapeError: if there are more entries than axes, or one is out of range.
        DTypeError: if an entry is neither an integer nor a truth value.

    Example:
        >>> x = placeholder("float32", (None, 5, 4))
        >>> x[..., None, 1:3].shape
        (None, 5, 1, 2)
    """
    entries, parts = _take_apart(index)
    return StridedSlice(entries)(x, *parts, name="strided_slice")


register("getitem", getitem)

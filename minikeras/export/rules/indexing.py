"""Elements picked by their places: slices, lookups, updates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.graph import Node
from minikeras.export.emission import Emission, Ref, UnsupportedError, whole
from minikeras.export.registry import axes_of, rank, rule
from minikeras.export.rules.layout import FAR

__all__: list[str] = []


class Seat(NamedTuple):
    """One entry of an index and the axis that it is about.

    Attributes:
        entry: as the operation has it; None is a new axis.
        axis: the axis of x.
        part: the array in its place, if it is one, and how many axes that has.
    """

    entry: Any
    axis: int
    part: Ref | None = None
    depth: int = 0


def _seats(node: Node, parts: Sequence[Ref]) -> Iterator[Seat]:
    """Yield the entries of the index of a node, with whole axes left out."""
    index: Any = node.op.index  # type: ignore[attr-defined]
    given = node.inputs[1:]

    def width(entry: Any) -> int:
        if entry is None or entry is Ellipsis:
            return 0
        own = given[entry.number] if hasattr(entry, "number") else None
        return rank(own) if own is not None and own.dtype.is_bool else 1

    axis, total = 0, sum(map(width, index))
    for entry in index:
        if entry is Ellipsis:
            axis += rank(node.inputs[0]) - total
            continue
        number = getattr(entry, "number", None)
        if number is None:
            yield Seat(entry, axis)
        else:
            yield Seat(entry, axis, parts[number], rank(given[number]))
        axis += width(entry)


@rule("strided_slice")
def strided_slice(e: Emission, node: Node, x: Ref, *parts: Ref) -> Ref:
    """y = x[index]."""
    seats = list(_seats(node, parts))
    arrays = [s for s in seats if s.part is not None and s.depth]
    x = _sliced(e, x, [s for s in seats if hasattr(s.entry, "step")], parts)
    if arrays:
        return _picked(e, node, x, seats, arrays)
    gone = []
    for seat in seats:
        if isinstance(seat.entry, int):
            end = seat.entry + 1 or FAR
            x = e.cut(x, [seat.entry], [end], [seat.axis])
            gone.append(seat.axis)
        elif seat.part is not None:  # a number that only the run will tell
            x = e("Gather", x, e.reshape(e.vector(seat.part), [1]), axis=seat.axis)
            gone.append(seat.axis)
    return e.unsqueeze(e.squeeze(x, gone), _new_axes(seats))


def _new_axes(seats: Sequence[Seat]) -> list[int]:
    """Return where in the result the index puts new axes."""
    new, before = [], 0
    for seat in seats:
        if seat.entry is None:
            new.append(seat.axis - before + len(new))
        elif not hasattr(seat.entry, "step"):
            before += 1
    return new


def _sliced(e: Emission, x: Ref, seats: Sequence[Seat], parts: Sequence[Ref]) -> Ref:
    """Return x cut by all slices of an index."""

    def bound(value: Any, default: int) -> Ref:
        if value is None:
            return e.vector([default])
        if isinstance(value, int):
            return e.vector([value])
        return e.reshape(e.vector(parts[value.number]), [1])

    found = []
    for seat in seats:
        step = seat.entry.step or 1
        if not isinstance(step, int):
            raise UnsupportedError("a slice whose step only the run tells")
        start = bound(seat.entry.start, 0 if step > 0 else FAR)
        stop = bound(seat.entry.stop, FAR if step > 0 else -FAR)
        if (seat.entry.start, seat.entry.stop, step) != (None, None, 1):
            found.append((start, stop, seat.axis, step))
    if not found:
        return x
    starts, stops, axes, steps = zip(*found, strict=True)
    return e.cut(x, e.concat(starts, 0), e.concat(stops, 0), axes, steps)


def _picked(
    e: Emission, node: Node, x: Ref, seats: Sequence[Seat], arrays: Sequence[Seat]
) -> Ref:
    """Return the elements at places that arrays tell."""
    others = [s for s in seats if s not in arrays and not hasattr(s.entry, "step")]
    if others:
        raise UnsupportedError("an index of arrays together with numbers or new axes")
    is_mask = [y.dtype.is_bool for y in node.inputs[1:] if rank(y)]
    if len(arrays) == 1 and not is_mask[0]:
        return e("Gather", x, e.vector(_part(arrays[0])), axis=arrays[0].axis)
    if [s.axis for s in arrays] != list(range(len(arrays))) or len(set(is_mask)) > 1:
        raise UnsupportedError("an index of arrays that do not lead")
    if is_mask[0]:
        if len(arrays) > 1:
            raise UnsupportedError("an index of several masks")
        return e("GatherND", x, e.transpose(e("NonZero", _part(arrays[0])), [1, 0]))
    return e("GatherND", x, _places(e, node, arrays))


def _part(seat: Seat) -> Ref:
    if seat.part is None:
        raise UnsupportedError("an index without its array")
    return seat.part


def _places(e: Emission, node: Node, arrays: Sequence[Seat]) -> Ref:
    """Return index arrays that broadcast, as positions along a new last axis."""
    depth = max(seat.depth for seat in arrays)
    shaped = [e.unsqueeze(e.vector(_part(s)), range(depth - s.depth)) for s in arrays]
    total = shaped[0]
    for other in shaped[1:]:
        total = e("Add", total, other)
    size = e.shape(total)
    columns = [e.unsqueeze(e("Expand", x, size), [depth]) for x in shaped]
    return e.concat(columns, depth)


@rule("slice")
def slice_(e: Emission, node: Node, x: Ref, start: Ref, size: Ref) -> Ref:
    """y[i, ...] = x[start + i, ...]."""
    axes = range(rank(node.inputs[0]))
    known = node.outputs[0].spec.known
    if None not in known and isinstance(start, np.ndarray):
        return e.cut(x, start, start + np.asarray(known), axes)
    start = e.vector(start)
    rest = e("Equal", e.vector(size), e.vector([-1]))  # all that follows
    ends = e("Where", rest, e.vector([FAR]), e("Add", start, e.vector(size)))
    return e.cut(x, start, ends, axes)


@rule("take")
def take(e: Emission, node: Node, x: Ref, indices: Ref) -> Ref:
    """y[..., i, ...] = x[..., indices[i], ...]."""
    axis = shapes.axis_of(node.op.axis, rank(node.inputs[0]))  # type: ignore[attr-defined]
    return e("Gather", x, _wide(e, node, indices), axis=axis)


def _wide(e: Emission, node: Node, indices: Ref) -> Ref:
    """Return indices as a kind of integers that ONNX looks up."""
    wide = node.inputs[1].dtype in ("int32", "int64")
    return indices if wide else e.vector(indices)


@rule("take_along_axis")
def take_along_axis(e: Emission, node: Node, x: Ref, indices: Ref) -> Ref:
    """y[..., i, ...] = x[..., indices[..., i, ...], ...]."""
    (axis,) = axes_of(node)
    n = rank(node.inputs[0])
    one = e.vector([1])

    def others(value: Ref) -> Ref:
        """Return the shape of a value, with 1 along the axis."""
        size = e.shape(value)
        parts = [e.cut(size, [0], [axis], [0]), one, e.cut(size, [axis + 1], [n], [0])]
        return e.concat(parts, 0)

    wanted = _wide(e, node, indices)
    if node.inputs[0].spec.shape != node.inputs[1].spec.shape:
        x, wanted = e("Expand", x, others(wanted)), e("Expand", wanted, others(x))
    return e("GatherElements", x, wanted, axis=axis)


@rule("gather_nd")
def gather_nd(e: Emission, node: Node, x: Ref, indices: Ref) -> Ref:
    """y[i] = x[indices[i]]."""
    return e("GatherND", x, e.vector(indices))


@rule("scatter_nd")
def scatter_nd(e: Emission, node: Node, indices: Ref, updates: Ref, sizes: Ref) -> Ref:
    """y is 0, plus updates[i] at each indices[i]."""
    zero = np.asarray(0, node.outputs[0].dtype.as_numpy_dtype)
    blank = e("Expand", zero, e.vector(sizes))
    return e("ScatterND", blank, e.vector(indices), updates, reduction="add")


@rule("scatter_update")
def scatter_update(e: Emission, node: Node, x: Ref, indices: Ref, updates: Ref) -> Ref:
    """y is x, but y[indices[i]] = updates[i]."""
    return e("ScatterND", x, e.vector(indices), updates)


@rule("slice_update")
def slice_update(e: Emission, node: Node, x: Ref, start: Ref, updates: Ref) -> Ref:
    """y is x, but for the block at `start`, which is `updates`."""
    first, size = e.vector(start), e.shape(updates)
    behind = e("Sub", e("Sub", e.shape(x), first), size)
    widths = e.concat([first, behind], 0)
    kind = node.inputs[2].dtype.as_numpy_dtype
    ones = e("Expand", np.asarray(1, np.float32), size)
    inside = e.cast(e("Pad", ones, widths, np.asarray(0, np.float32)), "bool")
    return e("Where", inside, e("Pad", updates, widths, np.asarray(0, kind)), x)


@rule("argwhere")
def argwhere(e: Emission, node: Node, x: Ref) -> Ref:
    """y[i] is the position of the i-th element of x that is not 0."""
    return e.cast(e.transpose(e("NonZero", x), [1, 0]), node.outputs[0].dtype)


@rule("one_hot")
def one_hot(e: Emission, node: Node, indices: Ref) -> Ref:
    """y[..., j] = on_value if j = indices[...], else off_value."""
    op: Any = node.op
    n = rank(node.outputs[0])
    axis = shapes.axis_of(op.axis, n)
    numbers = np.arange(op.depth, dtype=np.int64)
    classes = numbers.reshape([-1 if i == axis else 1 for i in range(n)])
    hot = e("Equal", e.unsqueeze(e.vector(indices), [axis]), classes)
    dtype = op.dtype.as_numpy_dtype
    if (op.on_value, op.off_value) == (1, 0):
        return e.cast(hot, op.dtype)
    return e("Where", hot, *(np.asarray(v, dtype) for v in (op.on_value, op.off_value)))


@rule("diagonal")
def diagonal(e: Emission, node: Node, x: Ref) -> Ref:
    """y[..., i] = x[i, i + offset]."""
    op: Any = node.op
    n = rank(node.inputs[0])
    i, j = shapes.axis_of(op.axis1, n), shapes.axis_of(op.axis2, n)
    rest = [k for k in range(n) if k not in (i, j)]
    x = e.transpose(x, [i, j, *rest])
    (length,) = whole(node.outputs[0].spec.known[-1:], "a diagonal")
    rows = np.arange(length) + max(-op.offset, 0)
    places = np.stack([rows, rows + op.offset], 1)
    return e.transpose(e("GatherND", x, e.vector(places)), [*range(1, n - 1), 0])


@rule("diag")
def diag(e: Emission, node: Node, x: Ref) -> Ref:
    """y[..., i, i + offset] = x[..., i], and 0 elsewhere."""
    offset: int = node.op.offset  # type: ignore[attr-defined]
    (side,) = whole(node.outputs[0].spec.known[-1:], "a diagonal matrix")
    last = rank(node.inputs[0])
    kind = node.inputs[0].dtype.as_numpy_dtype
    widths = [0] * (last - 1) + [max(-offset, 0)] + [0] * (last - 1) + [max(offset, 0)]
    x = e("Pad", x, e.vector(widths), np.asarray(0, kind)) if offset else x
    return e("Mul", e.unsqueeze(x, [last]), np.eye(side, k=offset, dtype=kind))

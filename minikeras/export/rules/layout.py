"""The same elements elsewhere: shapes, joining and cutting, borders, filling."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.graph import Node
from minikeras.engine.spec import Spec
from minikeras.export.emission import Emission, Ref, UnsupportedError
from minikeras.export.registry import RULES, axes_of, rank, rule

__all__ = ["sizes_to"]

FAR = (1 << 63) - 1  # further than any axis reaches


# -- shapes ----------------------------------------------------------------------------


@rule("shape")
def shape(e: Emission, node: Node, x: Ref) -> Ref:
    """y = the shape of x."""
    return e.cast(e.shape(x), node.outputs[0].dtype)


@rule("size")
def size(e: Emission, node: Node, x: Ref) -> Ref:
    """y = the number of elements of x."""
    return e.cast(e("Size", x), node.outputs[0].dtype)


def sizes_to(e: Emission, spec: Spec, found: Ref) -> Ref:
    """Return a shape to reshape to: as numbers, if all of them are known but one."""
    known = spec.value
    if known is None or [n in (None, -1) for n in known].count(True) > 1:
        return found
    return e.vector([-1 if n is None else n for n in known])


@rule("reshape")
def reshape(e: Emission, node: Node, x: Ref, sizes: Ref) -> Ref:
    """y has the elements of x and the shape `sizes`."""
    made = node.outputs[0].spec.shape
    if made is not None and made.count(None) <= 1 and 0 not in made:
        return e.reshape(x, [-1 if n is None else n for n in made])
    return e.reshape(x, sizes_to(e, node.inputs[1].spec, sizes))


@rule("reshape_like")
def reshape_like(e: Emission, node: Node, x: Ref, like: Ref) -> Ref:
    """y has the elements of x and the shape of `like`."""
    return e.reshape(x, e.shape(like))


@rule("transpose")
def transpose(e: Emission, node: Node, x: Ref) -> Ref:
    """Axis i of y is axis axes[i] of x."""
    axes: Any = node.op.axes  # type: ignore[attr-defined]
    n = rank(node.inputs[0])
    order = range(n)[::-1] if axes is None else axes
    return e.transpose(x, [shapes.axis_of(i, n) for i in order])


@rule("expand_dims")
def expand_dims(e: Emission, node: Node, x: Ref) -> Ref:
    """y is x with new axes of size 1."""
    return e.unsqueeze(x, shapes.axes_of(node.op.axis, rank(node.outputs[0])))  # type: ignore[attr-defined]


@rule("squeeze")
def squeeze(e: Emission, node: Node, x: Ref) -> Ref:
    """y is x without axes of size 1."""
    if node.op.axis is not None:  # type: ignore[attr-defined]
        return e.squeeze(x, axes_of(node))
    sizes = node.inputs[0].spec.known
    return e.squeeze(x, [i for i, n in enumerate(sizes) if n == 1])


@rule("broadcast_to")
def broadcast_to(e: Emission, node: Node, x: Ref, sizes: Ref) -> Ref:
    """y repeats x along axes of size 1."""
    known = node.outputs[0].spec.shape
    if known is not None and None not in known:
        sizes = e.vector(known)  # type: ignore[arg-type]
    return e("Expand", x, e.vector(sizes))


@rule("broadcast_like")
def broadcast_like(e: Emission, node: Node, x: Ref, like: Ref) -> Ref:
    """Repeat x along the axes in which `like` is larger."""
    op: Any = node.op
    if not op.keepdims and op.axis is not None:
        x = e.unsqueeze(x, shapes.axes_of(op.axis, rank(node.inputs[1])))
    return e("Expand", x, e.shape(like))


# -- filling ---------------------------------------------------------------------------


@rule("full")
def full(e: Emission, node: Node, dims: Ref, value: Ref) -> Ref:
    """y = the value everywhere."""
    return e("Expand", value, e.vector(dims))


def _like(value: int, e: Emission, node: Node, x: Ref) -> Ref:
    one = np.asarray(value, node.outputs[0].dtype.as_numpy_dtype)
    return e("Expand", one, e.shape(x))


RULES.update(ones_like=partial(_like, 1), zeros_like=partial(_like, 0))


@rule("arange")
def arange(e: Emission, node: Node, start: Ref, stop: Ref, step: Ref) -> Ref:
    """y = start, start + step, ... before stop."""
    return e("Range", start, stop, step)


@rule("linspace")
def linspace(e: Emission, node: Node, start: Ref, stop: Ref) -> Ref:
    """y = start (1 - w) + stop w."""
    op: Any = node.op
    n = rank(node.outputs[0])
    axis = shapes.axis_of(op.axis, n)
    dtype = node.outputs[0].dtype.as_numpy_dtype
    w = np.linspace(0, 1, op.num, op.endpoint, dtype=dtype)
    w = w.reshape([-1 if i == axis else 1 for i in range(n)])
    start, stop = (e.unsqueeze(x, [axis]) for x in (start, stop))
    return e("Add", e("Mul", start, 1 - w), e("Mul", stop, w))


@rule("eye")
def eye(e: Emission, node: Node, rows: Ref, columns: Ref) -> Ref:
    """y[i, j] = 1 where j = i + k, else 0."""
    op: Any = node.op
    zero = np.asarray(0, op.dtype.as_numpy_dtype)
    sizes = e.concat([e.reshape(e.vector(n), [1]) for n in (rows, columns)], 0)
    return e("EyeLike", e("Expand", zero, sizes), k=op.k)


def _triangle(upper: int, e: Emission, node: Node, x: Ref) -> Ref:
    k = np.asarray(node.op.k, np.int64)  # type: ignore[attr-defined]
    return e("Trilu", x, k, upper=upper)


RULES.update(tril=partial(_triangle, 0), triu=partial(_triangle, 1))


# -- joining and cutting ---------------------------------------------------------------


@rule("concatenate")
def concatenate(e: Emission, node: Node, *xs: Ref) -> Ref:
    """y = the inputs, one after the other."""
    op: Any = node.op
    return e.concat(xs, shapes.axis_of(op.axis, rank(node.outputs[0])))


@rule("stack")
def stack(e: Emission, node: Node, *xs: Ref) -> Ref:
    """y[..., i, ...] = the i-th input."""
    axis = shapes.axis_of(node.op.axis, rank(node.outputs[0]))  # type: ignore[attr-defined]
    return e.concat([e.unsqueeze(x, [axis]) for x in xs], axis)


@rule("unstack")
def unstack(e: Emission, node: Node, x: Ref) -> list[Ref]:
    """The i-th output is x[..., i, ...]."""
    op: Any = node.op
    (axis,) = axes_of(node)
    places = (np.asarray(i, np.int64) for i in range(op.count))
    return [e("Gather", x, i, axis=axis) for i in places]


@rule("split")
def split(e: Emission, node: Node, x: Ref) -> list[Ref]:
    """Cut x along an axis into parts."""
    (axis,) = axes_of(node)
    sizes = [y.spec.known[axis] for y in node.outputs]
    flags = {"axis": axis, "outputs": len(sizes)}
    if None not in sizes:
        parts = e("Split", x, e.vector(sizes), **flags)  # type: ignore[arg-type]
    elif e.opset >= 18:
        parts = e("Split", x, num_outputs=len(sizes), **flags)
    else:
        parts = e("Split", x, **flags)
    return [parts] if len(sizes) == 1 else parts


@rule("tile")
def tile(e: Emission, node: Node, x: Ref, repeats: Ref) -> Ref:
    """y = x, repeats[i] times along axis i."""
    missing = rank(node.outputs[0]) - rank(node.inputs[0])
    return e("Tile", e.unsqueeze(x, range(missing)), e.vector(repeats))


@rule("repeat")
def repeat(e: Emission, node: Node, x: Ref) -> Ref:
    """y = each element of x so many times in a row."""
    op: Any = node.op
    (axis,) = axes_of(node)
    if not isinstance(op.repeats, int):
        places = np.repeat(np.arange(len(op.repeats)), op.repeats)
        return e("Gather", x, e.vector(places), axis=axis)
    n = rank(node.inputs[0])
    times = [op.repeats if i == axis + 1 else 1 for i in range(n + 1)]
    sizes = node.outputs[0].spec.known
    copies = e("Tile", e.unsqueeze(x, [axis + 1]), e.vector(times))
    if sizes.count(None) <= 1:
        return e.reshape(copies, [-1 if m is None else m for m in sizes])
    factors = [op.repeats if i == axis else 1 for i in range(n)]
    return e.reshape(copies, e("Mul", e.shape(x), e.vector(factors)))


@rule("meshgrid")
def meshgrid(e: Emission, node: Node, *xs: Ref) -> list[Ref]:
    """Return the coordinates of all points of a grid."""
    axes = node.op.axes(len(xs))  # type: ignore[attr-defined]
    flat = [e.reshape(x, [-1]) for x in xs]
    sizes = e.concat([e.shape(flat[i]) for i in axes], 0)
    columns = [
        e.unsqueeze(x, [i for i in range(len(xs)) if i != axis])
        for x, axis in zip(flat, axes, strict=True)
    ]
    return [e("Expand", x, sizes) for x in columns]


# -- borders and order -----------------------------------------------------------------


@rule("pad")
def pad(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x with a border of a value."""
    op: Any = node.op
    value = np.asarray(op.value, node.inputs[0].dtype.as_numpy_dtype)
    return e("Pad", x, e.vector([*np.transpose(op.widths).reshape(-1)]), value)


@rule("mirror_pad")
def mirror_pad(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x with a border of x's own elements."""
    op: Any = node.op
    if op.mode != "symmetric":
        widths = e.vector([*np.transpose(op.widths).reshape(-1)])
        return e("Pad", x, widths, mode=op.mode)
    for axis, (before, behind) in enumerate(op.widths):
        first = e.cut(x, [before - 1], [-FAR], [axis], [-1]) if before else None
        last = e.cut(x, [-1], [-behind - 1], [axis], [-1]) if behind else None
        x = e.concat([y for y in (first, x, last) if y is not None], axis)
    return x


@rule("flip")
def flip(e: Emission, node: Node, x: Ref) -> Ref:
    """y is x backwards."""
    axes = axes_of(node)
    n = len(axes)
    return e.cut(x, [-1] * n, [-FAR] * n, axes, [-1] * n)


@rule("roll")
def roll(e: Emission, node: Node, x: Ref) -> Ref:
    """y[i] = x[i - shift], in a circle."""
    op: Any = node.op
    if op.axis is None:
        flat = e.reshape(x, [-1])
        return e.reshape(_rolled(e, flat, op.shift[0], 0), e.shape(x))
    for shift, axis in zip(op.shift, op.axis, strict=True):
        axis = shapes.axis_of(axis, rank(node.inputs[0]))
        size = node.inputs[0].spec.known[axis]
        if size is None and abs(shift) > 1:
            raise UnsupportedError("rolling an axis whose size is not known")
        x = _rolled(e, x, shift % size if size else shift, axis)
    return x


def _rolled(e: Emission, x: Ref, shift: int, axis: int) -> Ref:
    if shift == 0:
        return x
    parts = e.cut(x, [-shift], [FAR], [axis]), e.cut(x, [0], [-shift], [axis])
    return e.concat(parts, axis)

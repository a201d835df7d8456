"""Shapes, joining and cutting, picking, filling."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.reading.elementwise import rank, size_along
from minikeras.export.reading.program import Step, enter, known

__all__: list[str] = []

FAR = 1 << 31  # further than any axis reaches


@enter("Constant")
def constant(n: Step) -> Any:
    """y = a value of the file."""
    for name, dtype in (("value_int", "int64"), ("value_float", "float32")):
        for key in (name, f"{name}s"):
            if n.get(key) is not None:
                return np.asarray(n.get(key), dtype)
    if n.get("value") is None:
        raise UnsupportedError("a constant that is neither numbers nor a tensor")
    return n.get("value")


@enter("ConstantOfShape")
def constant_of_shape(n: Step, sizes: Any) -> Any:
    """y = a value everywhere."""
    value = n.get("value", np.zeros(1, np.float32))
    return ops.full(sizes, value.reshape(())[()], value.dtype)


@enter("Shape")
def shape(n: Step, x: Any) -> Any:
    """y = the shape of x, or a part of it."""
    return ops.getitem(ops.shape(x, "int64"), slice(n.get("start"), n.get("end")))


@enter("Size")
def size(n: Step, x: Any) -> Any:
    """y = the number of elements of x."""
    return ops.cast(ops.size(x), "int64")


@enter("Reshape")
def reshape(n: Step, x: Any, sizes: Any = None) -> Any:
    """y has the elements of x in another shape, where 0 is a size as it was."""
    wanted = n.get("shape") if sizes is None else known(sizes)
    if wanted is None:
        return ops.reshape(x, _partly_known(sizes))
    kept = not n.get("allowzero")
    found = [
        size_along(x, i) if m == 0 and kept else int(m) for i, m in enumerate(wanted)
    ]
    return ops.reshape(x, found)


def _partly_known(sizes: Any) -> Any:
    """Return sizes, as far as they are known as numbers."""
    values = sizes.spec.value if hasattr(sizes, "spec") else None
    if values is None:
        return sizes
    return [sizes[i] if m is None else m for i, m in enumerate(values)]


@enter("Flatten")
def flatten(n: Step, x: Any) -> Any:
    """y is a matrix, with the axes of x before `axis` as one, and those after it."""
    axis = n.get("axis", 1)
    axis = axis + rank(x) if axis < 0 else axis
    rows = list(x.shape[:axis])
    if axis == 1:
        rest = x.shape[1:]
        width = -1 if None in rest else int(np.prod(rest, dtype=np.int64))
        return ops.reshape(x, [size_along(x, 0), width])
    if None not in rows:
        return ops.reshape(x, [int(np.prod(rows, dtype=np.int64)), -1])
    return ops.reshape(x, [ops.prod(ops.shape(x)[:axis]), -1])


@enter("Transpose")
def transpose(n: Step, x: Any) -> Any:
    """Axis i of y is axis perm[i] of x."""
    return ops.transpose(x, n.get("perm"))


@enter("Squeeze")
def squeeze(n: Step, x: Any, *axes: Any) -> Any:
    """y is x without axes of size 1."""
    return ops.squeeze(x, n.integers("axes", (x, *axes), 1))


@enter("Unsqueeze")
def unsqueeze(n: Step, x: Any, *axes: Any) -> Any:
    """y is x with new axes of size 1."""
    return ops.expand_dims(x, n.integers("axes", (x, *axes), 1))


@enter("Concat")
def concat(n: Step, *xs: Any) -> Any:
    """y = the inputs, one after the other."""
    return ops.concatenate(xs, n.get("axis", 1))


@enter("Split")
def split(n: Step, x: Any, *sizes: Any) -> Any:
    """Cut x along an axis into parts."""
    given = n.integers("split", (x, *sizes), 1)
    axis, count = n.get("axis", 0), len(n.outputs)
    total = x.shape[axis]
    if given is None and total is not None and total % count:
        each = -(-total // count)
        given = [*[each] * (count - 1), total - each * (count - 1)]
    return ops.split(x, given or count, axis)


@enter("Expand")
def expand(n: Step, x: Any, sizes: Any) -> Any:
    """y = x, broadcast against a shape."""
    return ops.multiply(x, ops.ones_like(_blank(sizes, x)))


def _blank(sizes: Any, x: Any) -> Any:
    one = np.asarray(1)
    return ops.cast(ops.broadcast_to(one, ops.cast(sizes, "int32")), x.dtype)


@enter("Tile")
def tile(n: Step, x: Any, repeats: Any) -> Any:
    """y = x, repeats[i] times along axis i."""
    return ops.tile(x, ops.cast(repeats, "int32"))


@enter("Slice")
def slice_(
    n: Step,
    x: Any,
    starts: Any = None,
    ends: Any = None,
    axes: Any = None,
    steps: Any = None,
) -> Any:
    """y is what lies between starts and ends along axes."""
    if starts is None:
        starts, ends = np.asarray(n.get("starts")), np.asarray(n.get("ends"))
        axes = n.get("axes")
    count = starts.shape[0]
    where = range(count) if axes is None else n.constant(np.asarray(axes), "axes")
    strides = [1] * count if steps is None else n.constant(steps, "steps").tolist()
    index: list[Any] = [slice(None)] * rank(x)
    for i, (axis, step) in enumerate(zip(where, strides, strict=True)):
        index[axis] = slice(_bound(starts, i), _bound(ends, i, step), int(step))
    return ops.getitem(x, tuple(index))


def _bound(bounds: Any, i: int, step: int = 1) -> Any:
    """Return a bound of a slice: one that lies far outside is left out."""
    value = known(bounds[i])
    if value is None:
        return bounds[i]
    bound = int(value)
    return None if bound >= FAR - 1 or bound <= -FAR + 1 else bound


@enter("Gather")
def gather(n: Step, x: Any, indices: Any) -> Any:
    """y[..., i, ...] = x[..., indices[i], ...]."""
    return ops.take(x, indices, n.get("axis", 0))


@enter("GatherElements")
def gather_elements(n: Step, x: Any, indices: Any) -> Any:
    """y[..., i, ...] = x[..., indices[..., i, ...], ...]."""
    return ops.take_along_axis(x, indices, n.get("axis", 0))


@enter("GatherND")
def gather_nd(n: Step, x: Any, indices: Any) -> Any:
    """y[i] = x[indices[i]]."""
    if n.get("batch_dims"):
        raise UnsupportedError("batch_dims other than 0")
    return ops.gather_nd(x, indices)


@enter("ScatterND")
def scatter_nd(n: Step, x: Any, indices: Any, updates: Any) -> Any:
    """y is x, with updates[i] put or added at each indices[i]."""
    reduction = n.get("reduction", "none")
    if reduction == "add":
        return x + ops.scatter_nd(indices, updates, ops.shape(x))
    if reduction != "none":
        raise UnsupportedError(f"reduction {reduction!r}")
    return ops.scatter_update(x, indices, updates)


@enter("Pad")
def pad(
    n: Step, x: Any, widths: Any = None, value: Any = None, axes: Any = None
) -> Any:
    """y = x with a border."""
    if widths is not None and known(widths) is None and axes is None:
        return _padded(n, x, widths, value)
    given = n.integers("pads", (x, widths), 1)
    chosen = range(rank(x)) if axes is None else n.constant(axes, "axes").tolist()
    pairs = [(0, 0)] * rank(x)
    half = len(given) // 2
    for i, axis in enumerate(chosen):
        pairs[axis] = (given[i], given[half + i])
    mode = n.get("mode", "constant")
    if mode != "constant":
        return ops.pad(x, pairs, {"reflect": "reflect", "edge": "edge"}[mode])
    fill = n.get("value", 0.0) if value is None else n.constant(value, "the value")
    x = x[tuple(slice(max(-a, 0), min(b, 0) or None) for a, b in pairs)]
    positive = [(max(a, 0), max(b, 0)) for a, b in pairs]
    return ops.pad(x, positive, "constant", np.asarray(fill).reshape(-1)[0].item())


def _padded(n: Step, x: Any, widths: Any, value: Any) -> Any:
    """Return x with a border whose widths only the run will tell."""
    if n.get("mode", "constant") != "constant":
        raise UnsupportedError("a mirrored border of open width")
    fill = 0.0 if value is None else value
    count = rank(x)
    for axis in range(count):
        sizes = [size_along(x, i) for i in range(count)]
        ends = []
        for width in (widths[axis], widths[count + axis]):
            sizes[axis] = ops.cast(width, "int32")
            blank = ops.full([ops.cast(m, "int32") for m in sizes], fill, x.dtype)
            ends.append(blank)
        x = ops.concatenate([ends[0], x, ends[1]], axis)
    return x


@enter("Range")
def range_(n: Step, start: Any, limit: Any, delta: Any) -> Any:
    """y = start, start + delta, ... before limit."""
    return ops.arange(start, limit, delta)


@enter("OneHot")
def one_hot(n: Step, indices: Any, depth: Any, values: Any) -> Any:
    """y[..., j] = one value if j = indices[...], else another."""
    count = int(n.constant(depth, "the depth").reshape(-1)[0])
    off, on = n.constant(values, "values").tolist()
    whole = ops.mod(ops.cast(indices, "int64"), count)
    return ops.one_hot(whole, count, on, off, n.get("axis", -1), values.dtype)


@enter("NonZero")
def nonzero(n: Step, x: Any) -> Any:
    """y[:, i] is the position of the i-th element of x that is not 0."""
    return ops.cast(ops.transpose(ops.argwhere(x), [1, 0]), "int64")


@enter("Trilu")
def trilu(n: Step, x: Any, k: Any = None) -> Any:
    """y = x with 0 on one side of a diagonal."""
    offset = 0 if k is None else int(n.constant(k, "k"))
    return ops.triu(x, offset) if n.get("upper", 1) else ops.tril(x, offset)


@enter("EyeLike")
def eye_like(n: Step, x: Any) -> Any:
    """y has the shape of x and ones on a diagonal."""
    sizes = ops.shape(x)
    return ops.eye(sizes[0], sizes[1], n.get("k", 0), x.dtype)


@enter("DepthToSpace")
def depth_to_space(n: Step, x: Any) -> Any:
    """Move blocks of channels to squares of pixels."""
    b, channels = n.get("blocksize"), x.shape[1] // n.get("blocksize") ** 2
    batch, height, width = (size_along(x, i) for i in (0, 2, 3))
    if n.get("mode", "DCR") == "DCR":
        parted = ops.reshape(x, [batch, b, b, channels, height, width])
        moved = ops.transpose(parted, [0, 3, 4, 1, 5, 2])
    else:
        parted = ops.reshape(x, [batch, channels, b, b, height, width])
        moved = ops.transpose(parted, [0, 1, 4, 2, 5, 3])
    return ops.reshape(moved, [batch, channels, height * b, width * b])


@enter("SpaceToDepth")
def space_to_depth(n: Step, x: Any) -> Any:
    """Move squares of pixels to blocks of channels."""
    b, channels = n.get("blocksize"), x.shape[1]
    batch, height, width = (size_along(x, i) for i in (0, 2, 3))
    rows, columns = height // b, width // b
    parted = ops.reshape(x, [batch, channels, rows, b, columns, b])
    moved = ops.transpose(parted, [0, 3, 5, 1, 2, 4])
    return ops.reshape(moved, [batch, channels * b * b, rows, columns])

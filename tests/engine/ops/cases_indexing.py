"""Cases of indexing, gathering, scattering, and replacing parts."""

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.indexing import Gather
from minikeras.engine.ops.selection import ScatterSelected
from tests.engine.ops.cases import Case, booleans, integers

ROWS = np.array([[2, 0, 2], [-1, 1, 0]], "int32")
POSITIONS = np.array([[0, 1], [1, 0], [0, 1], [1, 2]], "int32")
ONE_HOT = {"indices": np.array([[0, 2], [-1, 3]], "int32")}


def indexed(note, *index, shape=(4, 5, 3), inputs=(), **options):
    """A case of ``x[index]``; callables in `index` take the further inputs."""

    def filled(parts):
        found = tuple(i(*parts) if callable(i) else i for i in index)
        return found if len(found) > 1 else found[0]

    return Case(
        "strided_slice",
        lambda x, *parts: ops.getitem(x, filled(parts)),
        lambda x, *parts: np.asarray(x[filled(parts)]),
        (shape, *inputs),
        note=note,
        **options,
    )


def scattered(indices, updates, shape):
    """Add one update after the other."""
    y = np.zeros(shape, updates.dtype)
    for place in np.ndindex(indices.shape[:-1]):
        y[tuple(indices[place])] += updates[place]
    return y


def replaced(x, indices, updates):
    y = x.copy()
    for place in np.ndindex(indices.shape[:-1]):
        y[tuple(indices[place])] = updates[place]
    return y


def segment_sum(x, segment_ids, num_segments):
    return np.stack([x[segment_ids == i].sum(0) for i in range(num_segments)])


def one_hot(indices, depth, on_value=1, off_value=0, axis=-1, dtype="float32"):
    hot = np.full((*indices.shape, depth), off_value, dtype)
    for place in np.ndindex(indices.shape):
        if 0 <= indices[place] < depth:
            hot[place][indices[place]] = on_value
    return np.moveaxis(hot, -1, axis)


def rows_scattered(g, x, indices):
    y = np.zeros_like(x)
    np.add.at(y, indices, g)
    return y


def block(x, start, size):
    ends = [
        n if k == -1 else b + k for b, k, n in zip(start, size, x.shape, strict=True)
    ]
    return x[tuple(slice(b, e) for b, e in zip(start, ends, strict=True))]


def block_replaced(x, updates, start):
    y = x.copy()
    ends = [b + n for b, n in zip(start, updates.shape, strict=True)]
    y[tuple(slice(b, e) for b, e in zip(start, ends, strict=True))] = updates
    return y


CASES = [
    indexed("an integer", 2),
    indexed("a negative integer", slice(None), -1),
    indexed("a single element", 1, 2, 0),
    indexed("an element of a vector", -1, shape=(3,)),
    indexed("a slice", slice(1, 3)),
    indexed("a slice beyond the end", slice(2, 9), slice(-9, 2)),
    indexed("an empty slice", slice(3, 1)),
    indexed("steps", slice(None, None, 2), slice(4, 0, -3)),
    indexed("backwards", slice(None, None, -1)),
    indexed("an ellipsis", ..., 1),
    indexed("an ellipsis between", 1, ..., slice(0, 2)),
    indexed("an ellipsis for nothing", 1, 2, 0, ...),
    indexed("new axes", None, slice(0, 2), None, 3, None),
    indexed(
        "an integer tensor",
        slice(None),
        lambda i: i,
        inputs=(np.array(3, "int32"),),
    ),
    indexed(
        "tensors as bounds",
        lambda a, b: slice(a, b),
        lambda a, b: slice(None, b, a),
        inputs=(np.array(1, "int32"), np.array(3, "int64")),
        static=False,
    ),
    indexed("a list", [0, 2, 0]),
    indexed("a matrix of indices", lambda i: i, inputs=(ROWS,)),
    indexed("indices of an inner axis", slice(None), lambda i: i, inputs=(ROWS,)),
    indexed("indices of two axes", lambda i: i, lambda i: i[:1], inputs=(ROWS,)),
    indexed("indices and an integer", lambda i: i, 1, slice(0, 2), inputs=(ROWS,)),
    indexed("indices apart", lambda i: i, slice(1, 3), lambda i: i, inputs=(ROWS,)),
    indexed("indices apart by a new axis", [0, 1], None, [2, 2]),
    indexed("an integer apart", 0, slice(1, 3), lambda i: i, inputs=(ROWS,)),
    indexed("indices and an ellipsis", ..., lambda i: i, None, inputs=(ROWS,)),
    indexed(
        "a mask", lambda m: m, inputs=(booleans((4, 5)),), static=False, any_rank=False
    ),
    indexed(
        "a mask of one axis",
        slice(1, 4),
        lambda m: m,
        inputs=(booleans((5,)),),
        static=False,
        any_rank=False,
    ),
    indexed(
        "a mask and indices",
        lambda m: m,
        [0, 2, 2],
        shape=(4, 4),
        inputs=(np.array([True, False, True, True]),),
        static=False,
        any_rank=False,
    ),
    Case("getitem", ops.getitem, lambda x, index: x[index], ((4, 5),), {"index": 1}),
    Case(
        "scatter_selected",
        lambda *xs: ScatterSelected(Gather(0))(*xs),
        rows_scattered,
        ((2, 3, 4), (3, 4), ROWS),
        wrt=(0,),
    ),
    # -- gather and scatter
    Case("take", ops.take, np.take, ((3, 4), ROWS), {"axis": 0}),
    Case("take", ops.take, np.take, ((2, 3, 4), ROWS), {"axis": -2}),
    Case("take", ops.take, np.take, ((3, 4), ROWS)),
    Case("take", ops.take, np.take, ((3, 4), np.array(1)), {"axis": 1}, note="scalar"),
    Case(
        "take_along_axis",
        ops.take_along_axis,
        np.take_along_axis,
        ((2, 4), ROWS),
        {"axis": 1},
    ),
    Case(
        "take_along_axis",
        ops.take_along_axis,
        np.take_along_axis,
        ((2, 4, 3), ROWS[:, :, None]),
        {"axis": -2},
        note="broadcast",
    ),
    Case(
        "take_along_axis",
        ops.take_along_axis,
        np.take_along_axis,
        ((2, 4), ROWS[0]),
        {"axis": None},
    ),
    Case(
        "gather_nd",
        ops.gather_nd,
        lambda x, i: x[i[..., 0], i[..., 1]],
        ((2, 3, 4), POSITIONS),
        ranked=False,
    ),
    Case(
        "gather_nd",
        ops.gather_nd,
        lambda x, i: x[i[..., 0]],
        ((3, 4), ROWS[..., None]),
        note="rows",
        ranked=False,
    ),
    Case(
        "scatter_nd",
        lambda x, i, shape: ops.scatter_nd(i, x, shape),
        lambda x, i, shape: scattered(i, x, shape),
        ((4, 2), POSITIONS),
        {"shape": (2, 3, 2)},
    ),
    Case(
        "scatter_nd",
        ops.segment_sum,
        segment_sum,
        ((5, 2), np.array([1, 0, 3, 1, 1], "int32")),
        {"num_segments": 4},
        note="segments",
    ),
    Case(
        "strided_slice",
        ops.boolean_mask,
        lambda x, mask, axis: x[:, mask],
        ((2, 3, 4), booleans((3, 4))),
        {"axis": 1},
        note="boolean_mask",
        static=False,
        any_rank=False,
    ),
    Case(
        "argwhere",
        ops.argwhere,
        np.argwhere,
        (integers((3, 4), 0, 2),),
        dtype="int32",
        static=False,
    ),
    Case("one_hot", ops.one_hot, one_hot, (ROWS,), {"depth": 3}, dtype="float32"),
    Case(
        "one_hot",
        ops.one_hot,
        one_hot,
        (ROWS,),
        {"depth": 2, "axis": 0},
        dtype="float32",
    ),
    Case(
        "one_hot",
        ops.one_hot,
        one_hot,
        (ROWS,),
        {"depth": 4, "axis": 1, "on_value": 5, "off_value": -1, "dtype": "int64"},
        dtype="int64",
    ),
    # -- parts replaced
    Case("slice", ops.slice, block, ((3, 4),), {"start": (1, 0), "size": (2, 3)}),
    Case("slice", ops.slice, block, ((3, 4),), {"start": (1, 2), "size": (-1, 2)}),
    Case(
        "slice",
        lambda x, start: ops.slice(x, start, (2, 3)),
        lambda x, start: block(x, start, (2, 3)),
        ((3, 4), np.array([1, 1], "int32")),
        note="from a tensor on",
    ),
    Case(
        "slice_update",
        lambda x, u, start: ops.slice_update(x, start, u),
        block_replaced,
        ((3, 4), (2, 3)),
        {"start": (1, 0)},
    ),
    Case(
        "scatter_update",
        ops.scatter_update,
        replaced,
        ((2, 3, 2), POSITIONS[1:], (3, 2)),
    ),
]

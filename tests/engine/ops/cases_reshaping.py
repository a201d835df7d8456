"""Cases of what changes the shape, or the order of elements, and not their values."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers


def listed(function):
    """Let a function of a list take its members one by one."""
    return lambda *xs, **kwargs: function(xs, **kwargs)


def concatenate(xs, axis=0):
    return np.concatenate(xs, axis)


def stack(xs, axis=0):
    return np.stack(xs, axis)


def split(x, sizes, axis=0):
    """Cut by indexing one slice after the other."""
    n = x.shape[axis]
    if isinstance(sizes, int):
        sizes = [n // sizes] * sizes
    sizes = [n + 1 + sum(-k for k in sizes) - 2 if k == -1 else k for k in sizes]
    ends = np.cumsum(sizes)
    return [
        np.take(x, range(end - k, end), axis)
        for k, end in zip(sizes, ends, strict=True)
    ]


def reshape(x, newshape):
    return np.reshape(x, newshape)


def tile(x, repeats):
    return np.tile(x, repeats)


def matrix_diag(x, k=0):
    return np.diag(x, k) if x.ndim == 1 else np.stack([np.diag(row, k) for row in x])


CASES = [
    Case("shape", ops.shape, lambda x: np.array(x.shape), ((2, 3),), dtype="int32"),
    Case(
        "shape",
        ops.shape,
        lambda x, dtype: np.array(x.shape),
        ((2, 3),),
        {"dtype": "int64"},
        dtype="int64",
    ),
    Case("size", ops.size, np.size, ((2, 3),), dtype="int32"),
    Case("rank", ops.rank, np.ndim, ((2, 3),), dtype="int32"),
    Case("reshape", ops.reshape, reshape, ((2, 6),), {"newshape": (3, 4)}),
    Case("reshape", ops.reshape, reshape, ((2, 6),), {"newshape": (-1, 3)}),
    Case("reshape", ops.reshape, reshape, ((2, 6),), {"newshape": -1}),
    Case("reshape", ops.reshape, reshape, ((1, 1),), {"newshape": ()}),
    Case("reshape", ops.reshape, reshape, ((0, 3),), {"newshape": (3, 0)}),
    Case(
        "reshape",
        ops.reshape,
        reshape,
        ((2, 6), np.array([3, -1], "int32")),
        note="by a tensor",
        static=False,
        ranked=False,
    ),
    Case(
        "reshape_like",
        ops.reshape_like,
        lambda x, like: x.reshape(like.shape),
        ((2, 6), (4, 3)),
        wrt=(0,),
    ),
    Case("transpose", ops.transpose, np.transpose, ((2, 3, 4),)),
    Case("transpose", ops.transpose, np.transpose, ((2, 3, 4),), {"axes": (1, 2, 0)}),
    Case("transpose", ops.transpose, np.transpose, ((2, 3, 4),), {"axes": (-1, 0, 1)}),
    Case(
        "transpose",
        ops.swapaxes,
        np.swapaxes,
        ((2, 3, 4),),
        {"axis1": 0, "axis2": -1},
        any_rank=False,
    ),
    Case(
        "transpose",
        ops.moveaxis,
        np.moveaxis,
        ((2, 3, 4, 5),),
        {"source": (0, -1), "destination": (2, 0)},
        any_rank=False,
    ),
    Case("expand_dims", ops.expand_dims, np.expand_dims, ((2, 3),), {"axis": 1}),
    Case("expand_dims", ops.expand_dims, np.expand_dims, ((2, 3),), {"axis": (0, -1)}),
    Case("squeeze", ops.squeeze, np.squeeze, ((1, 2, 1),), ranked=False),
    Case("squeeze", ops.squeeze, np.squeeze, ((1, 2, 1),), {"axis": -1}),
    Case("squeeze", ops.squeeze, np.squeeze, ((1, 2, 1),), {"axis": (0, 2)}),
    Case(
        "broadcast_to",
        ops.broadcast_to,
        np.broadcast_to,
        ((3, 1),),
        {"shape": (2, 3, 4)},
    ),
    Case("broadcast_to", ops.broadcast_to, np.broadcast_to, ((),), {"shape": (2, 2)}),
    # -- joining
    Case("concatenate", listed(ops.concatenate), listed(concatenate), ((2, 3), (1, 3))),
    Case(
        "concatenate",
        listed(ops.concatenate),
        listed(concatenate),
        ((2, 3), (2, 1), (2, 2)),
        {"axis": -1},
    ),
    Case(
        "concatenate", listed(ops.concatenate), listed(concatenate), ((2,),), note="one"
    ),
    Case(
        "concatenate",
        listed(ops.concatenate),
        listed(concatenate),
        ((2,), integers((3,))),
        note="of a float and an integer vector",
        wrt=(0,),
    ),
    Case(
        "split_like",
        lambda *xs: ops.joining.SplitLike(1)(*xs),
        lambda x, a, b: (x[:, :1], x[:, 1:]),
        ((2, 3), (2, 1), (2, 2)),
        wrt=(0,),
    ),
    Case("split", ops.split, split, ((6, 2),), {"sizes": 3}),
    Case("split", ops.split, split, ((2, 6),), {"sizes": (1, 3, 2), "axis": -1}),
    Case("split", ops.split, split, ((2, 6),), {"sizes": (1, -1, 2), "axis": 1}),
    Case("split", ops.split, split, ((2, 3),), {"sizes": 1}),
    Case("stack", listed(ops.stack), listed(stack), ((2, 3), (2, 3))),
    Case("stack", listed(ops.stack), listed(stack), ((2, 3), (2, 3)), {"axis": -1}),
    Case("stack", listed(ops.stack), listed(stack), ((), ()), note="scalars"),
    Case("stack", listed(ops.stack), listed(stack), ((2, 3),), {"axis": 1}, note="one"),
    Case("unstack", ops.unstack, lambda x, num: list(x), ((2, 3),), {"num": 2}),
    Case(
        "unstack",
        ops.unstack,
        lambda x, num, axis: [x[:, i] for i in range(3)],
        ((2, 3),),
        {"num": 3, "axis": -1},
    ),
    Case("tile", ops.tile, tile, ((2, 3),), {"repeats": (2, 3)}),
    Case("tile", ops.tile, tile, ((2, 3),), {"repeats": 3}),
    Case("tile", ops.tile, tile, ((3,),), {"repeats": (2, 1, 2)}),
    Case("repeat", ops.repeat, np.repeat, ((2, 3),), {"repeats": 3, "axis": -1}),
    Case("repeat", ops.repeat, np.repeat, ((2, 3),), {"repeats": 2}),
    Case("repeat", ops.repeat, np.repeat, ((3, 2),), {"repeats": (2, 0, 1), "axis": 0}),
    Case("meshgrid", ops.meshgrid, np.meshgrid, ((2,), (3,), (4,))),
    Case("meshgrid", ops.meshgrid, np.meshgrid, ((2,), (3,)), {"indexing": "ij"}),
    Case("meshgrid", ops.meshgrid, np.meshgrid, ((2,),), note="one"),
    # -- padding
    Case("pad", ops.pad, np.pad, ((2, 3),), {"pad_width": ((1, 0), (2, 3))}),
    Case(
        "pad",
        ops.pad,
        np.pad,
        ((2, 3),),
        {"pad_width": 1, "constant_values": 7},
        any_rank=False,
    ),
    Case("pad", ops.pad, np.pad, ((2, 3),), {"pad_width": (1, 2)}, any_rank=False),
    Case("pad", ops.pad, np.pad, (booleans((2, 3)),), {"pad_width": ((0, 1), (1, 0))}),
    *(
        Case(
            "mirror_pad",
            ops.pad,
            np.pad,
            ((3, 4),),
            {"pad_width": ((2, 1), (0, 3)), "mode": mode},
        )
        for mode in ("reflect", "symmetric", "edge")
    ),
    Case("flip", ops.flip, np.flip, ((2, 3),)),
    Case("flip", ops.flip, np.flip, ((2, 3),), {"axis": 0}),
    Case("flip", ops.flip, np.flip, ((2, 3, 2),), {"axis": (0, -1)}),
    Case("roll", ops.roll, np.roll, ((2, 3),), {"shift": 2}),
    Case("roll", ops.roll, np.roll, ((2, 3),), {"shift": -1, "axis": -1}),
    Case("roll", ops.roll, np.roll, ((2, 3),), {"shift": (1, 2), "axis": (0, 1)}),
    Case("roll", ops.roll, np.roll, ((3, 3),), {"shift": 1, "axis": (0, 1)}),
    # -- diagonals
    Case("diagonal", ops.diagonal, np.diagonal, ((3, 4),)),
    Case("diagonal", ops.diagonal, np.diagonal, ((3, 4),), {"offset": 2}),
    Case("diagonal", ops.diagonal, np.diagonal, ((3, 4),), {"offset": -5}),
    Case(
        "diagonal",
        ops.diagonal,
        np.diagonal,
        ((3, 4, 2),),
        {"offset": -1, "axis1": -1, "axis2": 0},
    ),
    Case("diagonal", ops.trace, np.trace, ((3, 4, 2),), {"offset": 1}, note="trace"),
    Case("diagonal", ops.diag, np.diag, ((3, 4),), {"k": 1}, any_rank=False),
    Case("diag", ops.diag, np.diag, ((3,),), {"k": -2}, any_rank=False),
    Case(
        "diag",
        lambda x, k: ops.diagonals.MatrixDiag(k)(x),
        matrix_diag,
        ((2, 3),),
        {"k": 1},
    ),
    Case("tril", ops.tril, np.tril, ((2, 3, 4),)),
    Case("tril", ops.tril, np.tril, ((3, 4),), {"k": -1}),
    Case("triu", ops.triu, np.triu, ((2, 3, 4),)),
    Case("triu", ops.triu, np.triu, (integers((3, 4)),), {"k": 1}),
]

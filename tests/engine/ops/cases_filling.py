"""Cases of tensors made of one value or of a sequence."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers

SIZES = np.array([2, 3], "int32")


def like(x, value):
    return np.full(x.shape, value, x.dtype)


CASES = [
    Case(
        "full",
        lambda value: ops.full((2, 3), value),
        lambda value: np.full((2, 3), value),
        ((),),
    ),
    Case(
        "full",
        lambda value: ops.full((2, 3), value),
        lambda value: np.full((2, 3), value),
        ((3,),),
        note="row",
    ),
    Case(
        "full",
        ops.full,
        lambda shape, value: np.full((2, 3), value),
        (SIZES, ()),
        note="fed shape",
        static=False,
        ranked=False,
    ),
    Case(
        "full",
        lambda x: ops.full_like(x, 7),
        lambda x: like(x, 7),
        ((2, 3),),
        wrt=(),
        note="like",
    ),
    Case(
        "full",
        lambda x: ops.full_like(x, 2.5, "float64"),
        lambda x: like(x, 2.5),
        ((2, 3),),
        wrt=(),
        note="like typed",
        dtype="float64",
    ),
    Case(
        "full",
        lambda x: ops.zeros((ops.shape(x)[0], 2)),
        lambda x: np.zeros((3, 2)),
        ((3, 1),),
        wrt=(),
        note="zeros",
        dtype="float32",
    ),
    Case(
        "full",
        lambda x: ops.ones(ops.shape(x), "int32"),
        lambda x: np.ones((3, 1), int),
        ((3, 1),),
        wrt=(),
        note="ones",
        dtype="int32",
    ),
    Case("ones_like", ops.ones_like, lambda x: like(x, 1), ((2, 3),), wrt=()),
    Case(
        "ones_like",
        ops.ones_like,
        lambda x: like(x, 1),
        (integers((2,)),),
        note="integers",
        dtype="int32",
    ),
    Case("zeros_like", ops.zeros_like, lambda x: like(x, 0), ((2, 3),), wrt=()),
    Case(
        "zeros_like",
        lambda x: ops.zeros_like(x, "bool"),
        lambda x: like(x, 0).astype(bool),
        ((2, 3),),
        wrt=(),
        note="typed",
    ),
    Case(
        "arange",
        ops.arange,
        np.arange,
        (np.array(2, "int32"), np.array(9, "int32"), np.array(3, "int32")),
        static=False,
        dtype="int32",
    ),
    Case(
        "arange",
        ops.arange,
        np.arange,
        (np.array(1.0), np.array(-2.0), np.array(-0.5)),
        static=False,
        wrt=(),
        note="floats",
    ),
    Case(
        "arange",
        lambda x: ops.arange(ops.shape(x)[0]),
        lambda x: np.arange(4),
        ((4, 2),),
        wrt=(),
        note="of shape",
        dtype="int32",
    ),
    Case("linspace", ops.linspace, np.linspace, ((), ()), {"num": 5}),
    Case(
        "linspace",
        ops.linspace,
        np.linspace,
        ((3,), (2, 1)),
        {"num": 4, "axis": -1, "endpoint": False},
    ),
    Case(
        "linspace",
        ops.linspace,
        np.linspace,
        (integers(()), (2,)),
        {"num": 3, "axis": 1},
        note="mixed",
    ),
    Case(
        "eye",
        ops.eye,
        np.eye,
        (np.array(3, "int32"),),
        {"k": 1},
        static=False,
        dtype="float32",
    ),
    Case(
        "eye",
        lambda x: ops.eye(ops.shape(x)[0], 4, k=-1, dtype=x.dtype),
        lambda x: np.eye(3, 4, -1),
        ((3, 1),),
        wrt=(),
        note="of shape",
    ),
]

"""Cases of products of matrices."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers


def matmul(a, b, transpose_a=False, transpose_b=False):
    a = a.swapaxes(-1, -2) if transpose_a else a
    return a @ (b.swapaxes(-1, -2) if transpose_b else b)


FLAGS = [
    {
        name: True
        for name, is_set in (("transpose_a", ta), ("transpose_b", tb))
        if is_set
    }
    for ta in (False, True)
    for tb in (False, True)
]


def turned(shape, flag):
    return (*shape[:-2], shape[-1], shape[-2]) if flag else shape


CASES = [
    *(
        Case(
            "matmul",
            ops.matmul,
            matmul,
            (turned(a, "transpose_a" in flags), turned(b, "transpose_b" in flags)),
            flags,
            note=" ".join([note, *flags]),
        )
        for flags in FLAGS
        for note, a, b in [
            ("matrices", (2, 3), (3, 4)),
            ("batch", (5, 2, 3), (5, 3, 4)),
            ("rows", (5, 6, 2, 3), (3, 4)),
            ("left matrix", (2, 3), (5, 3, 4)),
            ("wide batch", (5, 1, 2, 3), (6, 3, 4)),
        ]
    ),
    Case(
        "matmul",
        ops.matmul,
        np.matmul,
        (integers((2, 3)), integers((3, 2))),
        note="integers",
    ),
    Case("matmul", ops.matmul, np.matmul, ((2, 0), (0, 3)), note="nothing"),
    Case(
        "matmul",
        ops.matmul,
        np.matmul,
        ((3,), (3, 4)),
        note="row vector",
        any_rank=False,
    ),
    Case(
        "matmul",
        ops.matmul,
        np.matmul,
        ((5, 2, 3), (3,)),
        note="column vector",
        any_rank=False,
    ),
    Case("matmul", ops.matmul, np.matmul, ((3,), (3,)), note="vectors", any_rank=False),
    Case("matmul", ops.dot, np.dot, ((2, 3), (3, 4)), note="dot", any_rank=False),
    Case(
        "dot",
        lambda x, y: x @ y,
        np.dot,
        ((2, 3), (3,)),
        note="operator",
        any_rank=False,
    ),
    Case(
        "matmul",
        ops.dot,
        np.dot,
        ((2, 3), (5, 3, 4)),
        note="dot of higher rank",
        any_rank=False,
    ),
    Case(
        "multiply",
        ops.dot,
        np.dot,
        ((), (3, 4)),
        note="dot of a number",
        any_rank=False,
    ),
]

"""Cases of products along chosen axes."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers


def einsum(equation, *shapes, **more):
    return Case(
        more.pop("op", "label_sizes"),
        lambda *xs: ops.einsum(equation, *xs),
        lambda *xs: np.einsum(equation, *xs),
        shapes,
        note=equation,
        any_rank="." not in equation,
        **more,
    )


CASES = [
    einsum("ij,jk->ik", (2, 3), (3, 4)),
    einsum("ij,jk", (2, 3), (3, 4)),
    einsum("ba,cb", (2, 3), (4, 2)),
    einsum("i,i->", (3,), (3,)),
    einsum("i,j->ji", (2,), (3,)),
    einsum(",ij->ji", (), (2, 3)),
    einsum("ij,ij->ij", (2, 3), (2, 3)),
    einsum("ijk,ik->kj", (2, 3, 4), (2, 4)),
    einsum("abc,cde->abde", (2, 3, 4), (4, 2, 3)),
    einsum("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    einsum("bhqk,bkhd->bqhd", (2, 2, 3, 5), (2, 5, 2, 4)),
    einsum("ijk,l->kl", (2, 3, 4), (2,)),
    einsum("i,ij,j->", (2,), (2, 3), (3,)),
    einsum("ij,jk,kl,l->i", (2, 3), (3, 4), (4, 2), (2,)),
    einsum("ij,ik,il->ijkl", (2, 3), (2, 4), (2, 2)),
    einsum("ij->ji", (2, 3), op="transpose"),
    einsum("ijk->j", (2, 3, 4), op="sum"),
    einsum("ba", (2, 3), op="transpose"),
    einsum("ii->i", (3, 3)),
    einsum("ii", (3, 3)),
    einsum("iji->j", (3, 2, 3)),
    einsum("iii->i", (3, 3, 3)),
    einsum("ii,ij->j", (3, 3), (3, 2)),
    einsum("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    einsum("...ij,jk", (5, 2, 3), (3, 4)),
    einsum("...i,...i->...", (4, 1, 3), (2, 3)),
    einsum("...ii->...i", (2, 3, 3)),
    einsum("i...->...", (2, 3, 4), op="sum"),
    einsum("ij,kj->ik", integers((2, 3)), integers((4, 3))),
    *(
        Case(
            "label_sizes",
            ops.tensordot,
            np.tensordot,
            shapes,
            {"axes": axes},
            any_rank=False,
        )
        for shapes, axes in [
            (((2, 3, 4), (3, 4, 5)), 2),
            (((2, 3), (4,)), 0),
            (((2, 3, 4), (4, 2)), ((0, 2), (1, 0))),
            (((2, 3, 4), (5, 4)), (-1, -1)),
            (((3, 2), (3, 2)), ((0, 1), (0, 1))),
        ]
    ),
    Case("multiply", ops.outer, np.outer, ((3,), (4,))),
    Case("multiply", ops.outer, np.outer, ((2, 3), (2, 2)), note="of matrices"),
]

"""Cases of eigenvalues and singular values."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, normal
from tests.engine.ops.cases_decomposition import SHAPES, each


def signed(first, *others):
    """Return columns with the signs that make the first row of `first` positive."""
    sign = np.sign(first[:1])
    return [first * sign, *(x * sign for x in others)]


@each
def jacobi(x):
    """Turn one pair of axes after the other, until all off the diagonal is 0."""
    x = (x + x.T) / 2
    n, v = len(x), np.eye(len(x))
    for _ in range(12):
        for i in range(n):
            for j in range(i + 1, n):
                angle = 0.5 * np.arctan2(2 * x[i, j], x[j, j] - x[i, i])
                turn = np.eye(n)
                turn[i, i] = turn[j, j] = np.cos(angle)
                turn[i, j], turn[j, i] = np.sin(angle), -np.sin(angle)
                x, v = turn.T @ x @ turn, v @ turn
    order = np.argsort(np.diag(x))
    return np.diag(x)[order], *signed(v[:, order])


def eigh(x):
    """With positive elements in the first row."""
    w, v = ops.eigh(x)
    return w, v * ops.sign(v[..., :1, :])


@each
def singular(x):
    """By the eigenvalues of xT x, or of x xT if that is smaller."""
    if len(x) < x.shape[1]:
        v, s, ut = singular(x.T)
        u, v = signed(ut.T, v)
        return u, s, v.T
    squares, v = jacobi(x.T @ x)
    s = np.sqrt(squares[::-1])
    v = v[:, ::-1]
    u, v = signed(x @ v / s, v)
    return u, s, v.T


def svd(x, full_matrices=False):
    """With positive elements in the first row of u."""
    u, s, vt = ops.svd(x, full_matrices)
    sign = ops.sign(u[..., :1, :])
    return u * sign, s, vt * ops.swapaxes(sign, -1, -2)


def low_rank(shape):
    """Make matrices of rank 2."""
    return lambda rng: (
        rng.standard_normal((*shape[:-1], 2))
        @ rng.standard_normal((*shape[:-2], 2, shape[-1]))
    )


@each
def rank(x, tol=None):
    """How many singular values there are, but for those that rounding makes."""
    least = 1e-4 if tol is None else tol
    return np.asarray(np.sum(singular(x)[1] > least), "int32")


SQUARES = {"matrix": (4, 4), "batch": (2, 2, 3, 3), "number": (1, 1)}

CASES = [
    *(
        Case("eigh", eigh, jacobi, (normal(shape),), note=note, rtol=100)
        for note, shape in SQUARES.items()
    ),
    *(
        Case(
            "svd",
            svd,
            singular,
            (normal(shape),),
            note=note,
            rtol=1000,
            any_rank=False,
        )
        for note, shape in SHAPES.items()
    ),
    *(
        Case(
            "singular_values",
            lambda x: ops.svd(x, compute_uv=False),
            lambda x: singular(x)[1],
            (normal(shape),),
            note=note,
            rtol=1000,
        )
        for note, shape in SHAPES.items()
    ),
    *(
        Case(
            "singular_values",
            ops.matrix_rank,
            rank,
            (maker(shape),),
            kwargs,
            note=f"rank {note}",
            wrt=(),
        )
        for note, maker, shape, kwargs in [
            ("full", normal, (2, 3, 4), {}),
            ("low", low_rank, (2, 5, 4), {}),
            ("limit", normal, (5, 4), {"tol": 1.8}),
        ]
    ),
]
ELSEWHERE = {
    "cofactors": "test_decomposition.py",
    "custom_gradient": "test_custom.py",
    "eig": "test_decomposition.py",
}

"""Cases of systems of equations, inverses and determinants."""

import itertools
import math

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, normal
from tests.engine.ops.cases_decomposition import each


def regular(shape):
    """Make matrices far from singular ones."""
    return lambda rng: rng.standard_normal(shape) + 3 * np.eye(shape[-1])


def vectors(a, b):
    return b.ndim in (1, a.ndim - 1)


def cramer(a, b):
    """Solve by Cramer's rule: quotients of determinants."""
    columns = b[..., None] if vectors(a, b) else b
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    a = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    columns = np.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    x = np.zeros(columns.shape)
    for i, j in np.ndindex(columns.shape[-2:]):
        replaced = a.copy()
        replaced[..., :, i] = columns[..., :, j]
        x[..., i, j] = det(replaced) / det(a)
    return x[..., 0] if vectors(a, b) else x


def triangular(a, b, lower=False):
    return cramer(np.tril(a) if lower else np.triu(a), b)


@each
def det(x):
    """Leibniz's sum over all permutations."""
    n = len(x)
    total = 0.0
    for order in itertools.permutations(range(n)):
        turns = sum(a > b for a, b in itertools.combinations(order, 2))
        total += (-1) ** turns * math.prod(x[i, j] for i, j in enumerate(order))
    return np.asarray(total)


def slogdet(x):
    return np.sign(det(x)), np.log(np.abs(det(x)))


def inv(x):
    return cramer(x, np.broadcast_to(np.eye(x.shape[-1]), x.shape))


@each
def cofactors(x):
    y = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        minor = np.delete(np.delete(x, i, 0), j, 1)
        y[i, j] = (-1) ** (i + j) * det(minor)
    return y


@each
def pinv(x, rcond=None):
    """By the normal equations, for matrices of full rank."""
    m, n = x.shape
    return inv(x.T @ x) @ x.T if m >= n else x.T @ inv(x @ x.T)


PAIRS = {
    "vector": ((3, 3), (3,)),
    "matrix": ((3, 3), (3, 2)),
    "batch": ((2, 3, 3), (2, 3, 4)),
    "vectors": ((2, 3, 3), (2, 3)),
    "one matrix": ((3, 3), (5, 3, 2)),
    "broadcast": ((2, 1, 3, 3), (1, 4, 3, 2)),
    "number": ((1, 1), (1, 1)),
}

SYSTEMS = [
    *(
        Case(
            "solve",
            ops.solve,
            cramer,
            (regular(a), normal(b)),
            note=note,
            rtol=100,
            any_rank=note != "vector" and note != "vectors",
        )
        for note, (a, b) in PAIRS.items()
    ),
    *(
        Case(
            "solve_triangular",
            ops.solve_triangular,
            triangular,
            (regular(a), normal(b)),
            {"lower": lower},
            note=f"{note} {lower}",
            rtol=100,
            any_rank=note != "vector" and note != "vectors",
        )
        for note, (a, b) in PAIRS.items()
        for lower in (False, True)
    ),
    Case(
        "solve_triangular",
        ops.solve_triangular,
        triangular,
        (regular((7, 7)), normal((7, 2))),
        note="seven",
        rtol=100,
    ),
    Case(
        "solve_triangular",
        ops.solve_triangular,
        lambda a, b: b,
        (normal((2, 0, 0)), normal((2, 0, 3))),
        note="nothing",
    ),
]

SQUARES = {"matrix": (3, 3), "batch": (2, 2, 4, 4), "number": (1, 1)}
INVERSES = [
    *(
        Case(name, function, oracle, (regular(shape),), note=note, rtol=100)
        for name, function, oracle in [
            ("inv", ops.inv, inv),
            ("det", ops.det, det),
            ("slogdet", ops.slogdet, slogdet),
        ]
        for note, shape in SQUARES.items()
    ),
    Case("slogdet", ops.logdet, lambda x: slogdet(x)[1], (regular((2, 3, 3)),)),
    *(
        Case("pinv", ops.pinv, pinv, (normal(shape),), kwargs, note=note, rtol=1000)
        for note, shape, kwargs in [
            ("tall", (5, 3), {}),
            ("wide", (2, 3, 5), {}),
            ("square", (3, 3), {}),
            ("cutoff", (4, 3), {"rcond": 1e-6}),
        ]
    ),
    *(
        Case(
            "pinv",
            ops.lstsq,
            lambda a, b: np.linalg.lstsq(a, b)[0],
            (normal(a), normal(b)),
            note=f"lstsq {a} {b}",
            rtol=1000,
            any_rank=len(b) == 2,
        )
        for a, b in [((5, 3), (5,)), ((5, 3), (5, 2)), ((3, 5), (3, 2))]
    ),
]

CASES = [*SYSTEMS, *INVERSES]

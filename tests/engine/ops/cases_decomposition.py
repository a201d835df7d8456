"""Cases of matrix decompositions, by oracles that know of no LAPACK factorization."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, normal


def t(x):
    return np.swapaxes(x, -1, -2)


def each(oracle):
    """Apply `oracle`, of one matrix, to every matrix of a batch."""

    def batched(*xs, **kwargs):
        if xs[0].ndim == 2:
            return oracle(*xs, **kwargs)
        results = [batched(*parts, **kwargs) for parts in zip(*xs, strict=True)]
        if isinstance(results[0], tuple):
            return tuple(map(np.stack, zip(*results, strict=True)))
        return np.stack(results)

    return batched


# -- q r -------------------------------------------------------------------------------


def unique(x):
    """With the signs that make r's diagonal positive."""
    q, r = ops.qr(x)
    sign = ops.sign(ops.diagonal(r, axis1=-2, axis2=-1))
    return q * ops.expand_dims(sign, -2), r * ops.expand_dims(sign, -1)


def gram_schmidt(x):
    """Column by column: what is left of it after those before, made of length 1."""
    m, n = x.shape[-2:]
    k = min(m, n)
    q = np.zeros((*x.shape[:-1], k))
    for i in range(k):
        left = x[..., i].copy()
        for j in range(i):
            left -= np.sum(q[..., j] * left, -1, keepdims=True) * q[..., j]
        q[..., i] = left / np.sqrt(np.sum(left**2, -1, keepdims=True))
    return q, np.triu(t(q) @ x)


SHAPES = {"tall": (5, 3), "square": (4, 4), "wide": (3, 5), "batch": (2, 3, 4, 3)}

QR = [
    Case("qr", unique, gram_schmidt, (normal(shape),), note=note, rtol=100)
    for note, shape in SHAPES.items()
]


# -- cholesky --------------------------------------------------------------------------


def positive(shape):
    """Make matrices that are positive definite, but not quite symmetric."""

    def make(rng):
        x = rng.standard_normal(shape)
        return x @ t(x) + 2 * np.eye(shape[-1]) + 0.1 * rng.standard_normal(shape)

    return make


@each
def cholesky(x, upper=False):
    """Row by row, as it is taught."""
    x = (x + x.T) / 2
    y = np.zeros(x.shape)
    for i in range(len(x)):
        for j in range(i + 1):
            rest = x[i, j] - y[i, :j] @ y[j, :j]
            y[i, j] = np.sqrt(rest) if i == j else rest / y[j, j]
    return y.T if upper else y


@each
def inverse_by_factor(x, upper=False):
    factor = np.triu(x).T if upper else np.tril(x)
    return np.linalg.inv(factor @ factor.T)


CHOLESKY = [
    *(
        Case(
            "cholesky",
            ops.cholesky,
            cholesky,
            (positive(shape),),
            {"upper": upper},
            note=f"{shape} {upper}",
            rtol=100,
            any_rank=not upper,
        )
        for shape in ((3, 3), (2, 4, 4), (1, 1))
        for upper in (False, True)
    ),
    *(
        Case(
            "solve_triangular",
            ops.cholesky_inverse,
            inverse_by_factor,
            (positive(shape),),
            {"upper": upper},
            note=f"cholesky_inverse {shape} {upper}",
            rtol=1000,
            any_rank=False,
        )
        for shape in ((3, 3), (2, 4, 4))
        for upper in (False, True)
    ),
]


# -- l u -------------------------------------------------------------------------------


@each
def doolittle(x):
    """Exchange rows so that the largest is on top, and take away multiples of it."""
    x, pivots = x.copy(), []
    for j in range(min(x.shape)):
        p = j + int(np.argmax(np.abs(x[j:, j])))
        pivots.append(p)
        x[[j, p]] = x[[p, j]]
        for i in range(j + 1, len(x)):
            x[i, j] /= x[j, j]
            x[i, j + 1 :] -= x[i, j] * x[j, j + 1 :]
    return x, np.array(pivots, "int32")


LU = [
    Case("lu", ops.lu_factor, doolittle, (normal(shape),), note=note, rtol=100)
    for note, shape in SHAPES.items()
]

CASES = [*QR, *CHOLESKY, *LU]

"""Cases of matrix decompositions."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, normal


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
    return q, np.triu(np.swapaxes(q, -1, -2) @ x)


CASES = [
    Case("qr", unique, gram_schmidt, (normal(shape),), wrt=(), note=note, rtol=100)
    for note, shape in {
        "tall": (5, 3),
        "square": (4, 4),
        "wide": (3, 5),
        "batch": (2, 4, 3),
    }.items()
]

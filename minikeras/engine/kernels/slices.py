"""Products of many rows, a slice of them at a time, which BLAS takes as they lie.

BLAS copies the operands of a product into an order of its own first, unless the product
is small. Slices that are small enough take from half to nine tenths of the time.

A product's rows are the last axis but one; leading axes are those of stacks.
"""

from __future__ import annotations

from types import ModuleType

from minikeras.engine.kernels.products import MULTIPLICATIONS
from minikeras.engine.spec import Array

__all__ = ["product", "product_over_rows"]

# In slices of fewer rows too little is done with what is read of the other operand,
# or, where each slice makes a result of its own, to make up for adding those.
FEWEST_ROWS, FEWEST_SUMMED = 16, 64


def product(xp: ModuleType, a: Array, b: Array) -> Array:
    """Return the product of a, which has many rows, and b."""
    n = _at_once(a.shape[-2], b.shape[-2] * b.shape[-1], FEWEST_ROWS)
    y = xp.matmul(_cut(a, n), b[..., None, :, :])
    return y.reshape(*a.shape[:-1], b.shape[-1])


def product_over_rows(xp: ModuleType, a: Array, b: Array) -> Array:
    """Return the product of a transposed and b, both of which have many rows."""
    n = _at_once(a.shape[-2], a.shape[-1] * b.shape[-1], FEWEST_SUMMED)
    return xp.matmul(_cut(a, n).swapaxes(-1, -2), _cut(b, n)).sum(-3)


def _cut(x: Array, n: int) -> Array:
    """Return x with an axis of slices before that of n rows."""
    *stack, rows, columns = x.shape
    return x.reshape(*stack, rows // max(n, 1), n, columns)


def _at_once(rows: int, multiplications: int, fewest: int) -> int:
    """Return how many rows to take at once, given what each of them takes."""
    most = MULTIPLICATIONS // max(multiplications, 1)
    parts = (n for n in range(min(most, rows), fewest - 1, -1) if rows % n == 0)
    return next(parts, rows)

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
    *stack, rows, inner = a.shape
    n = _at_once(rows, inner * b.shape[-1], FEWEST_ROWS)
    y = xp.matmul(a.reshape(*stack, -1, n, inner), b[..., None, :, :])
    return y.reshape(*stack, rows, b.shape[-1])


def product_over_rows(xp: ModuleType, a: Array, b: Array) -> Array:
    """Return the product of a transposed and b, both of which have many rows."""
    *stack, rows, _ = a.shape
    n = _at_once(rows, a.shape[-1] * b.shape[-1], FEWEST_SUMMED)
    left, right = (x.reshape(*stack, -1, n, x.shape[-1]) for x in (a, b))
    return xp.matmul(left.swapaxes(-1, -2), right).sum(-3)


def _at_once(rows: int, multiplications: int, fewest: int) -> int:
    """Return how many rows to take at once, given what each of them takes."""
    most = MULTIPLICATIONS // max(multiplications, 1)
    parts = (n for n in range(min(most, rows), fewest - 1, -1) if rows % n == 0)
    return next(parts, rows)

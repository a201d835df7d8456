"""Gaussian elimination, which the array libraries offer only as a whole.

NumPy solves any system but no triangular one faster, and gives no factors. Both
functions here work on all matrices of a batch together.
"""

from __future__ import annotations

from types import ModuleType

from minikeras.engine.spec import Array

__all__ = ["lu", "solve_triangular"]


def solve_triangular(xp: ModuleType, a: Array, b: Array, lower: bool) -> Array:
    """Return x where a x = b; of `a` only one triangle is read.

    One half of x is found first, and what it makes of the right side taken away: so
    nearly all of the work is products of matrices.
    """
    n = a.shape[-1]
    if n < 2:
        return b / a.diagonal(0, -2, -1)[..., None]
    top, bottom = slice(n // 2), slice(n // 2, n)
    first, last = (top, bottom) if lower else (bottom, top)
    x = solve_triangular(xp, a[..., first, first], b[..., first, :], lower)
    rest = b[..., last, :] - a[..., last, first] @ x
    y = solve_triangular(xp, a[..., last, last], rest, lower)
    return xp.concatenate([x, y] if lower else [y, x], -2)


def lu(xp: ModuleType, x: Array) -> tuple[Array, Array, Array]:
    """Return l and u in one matrix, with which row each was exchanged, and the order.

    Row i of ``l @ u`` is row ``order[i]`` of `x`.
    """
    *batch, m, n = x.shape
    y = xp.array(x).reshape(-1, m, n)
    each = xp.arange(len(y))
    order = xp.zeros((len(y), m), "int32") + xp.arange(m, dtype="int32")
    pivots = xp.zeros((len(y), min(m, n)), "int32")
    for j in range(min(m, n)):
        pivots[:, j] = p = j + xp.argmax(xp.abs(y[:, j:, j]), 1)
        for rows in (y, order):
            rows[each, p], rows[:, j] = rows[:, j].copy(), rows[each, p]
        pivot = y[:, j, j, None]
        y[:, j + 1 :, j] /= xp.where(pivot == 0, 1, pivot)  # then all below are 0, too
        y[:, j + 1 :, j + 1 :] -= y[:, j + 1 :, j, None] * y[:, j, None, j + 1 :]
    shapes = ((m, n), (min(m, n),), (m,))
    found = zip((y, pivots, order), shapes, strict=True)
    y, pivots, order = (part.reshape(*batch, *shape) for part, shape in found)
    return y, pivots, order

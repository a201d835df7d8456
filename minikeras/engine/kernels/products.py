"""Products of a few rows, cut into blocks of columns which BLAS takes as they lie.

BLAS copies the operands of a product into an order of its own first. Where the left one
has few rows, as in one step of a recurrent layer, that takes longer than it saves: up
to half of the time, at four rows six sevenths. OpenBLAS leaves it out for products that
are small enough, and so the columns are cut until they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minikeras.engine.spec import Array

__all__ = ["bound_product", "bound_products", "columns_at_once"]

# Measured with OpenBLAS 0.3.31 on AVX-512; where it copies anyway cutting costs little.
MULTIPLICATIONS = 1_000_000  # at most so many are done without copies,
TURNED_RESULTS = 1_024  # and of a right operand that lies transposed, so many results;
ROWS, TURNED_ROWS = 64, 32  # for more rows, copying pays,
INNER, WORTH_IT = 128, 250_000  # and for less work, transposed, it does not matter
COLUMNS = 16  # fewer at once are slow either way
# Of stacks: right operands up to this size are turned for at least so many rows.
SMALL, WIDE = 128, 32


def bound_product(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    """Return the call that writes the product of two matrices into a third."""
    (rows, inner), columns = left.shape, right.shape[1]
    turned = right.strides[0] < right.strides[1]
    width = columns_at_once(rows, inner, columns, turned)
    if width >= columns:
        return partial(np.dot, left, right, out)  # matmul, with less ceremony
    cuts = [slice(i, i + width) for i in range(0, columns, width)]
    blocks = [(right[:, cut], out[:, cut]) for cut in cuts]

    def multiply() -> None:
        for block, result in blocks:
            np.matmul(left, block, result)

    return multiply


def bound_products(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    """Return the call that writes the products of two stacks of matrices into a third.

    Small right operands that lie transposed are turned first: that takes less time
    than BLAS, which turns each by itself.
    """
    turned = right.strides[-2] < right.strides[-1]
    if not (turned and max(right.shape[-2:]) <= SMALL and left.shape[-2] >= WIDE):
        return partial(np.matmul, left, right, out)
    straight = np.empty(right.shape, right.dtype)

    def multiply() -> None:
        np.copyto(straight, right)
        np.matmul(left, straight, out)

    return multiply


def columns_at_once(rows: int, inner: int, columns: int, turned: bool = False) -> int:
    """Return how many columns of a product to compute at once.

    Args:
        rows: of the left operand.
        inner: size of the axis that is summed.
        columns: of the right operand.
        turned: whether the right operand lies transposed in memory.
    """
    most = MULTIPLICATIONS // (rows * inner or 1)
    if turned:
        most = min(most, TURNED_RESULTS // (rows or 1))
        worth_it = inner >= INNER and rows * inner * columns >= WORTH_IT
    else:
        worth_it = True
    width = 1 << max(most.bit_length() - 1, 0)  # a power of two, for the registers
    few = 1 < rows <= (TURNED_ROWS if turned else ROWS)
    return width if few and worth_it and COLUMNS <= width < columns else columns

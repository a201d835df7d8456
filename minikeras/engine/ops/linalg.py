"""Products of matrices."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.arithmetic import multiply
from minikeras.engine.ops.einsum import tensordot
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.spec import Array, Spec

__all__ = ["dot", "matmul"]


class MatMul(Op, name="matmul"):
    """c[..., i, k] = sum over j of a[..., i, j] * b[..., j, k]."""

    transpose_a: bool = False
    transpose_b: bool = False
    promotes = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        left, right = a.known, b.known
        if len(left) < 2 or len(right) < 2:
            raise ShapeError(
                "matmul: both operands need two axes or more; got shapes "
                f"{shapes.show(left)} and {shapes.show(right)}"
            )
        rows, inner = left[-2:][:: -1 if self.transpose_a else 1]
        depth, columns = right[-2:][:: -1 if self.transpose_b else 1]
        if not shapes.compatible(inner, depth):
            raise ShapeError(
                f"matmul: inner sizes differ, {inner} against {depth}; the shapes are "
                f"{shapes.show(left)} and {shapes.show(right)}{self._flags()}"
            )
        batch = shapes.broadcast(left[:-2], right[:-2])
        return Spec((*(batch or ()), rows, columns), a.dtype)

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        # A transposed view costs nothing: BLAS reads a matrix either way.
        left = a.swapaxes(-1, -2) if self.transpose_a else a
        right = b.swapaxes(-1, -2) if self.transpose_b else b
        return xp.matmul(left, right)

    def vjp(self, g: Tensor, c: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        # For c = A B: dL/dA = g BT, dL/dB = AT g, and the transpose of that for aT = A.
        ta, tb = self.transpose_a, self.transpose_b
        to_a = matmul(b, g, tb, True) if ta else matmul(g, b, False, not tb)
        left, right = (g, a) if tb else (a, g)
        if b.spec.rank == 2 and (a.spec.rank or 0) > 2 and not ta:
            # Batches of rows times one matrix: its gradient is one sum over all rows.
            every_row = tuple(range(len(a.spec.known) - 1))
            to_b = tensordot(left, right, (every_row, every_row))
        else:
            to_b = matmul(left, right, tb or not ta, tb and ta)
        # Batch axes that were broadcast are summed back.
        return sum_like(to_a, a), sum_like(to_b, b)

    def _flags(self) -> str:
        flags = {"transpose_a": self.transpose_a, "transpose_b": self.transpose_b}
        return "".join(f", {name}" for name, is_set in flags.items() if is_set)


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False
) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast.

    An operand with one axis counts as a row (`a`) or a column (`b`), and the axis of
    size 1 that this makes is left out of the result.

    Args:
        a: the left operand.
        b: the right operand.
        transpose_a: whether to exchange the last two axes of `a` first.
        transpose_b: whether to exchange the last two axes of `b` first.

    Shapes:
        a: (..., rows, inner)
        b: (..., inner, columns)
        returns: (..., rows, columns)

    Raises:
        ShapeError: if both inner sizes are known and differ, or the leading axes do
            not broadcast.
    """
    if _rank(a) == 1 or _rank(b) == 1:
        return dot(a, b)
    return MatMul(transpose_a, transpose_b)(a, b)


def _rank(x: Any) -> int | None:
    """Return how many axes an operand has, whatever it is; None if unknown."""
    if isinstance(x, (list, tuple)):
        return operand(x).ndim
    given = getattr(x, "shape", ())
    return None if given is None else len(given)


def dot(x1: Any, x2: Any) -> Tensor:
    """Contract the last axis of `x1` with the last but one of `x2`, by NumPy's rule.

    A number multiplies; of an `x2` with one axis, that axis is contracted.

    Shapes:
        x1: (first..., inner)
        x2: (second..., inner, columns), or (inner)
        returns: (first..., second..., columns)

    Raises:
        ShapeError: if the inner sizes differ, or a rank is unknown.
    """
    x, y = operand(x1), operand(x2)
    if 0 in (x.ndim, y.ndim):
        return multiply(x, y)
    if x.ndim == y.ndim == 2:
        return MatMul()(x, y)
    return tensordot(x, y, ((-1,), (-1 if y.ndim == 1 else -2,)))

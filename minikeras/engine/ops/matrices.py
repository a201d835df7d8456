"""What functions of matrices have in common: they act on the last two axes.

The axes before those are a batch, and each matrix of it is treated by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras.engine import shapes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.reshaping import swapaxes
from minikeras.engine.spec import Shape, Spec

__all__: list[str] = []

Size = int | None


class MatrixFunction(Op):
    """One or several functions of the matrix x, in floating point."""

    promotes = True
    floats = True
    square: ClassVar[bool] = False  # whether x must have as many rows as columns

    def core(self, rows: Size, columns: Size, dtype: DType) -> Sequence[Spec]:
        """Return what its outputs are for a single matrix."""
        raise NotImplementedError

    def infer(self, x: Spec) -> Any:
        *batch, rows, columns = matrix_shape(self.name, x, self.square)
        return self._outputs(batch, rows, columns, x.dtype)

    def infer_any_rank(self, x: Spec) -> Any:
        return self._outputs(None, None, None, x.dtype)

    def _outputs(
        self, batch: Sequence[Size] | None, rows: Size, columns: Size, dtype: DType
    ) -> Any:
        specs = [
            Spec(None if batch is None else (*batch, *y.known), y.dtype)
            for y in self.core(rows, columns, dtype)
        ]
        return tuple(specs) if len(specs) > 1 else specs[0]


def matrix_shape(name: str, x: Spec, square: bool = False) -> Shape:
    """Return the shape of `x`, which must be made of matrices.

    Raises:
        ShapeError: if `x` has fewer than two axes, or its matrices are not `square`.
    """
    if len(x.known) < 2:
        raise ShapeError(
            f"{name}: x needs two axes or more; got shape {shapes.show(x.shape)}"
        )
    *batch, rows, columns = x.known
    if square and not shapes.compatible(rows, columns):
        raise ShapeError(
            f"{name}: a square matrix is wanted; got shape {shapes.show(x.shape)}"
        )
    if square:
        rows = columns = columns if rows is None else rows
    return (*batch, rows, columns)


def smaller(m: Size, n: Size) -> Size:
    """Return the smaller of two sizes, None if that is not known."""
    return None if m is None or n is None else min(m, n)


def swapped(x: Any) -> Tensor:
    """Return the transposes of the matrices in `x`."""
    return swapaxes(x, -1, -2)

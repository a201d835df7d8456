"""How much there is of each class in a row of numbers, and the way back.

The classes may be many, so no table of comparisons is made: what a class weighs is
added at its place. Numbers that are no class (below 0, or too large) count nowhere.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from minikeras.engine import dtypes, shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.filling import ones_like
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.ops.selection import check_integers
from minikeras.engine.spec import Array, Spec

__all__ = ["class_counts"]


class ClassCounts(Op, name="class_counts"):
    """y[..., d] = sum of weights[..., i] over the i where x[..., i] = d."""

    depth: int

    def infer(self, x: Spec, weights: Spec) -> Spec:
        check_integers(self.name, x)
        rows = shapes.merge(x.known, weights.known)
        if not rows:
            raise ShapeError(f"{self.name}: a row of numbers is needed; got one number")
        return Spec((*rows[:-1], self.depth), weights.dtype)

    def infer_any_rank(self, x: Spec, weights: Spec) -> Spec:
        return Spec(None, weights.dtype)

    def kernel(self, xp: ModuleType, x: Array, weights: Array) -> Array:
        rows = x.shape[:-1]
        starts = xp.arange(math.prod(rows)).reshape(*rows, 1) * self.depth
        is_class = _is_class(x, self.depth)
        counts = xp.bincount(
            (starts + x)[is_class], weights[is_class], starts.size * self.depth
        )
        return counts.reshape(*rows, self.depth).astype(weights.dtype)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, weights: Tensor) -> Any:
        return None, AtClasses(self.depth)(x, g)


class AtClasses(Op, name="at_classes"):
    """y[..., i] = counts[..., x[..., i]], and 0 where x is no class."""

    depth: int

    def infer(self, x: Spec, counts: Spec) -> Spec:
        return Spec(x.shape, counts.dtype)

    def infer_any_rank(self, x: Spec, counts: Spec) -> Spec:
        return Spec(x.shape, counts.dtype)

    def kernel(self, xp: ModuleType, x: Array, counts: Array) -> Array:
        is_class = _is_class(x, self.depth)
        found = xp.take_along_axis(counts, xp.where(is_class, x, 0), -1)
        return found * is_class

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, counts: Tensor) -> Any:
        return None, ClassCounts(self.depth)(x, g)


def _is_class(x: Array, depth: int) -> Array:
    return (x >= 0) & (x < depth)


def class_counts(x: Any, depth: int, weights: Any = None, dtype: Any = None) -> Tensor:
    """Return how often each of the classes 0 to ``depth - 1`` is in a row.

    Args:
        x: integers; those that are no class count nowhere.
        depth: how many classes there are.
        weights: how much each number counts, 1 by default.
        dtype: of the result where no weights are given; the default float if None.

    Shapes:
        x: (..., numbers)
        weights: (..., numbers)
        returns: (..., depth)

    Raises:
        DTypeError: if `x` is not made of integers.
        ShapeError: if `x` is a single number, or the weights have another shape.

    Example:
        >>> class_counts([[0, 2, 2, 9]], 3, dtype="int32")
        array([[1, 0, 2]], dtype=int32)
    """
    x = operand(x)
    if weights is None:
        weights = ones_like(x, dtypes.as_dtype(dtype or dtypes.floatx()))
    return ClassCounts(int(depth))(x, weights)

"""Distinct elements: where each of them is first, which one each place has, how often.

What is returned are places, so that the elements themselves can be taken from the array
by an op that has a gradient.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import dtypes, shapes
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.spec import Array, Spec

__all__ = ["unique_places"]

INDEX = dtypes.as_dtype("int32")


class UniquePlaces(Op, name="unique_places"):
    """first[j] = the place where distinct slice j of x is first, in rising order.

    Slice i is distinct slice inverse[i], of which there are counts[j]. How many there
    are only the run tells. NaN equals nothing, not even itself.
    """

    axis: int = 0
    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> tuple[Spec, Spec, Spec]:
        size = None
        if x.shape is not None:
            size = x.shape[shapes.axis_of(self.axis, len(x.shape))]
        distinct = Spec((None,), INDEX)
        return distinct, Spec((size,), INDEX), distinct

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, Array, Array]:
        lines = x if x.ndim == 1 else xp.moveaxis(x, self.axis, 0)
        axis = None if x.ndim == 1 else 0
        _, *found = xp.unique(lines, True, True, True, axis, equal_nan=False)
        first, inverse, counts = (a.reshape(-1).astype("int32") for a in found)
        return first, inverse, counts


def unique_places(x: Any, axis: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return where the distinct slices of `x` along `axis` are.

    Shapes:
        x: (..., n, ...), n of `axis`
        returns: the first place of each distinct slice, by rising slices (distinct); of
            each slice its number among the distinct ones (n); their counts (distinct)

    Example:
        >>> unique_places(np.array([7, 5, 7]))
        (array([1, 0], dtype=int32), array([1, 0, 1], dtype=int32), array([1, 2],
              dtype=int32))
    """
    return UniquePlaces(axis)(x)

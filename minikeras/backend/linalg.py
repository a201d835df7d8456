"""Products: Keras's rules for shapes, over the engine's `matmul` and `tensordot`."""

from __future__ import annotations

from typing import Any

from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["dot"]


def dot(x: Any, y: Any) -> Tensor:
    """Contract the last axis of `x` with the first axis of the matrix `y`.

    Where `y` has more axes it is its last but one that is contracted:
    ``x[:-1] + y[:-2] + y[-1:]`` is then the shape of the result.

    Shapes:
        x: (..., inner)
        y: (inner, cols)
        returns: (..., cols)

    Raises:
        ShapeError: if both inner sizes are known and they differ.

    Example:
        >>> dot(placeholder((None, 3)), placeholder((3, 4))).shape
        (None, 4)
    """
    if len(y.shape) > 2:
        return engine.tensordot(x, y, ((-1,), (-2,)))
    return engine.matmul(x, y)

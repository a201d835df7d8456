"""Initializers without chance: zeros, ones, a constant, the identity matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["Constant", "Identity", "Initializer", "Ones", "Zeros"]


class Initializer(K.Configured):
    """Base of initializers: a function from a shape to an array."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return an array of this `shape`, and of floatx unless `dtype` is given."""
        raise NotImplementedError(
            "Initializer subclasses must implement the `__call__()` method."
        )

    def clone(self) -> Any:
        """Return another one with the same config."""
        return type(self).from_config(self.get_config())


class Constant(Initializer):
    """All elements are `value`.

    Args:
        value: a number, or an array that broadcasts to the shape asked for.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return `value` in this shape."""
        kind = dtype or K.floatx()
        return K.broadcast_to(K.convert_to_tensor(self.value, kind), tuple(shape))

    def get_config(self) -> dict[str, Any]:
        """Return the value, an array in the form for a file."""
        return {"value": K.serialize_keras_object(self.value)}


class Zeros(Initializer):
    """All elements are 0."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return zeros."""
        return K.zeros(tuple(shape), dtype or K.floatx())


class Ones(Initializer):
    """All elements are 1."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return ones."""
        return K.ones(tuple(shape), dtype or K.floatx())


class Identity(Initializer):
    """A matrix with `gain` on its diagonal and 0 elsewhere.

    Args:
        gain: the value on the diagonal.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return that matrix.

        Raises:
            ValueError: if the shape is not that of a matrix.
        """
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        rows, columns = shape
        square = K.eye(max(rows, columns), dtype or K.floatx())
        return self.gain * square[:rows, :columns]

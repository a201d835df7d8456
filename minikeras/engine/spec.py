"""What is known of a value before it is computed: `Spec`, its shape and dtype."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from minikeras.engine.dtypes import DType
from minikeras.engine.errors import ShapeError

__all__ = ["Array", "Shape", "Spec", "TensorShape"]

Array: TypeAlias = Any  # numpy.ndarray or cupy.ndarray

# One size per axis; None is a size that only the run will tell. A shape that is None
# altogether has an unknown rank.
Shape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of a value, and of small integer vectors the value itself.

    `value` is what makes shapes computable before the run: for an integer scalar or
    vector it holds the elements (None where one is not known), so that
    ``reshape(x, stack([shape(x)[0], -1]))`` has a static shape.
    """

    shape: Shape | None
    dtype: DType
    value: tuple[int | None, ...] | None = None

    @property
    def rank(self) -> int | None:
        """Number of axes, None if unknown."""
        return None if self.shape is None else len(self.shape)

    @property
    def known(self) -> Shape:
        """The shape, where the rank has been checked to be known.

        Raises:
            ShapeError: if the rank is unknown.
        """
        if self.shape is None:
            raise ShapeError("a tensor of known rank is needed here")
        return self.shape

    def admits(self, shape: Iterable[int]) -> bool:
        """Whether an array of `shape` can be a value of this spec."""
        if self.shape is None:
            return True
        sizes = tuple(shape)
        return len(sizes) == len(self.shape) and all(
            want is None or want == got
            for want, got in zip(self.shape, sizes, strict=True)
        )


class TensorShape(tuple[int | None, ...]):
    """A static shape as users see it: a tuple with TensorFlow's few extra names."""

    __slots__ = ()

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list."""
        return list(self)

    @property
    def ndims(self) -> int:
        """Number of axes."""
        return len(self)

    rank = ndims
    dims = property(as_list)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return None not in self

    def num_elements(self) -> int | None:
        """Product of the sizes, None if one is unknown."""
        count = 1
        for size in self:
            if size is None:
                return None
            count *= size
        return count

"""Functions of other libraries, which know their own gradients."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn, Protocol

import numpy as np

from minikeras.engine import devices
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, spec_of
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.spec import Array, Spec

__all__ = ["Differentiable", "foreign"]


class Differentiable(Protocol):
    """A pure function of arrays, and what is to be known of it."""

    def __call__(self, *arrays: Array) -> Sequence[Any]:
        """Return the results, one or several."""
        ...

    def specs(self, inputs: Sequence[tuple[Any, str]]) -> Sequence[tuple[Any, str]]:
        """Return shape and dtype of each result, given those of the arguments.

        A function that is a gradient is not asked.
        """
        ...

    def gradient(self, count: int) -> Differentiable:
        """Return the function of `count` results' gradients, and of the arguments.

        It returns the gradients of those arguments that are floating-point ones.
        """
        ...


class Foreign(Op, name="foreign"):
    """(y1, y2, ...) = function(x1, x2, ...), computed by another library.

    With a count the function is a gradient: the results are those of the floating-point
    inputs after so many.
    """

    function: Differentiable
    count: int | None = None

    def infer(self, *xs: Spec) -> tuple[Spec, ...]:
        if self.count is not None:
            return tuple(x for x in xs[self.count :] if x.dtype.is_differentiable)
        found = self.function.specs([(x.shape, str(x.dtype)) for x in xs])
        return tuple(
            Spec(None if shape is None else tuple(shape), as_dtype(dtype))
            for shape, dtype in found
        )

    def infer_any_rank(self, *xs: Spec) -> tuple[Spec, ...]:
        """Return the specs of a gradient; else the other library has to be asked.

        Raises:
            ShapeError: if it has to.
        """
        if self.count is None:
            raise ShapeError(f"foreign: {self.function} needs inputs of known rank")
        return self.infer(*xs)

    def kernel(self, xp: ModuleType, *xs: Array) -> tuple[Array, ...]:
        found = self.function(*map(devices.to_host, xs))
        ys = [np.asarray(y) for y in found]
        if self.count is not None:  # the other library may have fewer dtypes
            wanted = self.infer(*map(spec_of, xs))
            pairs = zip(ys, wanted, strict=True)
            ys = [y.astype(x.dtype.as_numpy_dtype, copy=False) for y, x in pairs]
        return tuple(map(devices.to_device, ys))

    def traced(self, xp: ModuleType, *xs: Any) -> NoReturn:
        """Refuse: it is called as a whole.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.function} is called as a whole")

    def vjp(self, g: Any, y: Any, *xs: Tensor) -> list[Tensor | None]:
        gs = [zeros_like(v) if h is None else h for h, v in zip(g, y, strict=True)]
        back = Foreign(self.function.gradient(len(y)), len(y))
        found = iter(back(*gs, *xs))
        return [next(found) if x.dtype.is_differentiable else None for x in xs]


def foreign(function: Differentiable, inputs: Sequence[Any]) -> list[Any]:
    """Return what another library's function makes of tensors, or of arrays.

    Args:
        function: see `Differentiable`. For equal arguments it returns the same.
        inputs: its arguments, a list.

    Raises:
        ShapeError: if the rank of an input is unknown.
    """
    return list(Foreign(function)(*inputs))

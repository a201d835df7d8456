"""Python functions as ops: what is neither arithmetic nor differentiable, like text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from minikeras.engine import devices
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import ExecutionError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient, spec_of
from minikeras.engine.shapes import show
from minikeras.engine.spec import Array, Spec
from minikeras.engine.values import Value

__all__ = ["py_func"]


class PyFunc(Op, name="py_func"):
    """y = function(x...), called in each run on NumPy arrays; no gradient goes back."""

    function: Callable[..., Any]
    dtype: DType
    shape: Callable[..., Any]
    any_rank = True
    vjp = no_gradient

    def infer(self, *xs: Spec) -> Spec:
        return Spec(self.shape(*(x.shape for x in xs)), self.dtype)

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        y = np.asarray(
            self.function(*map(devices.to_host, xs)), self.dtype.as_numpy_dtype
        )
        promised = self.infer(*map(spec_of, xs))
        if not promised.admits(y.shape):
            raise ExecutionError(
                f"py_func: {self.function} returned shape {y.shape}, where "
                f"{show(promised.shape)} was promised"
            )
        return devices.to_device(y)

    def traced(self, xp: ModuleType, *xs: Any) -> NoReturn:
        """Refuse: what a Python function does to arrays is nobody's business."""
        raise TypeError(f"{self.function} is called as a whole")


def py_func(
    func: Callable[..., Any],
    inp: Sequence[Any],
    Tout: Any,
    shape: Any = None,
) -> Tensor:
    """Return what a Python function makes of NumPy arrays, in each run anew.

    Args:
        func: of arrays, returns one array. It should be a pure function: it is called
            once for equal inputs, and not at all if nobody needs what it returns.
        inp: its arguments, a list.
        Tout: the dtype of the result.
        shape: of the result, as far as it is known: its sizes, or a function that
            makes them of the arguments' shapes. The rank is unknown by default.

    Raises:
        ExecutionError: in a run, if the function returns another shape than promised.

    Example:
        >>> py_func(lambda words: [len(w) for w in words], [["to", "be"]], "int32")
        array([2, 2], dtype=int32)
    """
    known = shape if callable(shape) else Always(shape and tuple(shape))
    return PyFunc(func, as_dtype(Tout), known)(*inp)


class Always(Value):
    """The function that always returns the same."""

    value: Any

    def __call__(self, *arguments: Any) -> Any:
        """Return the value."""
        return self.value

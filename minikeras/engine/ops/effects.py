"""Operations for their effect: print, assert, call Python."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minikeras.engine import devices
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import ExecutionError, ShapeError
from minikeras.engine.graph import Node, Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.shapes import show
from minikeras.engine.spec import Array, Spec

__all__ = ["assert_true", "print_values", "python_function"]


def _brief(arrays: Sequence[Array], summarize: int | None) -> str:
    """Return the first elements of each array, as in ``[1 2 3...][0.5]``."""
    limit = 3 if summarize is None else summarize
    texts = []
    for array in arrays:
        flat = np.asarray(devices.to_host(array)).reshape(-1)
        shown = flat if limit < 0 else flat[:limit]
        more = "..." if len(shown) < len(flat) else ""
        texts.append(f"[{' '.join(map(str, shown))}{more}]")
    return "".join(texts)


class Print(Op, name="print_values", eq=False):
    """y = x, and the data are printed on standard error."""

    message: str
    first_n: int | None
    summarize: int | None
    calls: Iterator[int]
    stateful = True
    any_rank = True

    def infer(self, x: Spec, *data: Spec) -> Spec:
        return x

    def run(self, run: Any, node: Node, x: Array, *data: Array) -> Array:
        if self.first_n is None or self.first_n < 0 or next(self.calls) < self.first_n:
            sys.stderr.write(f"{self.message}{_brief(data, self.summarize)}\n")
        return x

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, *data: Tensor) -> tuple[Any, ...]:
        return (g, *(None for _ in data))


def print_values(
    x: Any,
    data: Sequence[Any],
    message: str = "",
    first_n: int | None = None,
    summarize: int | None = None,
) -> Tensor:
    """Return `x`; whenever it is computed, print `data` on standard error.

    Args:
        x: the value that goes on.
        data: tensors to print.
        message: printed in front.
        first_n: how many times to print; always if None.
        summarize: how many elements of each tensor to print, all if -1.
    """
    return Print(message, first_n, summarize, itertools.count())(x, *data)


class Assert(Op, name="assert_true"):
    """y = condition; a run fails unless all of it holds."""

    summarize: int | None
    stateful = True
    any_rank = True

    vjp = no_gradient

    def infer(self, condition: Spec, *data: Spec) -> Spec:
        return condition

    def run(self, run: Any, node: Node, condition: Array, *data: Array) -> Array:
        if not condition.all():
            raise ExecutionError(f"assertion failed: {_brief(data, self.summarize)}")
        return condition


def assert_true(
    condition: Any, data: Sequence[Any], summarize: int | None = None
) -> Tensor:
    """Return `condition`; a run fails, showing `data`, unless all of it holds."""
    return Assert(summarize)(condition, *data)


class PyFunc(Op, name="python_function"):
    """(y1, y2, ...) = function(x1, x2, ...), computed by Python on NumPy arrays."""

    function: Callable[..., Any]
    dtypes: tuple[DType, ...]
    stateful = True
    any_rank = True
    vjp = no_gradient

    def infer(self, *xs: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(None, dtype) for dtype in self.dtypes)

    def run(self, run: Any, node: Node, *xs: Array) -> tuple[Array, ...]:
        found = self.function(*map(devices.to_host, xs))
        results = found if isinstance(found, (list, tuple)) else [found]
        count = len(node.outputs)
        if len(results) != count:
            raise ShapeError(
                f"python_function: {len(results)} results; {count} announced"
            )
        arrays = [
            np.asarray(value, y.dtype.as_numpy_dtype)
            for value, y in zip(results, node.outputs, strict=True)
        ]
        for array, y in zip(arrays, node.outputs, strict=True):
            if not y.spec.admits(array.shape):
                raise ShapeError(
                    f"{y} was announced as {show(y.spec.shape)}; got {array.shape}"
                )
        return tuple(map(devices.to_device, arrays))


def python_function(
    function: Callable[..., Any], inputs: Sequence[Any], dtypes: Sequence[Any]
) -> list[Tensor]:
    """Return what a Python function of arrays returns; no gradient flows through it.

    Args:
        function: called with NumPy arrays in every run; returns one array or several.
        inputs: tensors.
        dtypes: of the results.
    """
    return list(PyFunc(function, tuple(map(as_dtype, dtypes)))(*inputs))

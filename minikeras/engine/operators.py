"""Python's operators on tensors, each written as the name of an op.

The ops are looked up when an operator is used, not when this module is imported:
tensors need operators, ops need tensors, and a name ends the circle. A tensor that a
layer above has given a history is computed with by that history's leave: it is told of
the call, by the name of the function of `ops` which the operator stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras.engine.registry import find

__all__ = ["Operators"]


def _followed(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return `compute`, or what the history of an operand makes of the call."""

    def operator(*operands: Any) -> Any:
        for x in operands:
            history = getattr(x, "_keras_history", None)
            if history is not None:
                return history.apply(name, compute, operands)
        return compute(*operands)

    return operator


def _unary(op: str, node: str | None = None) -> Callable[[Any], Any]:
    return _followed(op, lambda x: find(op)()(x, name=node))


def _both(name: str, compute: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Return an operator of two operands and its reflection."""
    operator = _followed(name, compute)
    return operator, lambda y, x: operator(x, y)


def _binary(op: str, node: str, name: str = "") -> tuple[Callable[..., Any], ...]:
    """Return the operator and its reflection, whose nodes are named `node`."""
    return _both(name or op, lambda x, y: find(op)()(x, y, name=node))


def _product(x: Any, y: Any) -> Any:
    """Return ``x @ y``; a vector is a row on the left and a column on the right."""
    vector = 1 in (getattr(x, "ndim", None), getattr(y, "ndim", None))
    return find("dot")(x, y) if vector else find("matmul")()(x, y, name="matmul")


# What an operator of an array calls, and which operator of the other side is meant.
_REFLECTED = {
    np.add: "__radd__",
    np.subtract: "__rsub__",
    np.multiply: "__rmul__",
    np.divide: "__rtruediv__",
    np.floor_divide: "__rfloordiv__",
    np.remainder: "__rmod__",
    np.power: "__rpow__",
    np.bitwise_and: "__rand__",
    np.bitwise_or: "__ror__",
    np.bitwise_xor: "__rxor__",
    np.matmul: "__rmatmul__",
    np.less: "__gt__",
    np.less_equal: "__ge__",
    np.greater: "__lt__",
    np.greater_equal: "__le__",
    np.equal: "__eq__",
    np.not_equal: "__ne__",
}


class Operators:
    """Gives arithmetic, comparison and indexing to whatever can become a tensor."""

    __array_priority__ = 1000

    __add__, __radd__ = _binary("add", "add")
    __sub__, __rsub__ = _binary("subtract", "sub")
    __mul__, __rmul__ = _binary("multiply", "mul")
    __truediv__, __rtruediv__ = _binary("divide", "truediv", "true_divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide", "floordiv")
    __mod__, __rmod__ = _binary("mod", "mod")
    __pow__, __rpow__ = _binary("power", "pow")
    __and__, __rand__ = _binary("bitwise_and", "and")
    __or__, __ror__ = _binary("bitwise_or", "or")
    __xor__, __rxor__ = _binary("bitwise_xor", "xor")
    __lt__, _ = _binary("less", "Less")
    __le__, _ = _binary("less_equal", "LessEqual")
    __gt__, _ = _binary("greater", "Greater")
    __ge__, _ = _binary("greater_equal", "GreaterEqual")
    __neg__ = _unary("negative")
    __abs__ = _unary("absolute")
    __invert__ = _unary("bitwise_not")

    __matmul__, __rmatmul__ = _both("matmul", _product)
    __round__ = _followed("round", lambda x, n=None: find("round")(n or 0)(x))
    __getitem__ = _followed("get_item", lambda x, key: find("getitem")(x, key))

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """Do what NumPy asks for when one of its functions meets a tensor.

        What an array does with an operator, as in ``array + tensor``, is left to the
        tensor; all else is computed of values, as long as there are any.
        """
        first, *others = inputs
        by_array = len(others) == 1 and isinstance(first, (np.ndarray, np.generic))
        if by_array and method == "__call__" and not kwargs and ufunc in _REFLECTED:
            found = getattr(others[0], _REFLECTED[ufunc])(first)
            # Tensors of graphs are equal to themselves alone.
            return ufunc is np.not_equal if found is NotImplemented else found
        arrays = [np.asarray(x) if isinstance(x, Operators) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

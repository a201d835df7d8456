"""Python's operators on tensors, each written as the name of an op.

The ops are looked up when an operator is used, not when this module is imported:
tensors need operators, ops need tensors, and a name ends the circle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.engine.registry import find

__all__ = ["Operators"]


def _unary(op: str, node: str | None = None) -> Callable[[Any], Any]:
    def operator(x: Any) -> Any:
        return find(op)()(x, name=node)

    return operator


def _binary(op: str, node: str) -> tuple[Callable[[Any, Any], Any], ...]:
    """Return the operator and its reflection, whose nodes are named `node`."""

    def operator(x: Any, y: Any) -> Any:
        return find(op)()(x, y, name=node)

    def reflected(y: Any, x: Any) -> Any:
        return find(op)()(x, y, name=node)

    return operator, reflected


def _product(x: Any, y: Any) -> Any:
    """Return ``x @ y``; a vector is a row on the left and a column on the right."""
    vector = 1 in (getattr(x, "ndim", None), getattr(y, "ndim", None))
    return find("dot")(x, y) if vector else find("matmul")()(x, y, name="matmul")


class Operators:
    """Gives arithmetic, comparison and indexing to whatever can become a tensor."""

    # NumPy then leaves `array + tensor` to the tensor.
    __array_ufunc__ = None
    __array_priority__ = 1000

    __add__, __radd__ = _binary("add", "add")
    __sub__, __rsub__ = _binary("subtract", "sub")
    __mul__, __rmul__ = _binary("multiply", "mul")
    __truediv__, __rtruediv__ = _binary("divide", "truediv")
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

    def __matmul__(self, other: Any) -> Any:
        return _product(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _product(other, self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return find("round")(ndigits or 0)(self)

    def __getitem__(self, index: Any) -> Any:
        return find("getitem")(self, index)

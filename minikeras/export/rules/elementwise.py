"""Element by element: what ONNX has under another name, and what is composed."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from minikeras.engine.graph import Node
from minikeras.export.emission import Emission, Ref
from minikeras.export.registry import RULES, rule, scalar

__all__: list[str] = []

# One operation of ONNX each.
SAME = {
    "absolute": "Abs",
    "add": "Add",
    "add_n": "Sum",
    "arccos": "Acos",
    "arccosh": "Acosh",
    "arcsin": "Asin",
    "arcsinh": "Asinh",
    "arctan": "Atan",
    "arctanh": "Atanh",
    "bitwise_and": "BitwiseAnd",
    "bitwise_not": "BitwiseNot",
    "bitwise_or": "BitwiseOr",
    "bitwise_xor": "BitwiseXor",
    "ceil": "Ceil",
    "cos": "Cos",
    "cosh": "Cosh",
    "det": "Det",
    "divide": "Div",
    "equal": "Equal",
    "erf": "Erf",
    "exp": "Exp",
    "floor": "Floor",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "isinf": "IsInf",
    "isnan": "IsNaN",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "log": "Log",
    "maximum": "Max",
    "minimum": "Min",
    "multiply": "Mul",
    "negative": "Neg",
    "power": "Pow",
    "reciprocal": "Reciprocal",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "sign": "Sign",
    "sin": "Sin",
    "sinh": "Sinh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "sqrt": "Sqrt",
    "subtract": "Sub",
    "tan": "Tan",
    "tanh": "Tanh",
    "where": "Where",
}

LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}

# What these are called where the operands are truth values.
OF_TRUTHS = {"Add": "Or", "Max": "Or", "Min": "And", "Mul": "And"}


def _same(kind: str, e: Emission, node: Node, *xs: Ref) -> Ref:
    if node.inputs[0].dtype.is_bool:
        kind = OF_TRUTHS.get(kind, kind)
    return e(kind, *xs)


RULES.update({name: partial(_same, kind) for name, kind in SAME.items()})


@rule("identity", "stop_gradient", "placeholder_with_default", "conjugate")
def identity(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x."""
    return x


@rule("print_values", "assert_true")
def first(e: Emission, node: Node, x: Ref, *others: Ref) -> Ref:
    """y = x: what else is done has no place in a file."""
    return x


@rule("cast")
def cast(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x in another dtype."""
    return e.cast(x, node.outputs[0].dtype)


def _logical(kind: str, e: Emission, node: Node, *xs: Ref) -> Ref:
    return e(kind, *(truth(e, node, i, x) for i, x in enumerate(xs)))


RULES.update({name: partial(_logical, kind) for name, kind in LOGICAL.items()})


def truth(e: Emission, node: Node, i: int, x: Ref) -> Ref:
    """Return whether input number `i` of a node is not 0."""
    return x if node.inputs[i].dtype.is_bool else e.cast(x, "bool")


@rule("logical_not")
def logical_not(e: Emission, node: Node, x: Ref) -> Ref:
    """y = not x."""
    return e("Not", truth(e, node, 0, x))


@rule("not_equal")
def not_equal(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = not x = y."""
    return e("Not", e("Equal", x, y))


@rule("isclose")
def isclose(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = |x - y| ≤ atol + rtol |y|."""
    op: Any = node.op
    bound = e("Mul", e("Abs", y), scalar(op.rtol, node))
    bound = e("Add", bound, scalar(op.atol, node))
    return e("LessOrEqual", e("Abs", e("Sub", x, y)), bound)


@rule("isfinite")
def isfinite(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x is neither infinite nor NaN."""
    return e("Not", e("Or", e("IsInf", x), e("IsNaN", x)))


# -- powers and logarithms -------------------------------------------------------------


@rule("square")
def square(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x x."""
    return e("Mul", x, x)


@rule("squared_difference")
def squared_difference(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = (x - y)²."""
    return square(e, node, e("Sub", x, y))


@rule("rsqrt")
def rsqrt(e: Emission, node: Node, x: Ref) -> Ref:
    """y = 1 / √x."""
    return e("Reciprocal", e("Sqrt", x))


@rule("cbrt")
def cbrt(e: Emission, node: Node, x: Ref) -> Ref:
    """y = sign(x) |x|^(1/3)."""
    root = e("Pow", e("Abs", x), scalar(1 / 3, node))
    return e("Mul", e("Sign", x), root)


@rule("hypot")
def hypot(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = √(x² + y²)."""
    return e("Sqrt", e("Add", square(e, node, x), square(e, node, y)))


def _log_to(base: float, e: Emission, node: Node, x: Ref) -> Ref:
    return e("Mul", e("Log", x), scalar(1 / math.log(base), node))


RULES.update(log2=partial(_log_to, 2), log10=partial(_log_to, 10))


@rule("log1p")
def log1p(e: Emission, node: Node, x: Ref) -> Ref:
    """y = 2 artanh(x / (2 + x)), which keeps its digits near 0."""
    ratio = e("Div", x, e("Add", x, scalar(2, node)))
    exact = e("Mul", e("Atanh", ratio), scalar(2, node))
    # Far from 0 the ratio comes near 1 and would lose digits in its turn.
    near = e("Less", e("Abs", x), scalar(0.5, node))
    return e("Where", near, exact, e("Log", e("Add", x, scalar(1, node))))


@rule("expm1")
def expm1(e: Emission, node: Node, x: Ref) -> Ref:
    """y = 2 sinh(x/2) e^(x/2), which keeps its digits near 0."""
    half = e("Mul", x, scalar(0.5, node))
    product = e("Mul", e("Sinh", half), e("Exp", half))
    near = e("Less", e("Abs", x), scalar(1, node))
    exact = e("Mul", product, scalar(2, node))
    return e("Where", near, exact, e("Sub", e("Exp", x), scalar(1, node)))


@rule("logaddexp")
def logaddexp(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = max(x, y) + ln(1 + e^-|x - y|)."""
    gap = e("Neg", e("Abs", e("Sub", x, y)))
    return e("Add", e("Max", x, y), log1p(e, node, e("Exp", gap)))


@rule("erfc")
def erfc(e: Emission, node: Node, x: Ref) -> Ref:
    """y = 1 - erf x."""
    return e("Sub", scalar(1, node), e("Erf", x))


@rule("arctan2")
def arctan2(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = arctan(x / y), plus or minus π where y is negative."""
    zero, half = scalar(0, node), scalar(math.pi / 2, node)
    level = e("Equal", y, zero)
    angle = e("Atan", e("Div", x, e("Where", level, scalar(1, node), y)))
    below = e("Less", x, zero)
    turn = e("Where", below, scalar(-math.pi, node), scalar(math.pi, node))
    angle = e("Where", e("Less", y, zero), e("Add", angle, turn), angle)
    return e("Where", level, e("Mul", e("Sign", x), half), angle)


# -- division and rounding -------------------------------------------------------------


@rule("divide_no_nan")
def divide_no_nan(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = x / y, but 0 where y is 0."""
    zero = scalar(0, node)
    level = e("Equal", y, zero)
    quotient = e("Div", x, e("Where", level, scalar(1, node), y))
    return e("Where", level, zero, quotient)


@rule("floor_divide")
def floor_divide(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = floor(x / y), of integers by way of the remainder."""
    if node.inputs[0].dtype.is_floating:
        return e("Floor", e("Div", x, y))
    return e("Div", e("Sub", x, e("Mod", x, y)), y)


@rule("mod")
def mod(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = x - y floor(x / y)."""
    if not node.inputs[0].dtype.is_floating:
        return e("Mod", x, y)
    return e("Sub", x, e("Mul", y, e("Floor", e("Div", x, y))))


@rule("fmod")
def fmod(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = x - y trunc(x / y)."""
    return e("Mod", x, y, fmod=1)


@rule("trunc")
def trunc(e: Emission, node: Node, x: Ref) -> Ref:
    """y = sign(x) floor(|x|)."""
    if not node.inputs[0].dtype.is_floating:
        return x
    return e("Mul", e("Sign", x), e("Floor", e("Abs", x)))


@rule("round")
def round_(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x to so many decimals."""
    decimals: int = node.op.decimals  # type: ignore[attr-defined]
    if not node.inputs[0].dtype.is_floating:
        return x
    if decimals == 0:
        return e("Round", x)
    unit = scalar(10.0**decimals, node)
    return e("Div", e("Round", e("Mul", x, unit)), unit)


@rule("clip")
def clip(e: Emission, node: Node, x: Ref, low: Ref, high: Ref) -> Ref:
    """y = min(max(x, low), high)."""
    return e("Min", e("Max", x, low), high)


# -- activations -----------------------------------------------------------------------


@rule("elu")
def elu(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x where x > 0, else alpha (e^x - 1)."""
    alpha: float = node.op.alpha  # type: ignore[attr-defined]
    return e("Elu", x, alpha=float(alpha))


@rule("leaky_relu")
def leaky_relu(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x where x > 0, else negative_slope x."""
    slope: float = node.op.negative_slope  # type: ignore[attr-defined]
    return e("LeakyRelu", x, alpha=float(slope))


@rule("left_shift")
def left_shift(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = x 2^y."""
    return e("Mul", x, e("Pow", scalar(2, node), y))


@rule("signbit")
def signbit(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x < 0, or 1 / x < 0 where x is 0."""
    zero = scalar(0, node)
    if not node.inputs[0].dtype.is_floating:
        return e("Less", x, zero)
    inverse = e("Less", e("Reciprocal", x), zero)
    return e("Or", e("Less", x, zero), e("And", e("Equal", x, zero), inverse))

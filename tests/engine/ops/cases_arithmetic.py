"""Cases of arithmetic of two operands."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, booleans, integers, uniform

X, ROW, COLUMN, NUMBER = (3, 4), (4,), (2, 3, 1), ()
POSITIVE, AWAY = uniform((3, 4), 0.5, 3.0), uniform((4,), 0.5, 2.0)
COUNTS = integers((4,), 1, 6)
ZEROS = np.array([1, 0, -2, 0])


def divide_no_nan(x, y):
    return np.where(y == 0, 0.0, x / np.where(y == 0, 1.0, y))


CASES = [
    *(
        Case(name, getattr(ops, name), getattr(np, name), inputs, note=note)
        for name in ("add", "subtract", "multiply")
        for note, inputs in {
            "same": (X, X),
            "row": (X, ROW),
            "both": (ROW, COLUMN),
            "number": (NUMBER, X),
            "integers": (integers((4,)), integers((3, 1))),
            "mixed": (integers((4,)), X),
        }.items()
    ),
    Case("add", ops.add, np.add, (booleans((4,)), integers((4,))), note="booleans"),
    Case("divide", ops.divide, np.divide, (X, AWAY)),
    Case("divide", ops.divide, np.divide, (ROW, POSITIVE), note="row"),
    Case("divide", ops.divide, np.divide, (COUNTS, COUNTS), note="integers"),
    Case("divide_no_nan", ops.divide_no_nan, divide_no_nan, (X, AWAY)),
    Case(
        "divide_no_nan",
        lambda x: ops.divide_no_nan(x, ZEROS),
        lambda x: divide_no_nan(x, ZEROS),
        (X,),
        note="by zeros",
    ),
    Case("floor_divide", ops.floor_divide, np.floor_divide, (X, AWAY), wrt=()),
    Case(
        "floor_divide",
        ops.floor_divide,
        np.floor_divide,
        (integers((3, 4)), COUNTS),
        note="integers",
    ),
    Case("mod", ops.mod, np.mod, (X, AWAY)),
    Case("mod", ops.mod, np.mod, (X, uniform((4,), -2.0, -0.5)), note="negative"),
    Case("mod", ops.mod, np.mod, (integers((3, 4)), COUNTS), note="integers"),
    Case("power", ops.power, np.power, (POSITIVE, ROW)),
    Case("power", ops.power, np.power, (AWAY, COLUMN), note="both"),
    Case("power", lambda x: ops.power(x, 3.0), lambda x: x**3, (X,), note="cube"),
    Case("power", lambda x: ops.power(x, 0.0), lambda x: x**0, (X,), note="zeroth"),
    Case("power", ops.power, np.power, (integers((3, 4)), COUNTS), note="integers"),
    Case(
        "squared_difference",
        ops.squared_difference,
        lambda x, y: (x - y) ** 2,
        (X, ROW),
    ),
    Case("logaddexp", ops.logaddexp, np.logaddexp, (X, ROW)),
    Case(
        "logaddexp",
        ops.logaddexp,
        np.logaddexp,
        (np.array([800.0, -900.0]), np.array([801.0, -900.5])),
        note="far out",
    ),
    Case("add_n", lambda *xs: ops.add_n(xs), lambda *xs: sum(xs), (X, X, X)),
    Case("add_n", lambda *xs: ops.add_n(xs), lambda *xs: sum(xs), (X,), note="one"),
]

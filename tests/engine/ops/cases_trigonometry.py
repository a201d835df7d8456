"""Cases of circular and hyperbolic functions."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers, uniform

ANY, INSIDE, ABOVE = (
    uniform((3, 4)),
    uniform((3, 4), -0.9, 0.9),
    uniform((5,), 1.1, 4.0),
)

CASES = [
    Case("sin", ops.sin, np.sin, (ANY,)),
    Case("sin", ops.sin, np.sin, (integers((3,)),), note="integers"),
    Case("cos", ops.cos, np.cos, (ANY,)),
    Case("tan", ops.tan, np.tan, (INSIDE,)),
    Case("arcsin", ops.arcsin, np.arcsin, (INSIDE,)),
    Case("arccos", ops.arccos, np.arccos, (INSIDE,)),
    Case("arctan", ops.arctan, np.arctan, (ANY,)),
    Case("sinh", ops.sinh, np.sinh, (ANY,)),
    Case("cosh", ops.cosh, np.cosh, (ANY,)),
    Case("tanh", ops.tanh, np.tanh, (ANY,)),
    Case("arcsinh", ops.arcsinh, np.arcsinh, (ANY,)),
    Case("arccosh", ops.arccosh, np.arccosh, (ABOVE,)),
    Case("arctanh", ops.arctanh, np.arctanh, (INSIDE,)),
    Case("arctan2", ops.arctan2, np.arctan2, (ANY, ANY)),
    Case("arctan2", ops.arctan2, np.arctan2, (ANY, (4,)), note="broadcast"),
    Case("hypot", ops.hypot, np.hypot, (ANY, (3, 1))),
]

"""Cases of remainders and common divisors."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers, uniform

X, N = (2, 3), integers((3, 4), -12, 13)
POSITIVE = integers((3, 4), 1, 6)

CASES = [
    Case("fmod", ops.fmod, np.fmod, (uniform(X, -9, 9), uniform(X, 1.2, 2.0))),
    Case("fmod", ops.fmod, np.fmod, (uniform(X, -9, 9), np.array([-2.5])), note="-"),
    Case("fmod", ops.fmod, np.fmod, (N, POSITIVE), note="integers"),
    Case("gcd", ops.gcd, np.gcd, (N, integers((4,), -12, 13))),
    Case("lcm", ops.lcm, np.lcm, (N, integers((3, 1), -12, 13))),
]

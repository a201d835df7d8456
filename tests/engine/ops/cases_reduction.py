"""Cases of sums, means and other reductions."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case

CASES = [
    Case("sum", ops.sum, np.sum, ((2, 3, 4),)),
]

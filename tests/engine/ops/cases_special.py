"""Cases of special functions against scipy."""

import numpy as np
from scipy import special

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers, uniform

X, XS = (2, 3, 4), integers((3, 4), -3, 4)
WIDE = np.array([-4.0, -0.7, -0.01, 0.0, 0.3, 2.1, 3.5, 6.0, 9.0])
ORDERS = np.array([-90.0, -25.0, -19.0, -2.0, 0.0, 0.001, 1.5, 12.0, 21.0, 70.0])
OPEN = np.array([-0.9999, -0.8, -0.5, -0.001, 0.0, 1e-6, 0.3, 0.51, 0.99])

CASES = [
    Case("cbrt", ops.cbrt, np.cbrt, (uniform(X, 0.2, 3.0),)),
    Case("cbrt", ops.cbrt, np.cbrt, (-np.arange(1.0, 5),), note="negative"),
    Case("cbrt", ops.cbrt, np.cbrt, (XS,), note="integers"),
    Case("erfc", ops.erfc, special.erfc, (X,)),
    Case("erfc", ops.erfc, special.erfc, (WIDE,), note="wide"),
    Case("erfc", ops.erfc, special.erfc, (XS,), note="integers"),
    Case("erfinv", ops.erfinv, special.erfinv, (uniform(X, -0.9, 0.9),)),
    Case("bessel_i", ops.i0, special.i0, (X,)),
    Case("bessel_i", ops.i0, special.i0, (ORDERS / 4,), note="wide"),
    Case("bessel_i", ops.i0, special.i0, (XS,), note="integers"),
    Case("spherical_bessel", ops.sinc, np.sinc, (X,)),
    Case("spherical_bessel", ops.sinc, np.sinc, (OPEN,), note="near 0"),
    Case("spherical_bessel", ops.sinc, np.sinc, (WIDE,), note="wide"),
    Case("spherical_bessel", ops.sinc, np.sinc, (XS,), note="integers"),
]

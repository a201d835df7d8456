"""The error function against SciPy's, from its smallest values to its tails."""

import numpy as np
import pytest
from scipy import special

from minikeras.engine import devices, ops
from minikeras.engine.errors import DTypeError


@pytest.mark.parametrize(
    "dtype, ulps", [("float16", 1), ("float32", 4), ("float64", 6)]
)
def test_erf_is_right_to_the_last_digits(dtype, ulps):
    x = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-4, 0.5, 2001)]).astype(
        dtype
    )
    expected = special.erf(x.astype("float64"))
    found = devices.to_host(ops.erf(x))
    assert found.dtype == dtype
    one_ulp = np.spacing(np.abs(expected).astype(dtype)).astype("float64")
    assert np.max(np.abs(found.astype("float64") - expected) / one_ulp) <= ulps


@pytest.mark.parametrize("op", [ops.negative, ops.sign, ops.subtract])
def test_truth_values_are_not_numbers(op):
    x = np.array([True, False])
    with pytest.raises(DTypeError, match="not numbers; cast them first"):
        op(x) if op is not ops.subtract else op(x, x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_erf_of_special_values(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-30], dtype)
    found = devices.to_host(ops.erf(x))
    np.testing.assert_array_equal(found[:5], [1, -1, np.nan, 0, 0])
    assert np.signbit(found[4])
    np.testing.assert_allclose(found[5], 2e-30 / np.sqrt(np.pi), rtol=1e-6)

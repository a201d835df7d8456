"""Products of matrices, cut into columns where that pays, are the same products."""

import numpy as np
import pytest

from minikeras.engine.kernels.products import bound_product, columns_at_once


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "rows, inner, columns",
    [
        (32, 128, 512),
        (32, 512, 128),
        (4, 512, 700),
        (20, 300, 250),
        (3, 4, 5),
        (1, 9, 2),
    ],
)
def test_products_are_those_of_numpy(rows, inner, columns, turned, dtype):
    rng = np.random.default_rng(rows)
    left = rng.standard_normal((rows, inner)).astype(dtype)
    right = rng.standard_normal((columns, inner)).astype(dtype).T
    right = right if turned else np.ascontiguousarray(right)
    whole = np.full((rows + 2, columns), 7, dtype)  # more than is to be written
    bound_product(left, right, whole[1:-1])()
    wanted = left.astype("float64") @ right.astype("float64")
    tolerance = 50 * np.finfo(dtype).eps * np.abs(wanted).max()
    np.testing.assert_allclose(whole[1:-1], wanted, rtol=0, atol=tolerance)
    assert (whole[[0, -1]] == 7).all()


@pytest.mark.parametrize(
    "rows, inner, columns, turned, at_once",
    [
        (32, 128, 512, False, 128),  # a step of LSTM(128), forward
        (32, 512, 128, True, 32),  # and back
        (32, 128, 128, False, 128),  # small enough as it is
        (128, 512, 512, False, 512),  # many rows: what is copied is used often
        (1, 128, 512, False, 512),  # a matrix times a vector
        (32, 100_000, 64, False, 64),  # not even 16 columns would be small enough
        (32, 10, 64, True, 64),  # not worth the calls
        (0, 0, 0, True, 0),
    ],
)
def test_columns_are_cut_where_that_is_faster(rows, inner, columns, turned, at_once):
    assert columns_at_once(rows, inner, columns, turned) == at_once

"""Products of many rows, cut into slices, are the same products."""

import numpy as np
import pytest

from minikeras.engine.kernels import slices


@pytest.mark.parametrize("most", [1, 300, 10**9])
@pytest.mark.parametrize("shape", [(48, 3), (2, 40, 3), (7, 3), (0, 3)])
def test_products_are_those_of_numpy(shape, most, monkeypatch):
    monkeypatch.setattr(slices, "MULTIPLICATIONS", most)
    monkeypatch.setattr(slices, "FEWEST_ROWS", 2)
    monkeypatch.setattr(slices, "FEWEST_SUMMED", 2)
    rng = np.random.default_rng(0)
    a = rng.standard_normal(shape)
    b, g = (
        rng.standard_normal((*shape[:-2], 3, 5)),
        rng.standard_normal((*shape[:-1], 5)),
    )
    np.testing.assert_allclose(slices.product(np, a, b), a @ b)
    turned = a.swapaxes(-1, -2)
    np.testing.assert_allclose(slices.product_over_rows(np, a, g), turned @ g)


@pytest.mark.parametrize(
    "rows, multiplications, fewest, wanted",
    [
        (2304, 2048, 16, 384),  # the largest divisor of at most a million in all
        (100, 10, 16, 100),
        (64, 100_000, 16, 64),  # ten rows would be too few
        (1009 * 16, 1000, 16, 16),
        (10_007, 1000, 16, 10_007),  # a prime
    ],
)
def test_slices_are_even_and_neither_long_nor_short(
    rows, multiplications, fewest, wanted
):
    assert slices._at_once(rows, multiplications, fewest) == wanted

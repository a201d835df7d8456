"""California housing: prices of houses by district, and 8 numbers about each."""

from __future__ import annotations

import numpy as np

from minikeras.datasets.housing import Split, check_share, split_shuffled
from minikeras.datasets.sources import KERAS_FILES, file_of

__all__ = ["load_data"]

_HASH = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Return 20,640 districts of California, as of 1990: 8 numbers each, and a price.

    The numbers are medians and means of a district: income, age of the houses, rooms
    and bedrooms in a household, inhabitants, people in a household, latitude and
    longitude. A district with many empty houses has a great many rooms in a household.

    Args:
        version: "large", or "small" for the first 600 districts.
        path: name of the file in the cache.
        test_split: share of the rows that are for tests, in [0, 1).
        seed: of the order of the rows.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``; prices in dollars.

    Shapes:
        x: (rows, 8)
        y: (rows,)

    Raises:
        ValueError: if `test_split` is not in [0, 1), or there is no such version.
        DownloadError: if the file is nowhere to be found.

    Source: Pace and Barry 1997, doi:10.1016/S0167-7152(96)00140-X.
    """
    check_share(test_split)
    if version not in ("large", "small"):
        raise ValueError(
            "Argument `version` must be one of 'small', 'large'. Received: "
            f"version={version}"
        )
    file = file_of(
        "california-housing", path, _HASH, f"{KERAS_FILES}california_housing.npz"
    )
    rows = slice(600 if version == "small" else None)
    with np.load(file, allow_pickle=False) as arrays:
        return split_shuffled(arrays["x"][rows], arrays["y"][rows], test_split, seed)

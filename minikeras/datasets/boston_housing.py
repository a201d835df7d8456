"""Boston housing: prices of houses by suburb, and 13 numbers about each."""

from __future__ import annotations

import numpy as np

from minikeras.datasets.housing import Split, check_share, split_shuffled
from minikeras.datasets.sources import KERAS_FILES, file_of

__all__ = ["load_data"]

_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Return 506 suburbs of Boston, as of 1970: 13 numbers of each, and a price.

    One of the 13 rests on the share of Black inhabitants, as if segregation by itself
    had a price. Use the data to show how such things get into data, and
    `california_housing` for everything else.

    Args:
        path: name of the file in the cache.
        test_split: share of the rows that are for tests, in [0, 1).
        seed: of the order of the rows.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``; prices in 1,000 dollars.

    Shapes:
        x: (rows, 13)
        y: (rows,)

    Raises:
        ValueError: if `test_split` is not in [0, 1).
        DownloadError: if the file is nowhere to be found.

    Source: Harrison and Rubinfeld 1978, doi:10.1016/0095-0696(78)90006-2.
    """
    check_share(test_split)
    file = file_of("boston-housing", path, _HASH, f"{KERAS_FILES}boston_housing.npz")
    with np.load(file, allow_pickle=False) as arrays:
        return split_shuffled(arrays["x"], arrays["y"], test_split, seed)

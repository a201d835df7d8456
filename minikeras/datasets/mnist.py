"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.datasets.sources import KERAS_FILES, file_of

__all__ = ["load_data"]

_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

Images = tuple[tuple[Any, Any], tuple[Any, Any]]


def load_data(path: str = "mnist.npz") -> Images:
    """Return 60,000 handwritten digits, gray, and 10,000 for tests.

    Args:
        path: name of the file in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all of dtype uint8; pixels in
        [0, 255], labels from 0 to 9.

    Shapes:
        x: (images, 28, 28)
        y: (images,)

    Raises:
        DownloadError: if the file is nowhere to be found.

    Source: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist; CC BY-SA 3.0.
    """
    file = file_of("mnist", path, _HASH, f"{KERAS_FILES}mnist.npz")
    with np.load(file, allow_pickle=False) as f:
        return (f["x_train"], f["y_train"]), (f["x_test"], f["y_test"])

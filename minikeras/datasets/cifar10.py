"""CIFAR-10: 60,000 small color photos of 10 kinds of things."""

from __future__ import annotations

from pathlib import Path

from minikeras.datasets.cifar import Images, load_images
from minikeras.datasets.sources import archive_folder

__all__ = ["load_data"]

_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_FILES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def load_data() -> tuple[Images, Images]:
    """Return 50,000 color images, and 10,000 for tests.

    The classes are: airplane, automobile, bird, cat, deer, dog, frog, horse, ship,
    truck. A few in a thousand labels are wrong in the original.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all of dtype uint8; pixels in
        [0, 255], labels from 0 to 9.

    Shapes:
        x: (images, 32, 32, 3), or (images, 3, 32, 32) if channels are first
        y: (images, 1)

    Raises:
        DownloadError: if the files are nowhere to be found.
        UnpicklingError: if a file has in it what is no array.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    inner = "cifar-10-batches-py"
    folder = archive_folder(
        "cifar-10",
        f"{inner}-target",
        "cifar-10-python.tar.gz",
        _HASH,
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        [f"{inner}/{file}" for file in _FILES],
    )
    paths = [str(Path(folder, inner, file)) for file in _FILES]
    (x_train, y_train), (x_test, y_test) = map(load_images, (paths[:5], paths[5:]))
    return (x_train, y_train.astype("uint8")), (x_test, y_test.astype("uint8"))

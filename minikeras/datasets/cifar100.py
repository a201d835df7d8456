"""CIFAR-100: 60,000 small color photos of 100 kinds of things, in 20 groups."""

from __future__ import annotations

from pathlib import Path

from minikeras.datasets.cifar import Images, load_images
from minikeras.datasets.sources import archive_folder

__all__ = ["load_data"]

_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Images, Images]:
    """Return 50,000 color images, and 10,000 for tests.

    Args:
        label_mode: "fine" for labels from 0 to 99, "coarse" for their 20 groups.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``; pixels of dtype uint8 in [0, 255],
        labels of dtype int64.

    Shapes:
        x: (images, 32, 32, 3), or (images, 3, 32, 32) if channels are first
        y: (images, 1)

    Raises:
        ValueError: if there is no such mode.
        DownloadError: if the files are nowhere to be found.
        UnpicklingError: if a file has in it what is no array.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            '`label_mode` must be one of `"fine"`, `"coarse"`. Received: '
            f"label_mode={label_mode}."
        )
    inner = "cifar-100-python"
    folder = archive_folder(
        "cifar-100",
        f"{inner}-target",
        "cifar-100-python.tar.gz",
        _HASH,
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        [f"{inner}/train", f"{inner}/test"],
    )
    train, test = (
        load_images([str(Path(folder, inner, file))], f"{label_mode}_labels")
        for file in ("train", "test")
    )
    return train, test

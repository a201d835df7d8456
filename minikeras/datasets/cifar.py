"""What the two data sets of CIFAR have in common: images in pickles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.datasets.npz import RestrictedUnpickler

__all__ = ["Images", "load_batch", "load_images"]

Images = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def load_batch(fpath: str, label_key: str = "labels") -> tuple[Any, Any]:
    """Return the images of a file, channels first, and their labels.

    The file is a pickle, of which only arrays and plain containers are read.

    Args:
        fpath: path of the file.
        label_key: under which name the labels are in it.

    Raises:
        UnpicklingError: if there is anything else in the file.
    """
    with open(fpath, "rb") as file:
        batch = RestrictedUnpickler(file, encoding="bytes").load()
    return batch[b"data"].reshape(-1, 3, 32, 32), batch[label_key.encode()]


def load_images(paths: Sequence[str], label_key: str = "labels") -> Images:
    """Return the images of several files, channels where they should be, and labels."""
    batches = [load_batch(path, label_key) for path in paths]
    x = np.concatenate([images for images, _ in batches])
    y = np.concatenate([labels for _, labels in batches]).reshape(-1, 1)
    if K.image_data_format() == "channels_last":
        x = x.transpose(0, 2, 3, 1)
    return x, y

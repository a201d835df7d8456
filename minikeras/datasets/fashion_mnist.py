"""Fashion-MNIST: 70,000 pieces of clothing, in the form of MNIST."""

from __future__ import annotations

import gzip
import math
import struct
from typing import Any

import numpy as np

from minikeras.datasets.sources import file_of
from minikeras.saving.limits import CorruptFileError

__all__ = ["load_data"]


def load_data() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return 60,000 gray images of clothes, and 10,000 for tests.

    The classes are: T-shirt or top, trousers, pullover, dress, coat, sandal, shirt,
    sneaker, bag, ankle boot.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``, all of dtype uint8; pixels in
        [0, 255], labels from 0 to 9.

    Shapes:
        x: (images, 28, 28)
        y: (images,)

    Raises:
        DownloadError: if a file is nowhere to be found.
        CorruptFileError: if a file is not what it should be.

    Source: Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747; MIT license.
    """
    return _images("train"), _images("t10k")


def _images(part: str) -> tuple[Any, Any]:
    return _idx(f"{part}-images-idx3-ubyte.gz"), _idx(f"{part}-labels-idx1-ubyte.gz")


def _idx(name: str) -> np.ndarray[Any, Any]:
    """Return the array in a file of MNIST's own format: bytes, after their shape."""
    path = file_of("fashion-mnist", name, subdir="datasets/fashion-mnist")
    rank = 3 if "idx3" in name else 1
    shape = ()
    with gzip.open(path, "rb") as file:
        head = file.read(4 + 4 * rank)
        if len(head) == 4 + 4 * rank and head[:4] == bytes((0, 0, 8, rank)):
            shape = struct.unpack(f">{rank}I", head[4:])
        honest = shape[:1] in ((60000,), (10000,)) and shape[1:] in ((), (28, 28))
        size = math.prod(shape) if honest else 0
        data = file.read(size)
    if not data or len(data) != size:
        raise CorruptFileError(f"{path} is not a file of Fashion-MNIST")
    return np.frombuffer(data, np.uint8).reshape(shape)

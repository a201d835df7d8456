"""Well-known data sets, under the names of ``keras.datasets``.

Their files are looked for where Keras keeps what it has downloaded, then where a
system's packages put data, then on the network. What is nowhere is an error that names
these places; nothing stands in for it.
"""

from minikeras.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)
from minikeras.datasets.npz import load_npz

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "load_npz",
    "mnist",
    "reuters",
]

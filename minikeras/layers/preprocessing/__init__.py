"""Layers that prepare data: numbers, categories, text."""

from minikeras.layers.preprocessing.categories import CategoryEncoding, Discretization
from minikeras.layers.preprocessing.hashing import HashedCrossing, Hashing
from minikeras.layers.preprocessing.index_lookup import IndexLookup
from minikeras.layers.preprocessing.lookup import IntegerLookup, StringLookup
from minikeras.layers.preprocessing.numerical import Normalization, Rescaling
from minikeras.layers.preprocessing.text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IndexLookup",
    "IntegerLookup",
    "Normalization",
    "Rescaling",
    "StringLookup",
    "TextVectorization",
]

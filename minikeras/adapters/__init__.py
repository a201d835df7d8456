"""Adapters: what can be done to a layer's large weight after the layer was written."""

from minikeras.adapters.adaptable import Adaptable, Weight
from minikeras.adapters.forms import Einsum, Filters, Linear, Rows, Table
from minikeras.adapters.quantizing import Quantizable
from minikeras.adapters.reversible import Reversible

__all__ = [
    "Adaptable",
    "Einsum",
    "Filters",
    "Linear",
    "Quantizable",
    "Reversible",
    "Rows",
    "Table",
    "Weight",
]

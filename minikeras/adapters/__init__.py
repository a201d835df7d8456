"""Adapters: what can be done to a layer's large weight after the layer was written."""

from minikeras.adapters.adaptable import Adaptable, Quantizable, Weight
from minikeras.adapters.forms import Einsum, Linear, Rows

__all__ = ["Adaptable", "Einsum", "Linear", "Quantizable", "Rows", "Weight"]

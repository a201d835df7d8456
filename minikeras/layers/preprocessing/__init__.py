"""Layers that prepare data: numbers, categories, text."""

from minikeras.layers.preprocessing.numerical import Normalization, Rescaling

__all__ = ["Normalization", "Rescaling"]

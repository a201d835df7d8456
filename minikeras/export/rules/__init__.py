"""How each of the engine's operations is said in ONNX, one family a file."""

from minikeras.export.registry import RULES
from minikeras.export.rules import (
    control,
    elementwise,
    indexing,
    layout,
    products,
    reduction,
    spectral,
    windows,
)

__all__ = ["RULES"]

"""How each of ONNX's operators is computed here, one family a file."""

from minikeras.export.reading import (
    control,
    elementwise,
    layout,
    learners,
    recurrent,
    windows,
)
from minikeras.export.reading.program import Program

__all__ = ["Program"]

"""Models for other programs, and models of other programs: ONNX files.

``model.export("model.onnx", format="onnx")`` writes the inference call of a model, and
`from_onnx` makes a model of a file.
"""

from typing import TYPE_CHECKING

from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.export.archive import ExportArchive
    from minikeras.export.emission import UnsupportedError
    from minikeras.export.formats import export_model, export_onnx
    from minikeras.export.imported import ONNXGraph, from_onnx

__all__ = [
    "ExportArchive",
    "ONNXGraph",
    "UnsupportedError",
    "export_model",
    "export_onnx",
    "from_onnx",
]

_HOMES = homes_in(
    __name__,
    {
        "archive": "ExportArchive",
        "emission": "UnsupportedError",
        "formats": "export_model export_onnx",
        "imported": "ONNXGraph from_onnx",
    },
)

__getattr__, __dir__ = attach(__name__, _HOMES)

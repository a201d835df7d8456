"""What an ONNX file holds, as `saving.contents` has it: ops in the place of layers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from minikeras.export.library import dtype_of_element
from minikeras.export.onnx_files import opened
from minikeras.saving.contents import Contents, StoredTensor

__all__ = ["ENDING", "graph_contents"]

ENDING = ".onnx"


def graph_contents(path: str) -> Contents:
    """Return what an ONNX file holds.

    Raises:
        CorruptFileError: if it is none.
        ImportError: if the library that reads such files is not installed.
    """
    model = opened(path)
    graph = model.graph
    counts = Counter(node.op_type for node in graph.node)
    versions = {
        "producer": f"{model.producer_name} {model.producer_version}".strip(),
        "opset": ", ".join(
            f"{x.domain} {x.version}".strip() for x in model.opset_import
        ),
        "inputs": "; ".join(map(_described, graph.input)),
        "outputs": "; ".join(map(_described, graph.output)),
        "ops": ", ".join(f"{n} {name}" for name, n in sorted(counts.items())),
    }
    tensors = [
        StoredTensor(x.name, tuple(x.dims), _dtype(x.data_type))
        for x in graph.initializer
    ]
    facts = {key: value for key, value in versions.items() if value}
    return Contents(path, ENDING, os.path.getsize(path), facts, tensors=tensors)


def _described(value: Any) -> str:
    kind = value.type.tensor_type
    sizes = ", ".join(_sizes(kind.shape))
    return f"{value.name} ({sizes}) {_dtype(kind.elem_type)}"


def _sizes(shape: Any) -> Iterator[str]:
    for size in shape.dim:
        yield str(size.dim_value) if size.HasField("dim_value") else "None"


def _dtype(element: int) -> str:
    return str(dtype_of_element(element))

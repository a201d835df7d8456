"""Opening ONNX files: how much may be made of one, and what lies beside it.

Weights of a large model may lie in files of their own. Those are read only if they are
in the folder of the file or below it, and nothing else is ever opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minikeras.export.library import dtype_of_element, onnx
from minikeras.saving.limits import (
    Budget,
    CorruptFileError,
    ModelFileError,
    safe_name,
)

__all__ = ["WEIGHT", "opened"]

WEIGHT = "minikeras: a weight, the value of which is a variable's"


def opened(file: Any, is_emptied: bool = False) -> Any:
    """Return the model in a file, with all of its arrays.

    Args:
        file: a path, the content as bytes, or a binary file.
        is_emptied: whether the values of weights are elsewhere; they are marked then.

    Raises:
        CorruptFileError: if it is no model of ONNX.
        ModelFileError: if it asks for what a model's file must not do.
    """
    folder = None
    if isinstance(file, (bytes, bytearray)):
        data, name = bytes(file), "the file"
    elif hasattr(file, "read"):
        data, name = file.read(), str(getattr(file, "name", "the file"))
    else:
        path = Path(os.fspath(file))
        data, name, folder = path.read_bytes(), str(path), path.resolve().parent
    model = _parsed(data, name)
    budget = Budget(len(data), name)
    for tensor in _tensors(model.graph, model.functions):
        if tensor.data_location == onnx().TensorProto.EXTERNAL:
            _fetch(tensor, folder, budget)
        if not is_emptied:
            tensor.doc_string = ""
        if tensor.doc_string != WEIGHT:
            _check(tensor, budget)
    return model


def _parsed(data: bytes, name: str) -> Any:
    library = onnx()
    try:
        model = library.load_model_from_string(data)
    except Exception as error:  # of protobuf, which has no class of errors to name
        raise CorruptFileError(f"{name} is no ONNX file: {error}") from error
    if not model.graph.node and not model.graph.output:
        raise CorruptFileError(f"{name} is no ONNX file: it has no graph")
    return model


def _tensors(graph: Any, functions: Any = ()) -> Iterator[Any]:
    """Yield all arrays of a graph and of the graphs inside."""
    if graph.sparse_initializer:
        raise ModelFileError("sparse arrays are not among what can be read")
    yield from graph.initializer
    nodes = [*graph.node, *(node for f in functions for node in f.node)]
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)


def _fetch(tensor: Any, folder: Path | None, budget: Budget) -> None:
    """Read the data of an array from the file beside."""
    facts = {entry.key: entry.value for entry in tensor.external_data}
    place = safe_name(facts.get("location", ""))
    what = f"'{tensor.name}', which lies in the file {place!r}"
    if folder is None:
        raise ModelFileError(f"{budget.name}: {what}: give the path, not the content")
    path = (folder / place).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise ModelFileError(f"{budget.name}: {what}: there is no such file beside it")
    start = _whole(facts.get("offset", "0"), what)
    length = _whole(facts.get("length", str(path.stat().st_size - start)), what)
    if start + length > path.stat().st_size:
        raise CorruptFileError(f"{budget.name}: {what}: the file is too short")
    with open(path, "rb") as file:
        file.seek(start)
        tensor.raw_data = file.read(length)
    budget.left += length  # it takes room on the disk, too
    tensor.data_location = onnx().TensorProto.DEFAULT
    del tensor.external_data[:]


def _whole(text: str, what: str) -> int:
    if not text.isdigit():
        raise ModelFileError(f"{what}: {text!r} is no number of bytes")
    return int(text)


def _check(tensor: Any, budget: Budget) -> None:
    """Demand that an array has the numbers that its shape promises."""
    if tensor.data_type == onnx().TensorProto.STRING:
        raise ModelFileError(f"{budget.name}: '{tensor.name}' is made of text")
    if any(n < 0 for n in tensor.dims):
        raise CorruptFileError(f"{budget.name}: '{tensor.name}' has a negative size")
    count = int(np.prod([int(n) for n in tensor.dims], dtype=object))
    try:
        kind = dtype_of_element(tensor.data_type).as_numpy_dtype
    except (TypeError, ValueError):
        raise ModelFileError(
            f"{budget.name}: '{tensor.name}' is of a kind that cannot be read"
        ) from None
    budget.spend(count * kind.itemsize, f"'{tensor.name}'")
    helper = onnx().helper
    if tensor.HasField("raw_data"):
        fits = len(tensor.raw_data) == count * kind.itemsize
    else:
        fits = (
            len(getattr(tensor, helper.tensor_dtype_to_field(tensor.data_type)))
            == count
        )
    if not fits:
        raise CorruptFileError(
            f"{budget.name}: '{tensor.name}' has not the numbers of its shape"
        )

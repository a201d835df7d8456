"""The library `onnx`: imported when it is used, and the kinds of numbers it knows."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from minikeras.engine.dtypes import DType, as_dtype

__all__ = ["ELEMENTS", "dtype_of_element", "element_of", "onnx"]

# What ONNX calls the kinds of numbers.
ELEMENTS = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "bfloat16": "BFLOAT16",
    "float16": "FLOAT16",
    "float32": "FLOAT",
    "float64": "DOUBLE",
}


@functools.cache
def onnx() -> Any:
    """Return the library that reads, writes and checks ONNX files.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        for part in ("checker", "helper", "numpy_helper"):
            importlib.import_module(f"onnx.{part}")
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError(
            "ONNX files need the library onnx: pip install 'minikeras[onnx]'"
        ) from error


def element_of(dtype: Any) -> int:
    """Return ONNX's number for a dtype.

    Raises:
        TypeError: if ONNX has none that models can use.
    """
    name = ELEMENTS.get(str(as_dtype(dtype)))
    if name is None:
        raise TypeError(f"numbers of the kind {dtype} have no place in an ONNX file")
    return getattr(onnx().TensorProto, name)


def dtype_of_element(element: int) -> DType:
    """Return the dtype that has this number in ONNX.

    Raises:
        TypeError: if there is none here.
    """
    wanted = onnx().TensorProto.DataType.Name(element)
    for name, own in ELEMENTS.items():
        if own == wanted:
            return as_dtype(name)
    raise TypeError(f"there are no tensors of ONNX's kind {wanted} here")

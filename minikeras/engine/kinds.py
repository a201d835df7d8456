"""The kinds of number as names: ``tf.float32``, ``tf.int32``, ``tf.bool`` ..."""

from __future__ import annotations

from minikeras.engine.dtypes import as_dtype

__all__ = [
    "bfloat16",
    "bool",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

bool = as_dtype("bool")
int8 = as_dtype("int8")
int16 = as_dtype("int16")
int32 = as_dtype("int32")
int64 = as_dtype("int64")
uint8 = as_dtype("uint8")
uint16 = as_dtype("uint16")
uint32 = as_dtype("uint32")
uint64 = as_dtype("uint64")
bfloat16 = as_dtype("bfloat16")
float16 = half = as_dtype("float16")
float32 = as_dtype("float32")
float64 = double = as_dtype("float64")
complex64 = as_dtype("complex64")
complex128 = as_dtype("complex128")
string = as_dtype("string")

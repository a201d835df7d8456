"""Reading and writing memory: numbers side by side or apart, all of them or some.

A bool is a byte in memory. A mask says which lanes take part; what others would touch
need not be there.
"""

from __future__ import annotations

import numpy as np

from minikeras.engine.native.function import Function
from minikeras.engine.native.values import BOOL, DType, Value, llvm_type, suffix

__all__ = ["advance", "load", "store"]

INT64, BYTE = np.dtype(np.int64), np.dtype(np.uint8)


def _in_memory(dtype: DType) -> DType:
    return BYTE if dtype == BOOL else dtype


def advance(code: Function, pointer: str, dtype: DType, offset: Value) -> str:
    """Return a pointer, or several, to the numbers `offset` after `pointer`."""
    if offset.text == "0":
        return pointer
    step = llvm_type(_in_memory(dtype))
    text = f"getelementptr {step}, ptr {pointer}, {offset.type} {offset.text}"
    return code.pointer(text)


def load(
    code: Function,
    pointer: str,
    dtype: DType,
    stride: int,
    lanes: int,
    mask: Value | None,
) -> Value:
    """Return numbers that lie `stride` apart, 0 for those outside the mask."""
    memory = _in_memory(dtype)
    kind = llvm_type(memory, lanes)
    if lanes < 2 or (stride == 1 and mask is None):
        text = f"load {kind}, ptr {pointer}, align {dtype.itemsize}"
    else:
        name, at = _chosen(code, "load", "gather", pointer, memory, stride, lanes)
        by = _mask(code, mask, lanes)
        given = [at, ("i32", str(dtype.itemsize)), by, (kind, "zeroinitializer")]
        text = code.invocation(name, kind, given)
    return code.emit(text, memory, lanes).cast(dtype)


def store(
    code: Function, value: Value, pointer: str, stride: int, mask: Value | None
) -> None:
    """Write numbers `stride` apart, those inside the mask."""
    memory, lanes = _in_memory(value.dtype), value.lanes
    value = value.cast(memory)
    size = memory.itemsize
    if lanes < 2 or (stride == 1 and mask is None):
        code.do(f"store {value.type} {value.text}, ptr {pointer}, align {size}")
        return
    name, at = _chosen(code, "store", "scatter", pointer, memory, stride, lanes)
    given = [(value.type, value.text), at, ("i32", str(size)), _mask(code, mask, lanes)]
    code.do(code.invocation(name, "void", given))


def _chosen(
    code: Function,
    side_by_side: str,
    apart: str,
    pointer: str,
    memory: DType,
    stride: int,
    lanes: int,
) -> tuple[str, tuple[str, str]]:
    """Return the intrinsic that does it, and its pointer or pointers."""
    kind = suffix(memory, lanes)
    if stride == 1:
        return f"@llvm.masked.{side_by_side}.{kind}.p0", ("ptr", pointer)
    offsets = code.sequence(stride, INT64, lanes)
    several = advance(code, pointer, memory, offsets)
    return f"@llvm.masked.{apart}.{kind}.v{lanes}p0", (f"<{lanes} x ptr>", several)


def _mask(code: Function, mask: Value | None, lanes: int) -> tuple[str, str]:
    chosen = mask or code.constant(True, BOOL, lanes)
    return chosen.type, chosen.text

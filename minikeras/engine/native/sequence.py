"""Sequences of calls that threads go through without Python: loops, products, copies.

A thread of Python that waits for its lock between two calls of 20 µs loses what another
processor gains. Here what a thread is to do is a list in memory, which machine code
reads; products are BLAS's own function, called by its address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from minikeras.engine.kernels import openblas
from minikeras.engine.kernels.products import columns_at_once
from minikeras.engine.native import jit
from minikeras.engine.native.dispatch import TYPES, Call, bind

__all__ = ["can_multiply", "copied", "product", "together"]

Made = tuple[list[Call], object]  # calls, and what must live as long as they

TEXT = (
    TYPES
    + """
define void @sequence(ptr %calls, i64 %start, i64 %stop, i64 %case) {
entry:
  br label %head
head:
  %i = phi i64 [%start, %entry], [%next, %body]
  %left = icmp slt i64 %i, %stop
  br i1 %left, label %body, label %end
body:
  %at = getelementptr %call, ptr %calls, i64 %i
  call void @make(ptr %at)
  %next = add i64 %i, 1
  br label %head
end:
  ret void
}

; As many bytes as %stop says, from the second operand to the first.
define void @copy(ptr %operands, i64 %start, i64 %stop, i64 %case) {
  %source.at = getelementptr ptr, ptr %operands, i64 1
  %target = load ptr, ptr %operands
  %source = load ptr, ptr %source.at
  call void @llvm.memmove.p0.p0.i64(ptr %target, ptr %source, i64 %stop, i1 false)
  ret void
}
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

; CBLAS's function; whether to transpose; rows, columns, inner size; the three matrices,
; each with the elements from row to row.
%product = type { ptr, i64, i64, i64, i64, i64, ptr, i64, ptr, i64, ptr, i64 }

define void @multiply(ptr %p, i64 %start, i64 %stop, i64 %case) {
"""
    + "".join(
        f"""  %at{i} = getelementptr %product, ptr %p, i64 0, i32 {i}
  %v{i} = load {kind}, ptr %at{i}
"""
        for i, kind in enumerate(
            ["ptr", *["i64"] * 5, "ptr", "i64", "ptr", "i64", "ptr", "i64"]
        )
    )
    + """  %ta = trunc i64 %v1 to i32
  %tb = trunc i64 %v2 to i32
  call void %v0(i32 101, i32 %ta, i32 %tb, i64 %v3, i64 %v4, i64 %v5, float 1.0,
                ptr %v6, i64 %v7, ptr %v8, i64 %v9, float 0.0, ptr %v10, i64 %v11)
  ret void
}
"""
)
AS_IS, TRANSPOSED = 111, 112  # CBLAS's


@cache
def _functions() -> list[int]:
    return jit.compile_module(TEXT, ["sequence", "copy", "multiply"], level=0)


def can_multiply() -> bool:
    """Whether BLAS's product of float32 can be called."""
    return bool(openblas.address("cblas_sgemm"))


def product(left: Any, right: Any, out: Any) -> Made | None:
    """Return the calls that write a product of matrices, None if BLAS cannot so.

    They are cut as `bound_product` cuts them.
    """
    forms = [form for form in map(_form, (left, right, out)) if form]
    if len(forms) < 3 or forms[2][0] != AS_IS or left.dtype != np.float32:
        return None
    (ta, lda), (tb, ldb), (_, ldc) = forms
    (rows, inner), columns = left.shape, right.shape[1]
    width = columns_at_once(rows, inner, columns, right.strides[0] < right.strides[1])
    calls, owners = [], []
    for i in range(0, columns, width):
        block, result = right[:, i : i + width], out[:, i : i + width]
        sizes = [rows, block.shape[1], inner]
        places = [
            left.ctypes.data,
            lda,
            block.ctypes.data,
            ldb,
            result.ctypes.data,
            ldc,
        ]
        told = np.array([openblas.address("cblas_sgemm"), ta, tb, *sizes, *places])
        calls.append(Call(_functions()[2], told.ctypes.data, 0, 0, 0))
        owners.append(told)
    return calls, (owners, left, right, out)


def _form(x: Any) -> tuple[int, int] | None:
    """Return how CBLAS is to read a matrix, and the elements from row to row."""
    step, size = x.strides, x.itemsize
    if step[1] == size and step[0] >= size * x.shape[1]:
        return AS_IS, step[0] // size
    if step[0] == size and step[1] >= size * x.shape[0]:
        return TRANSPOSED, step[1] // size
    return None


def copied(target: Any, source: Any) -> Made | None:
    """Return the call that copies an array, None if its bytes are not those of it."""
    same = target.dtype == source.dtype and target.shape == source.shape
    if not same or not (target.flags.c_contiguous and source.flags.c_contiguous):
        return None
    pointers = np.array([target.ctypes.data, source.ctypes.data])
    call = Call(_functions()[1], pointers.ctypes.data, 0, target.nbytes, 0)
    return [call], (pointers, target, source)


def together(shares: Sequence[Sequence[Made]]) -> Callable[[], None]:
    """Return a function that lets a thread go through each share, in its order."""
    calls, owners = [], []
    for share in shares:
        rows = [value for made, _ in share for call in made for value in call]
        listed = np.array(rows, np.int64)
        count = len(rows) // len(Call._fields)
        calls.append(Call(_functions()[0], listed.ctypes.data, 0, count, 0))
        owners.append((listed, [owner for _, owner in share]))
    return bind(calls, [], owners, long=True)

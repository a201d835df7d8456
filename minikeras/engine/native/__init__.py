"""Fused loops as machine code, made by LLVM; an extra, ``minikeras[llvm]``.

`supports` says which loops can be compiled, `build` compiles them, and a kernel's
`bind` returns a function that does the loop on given arrays.

The room knows loops and arrays, and nothing of graphs. Its files, from the top:
`kernel` (build, bind), `sequence` (calls in a row, products among them), `parts` (for
threads), `dispatch` (calls and threads), `nest` (from a loop to text), `schedule` (in
which order and how wide), `totals`, `ufuncs`, `transcendental`, `ir` (text), `jit`
(from text to machine code).
"""

from __future__ import annotations

from minikeras.engine.native.kernel import Kernel, build
from minikeras.engine.native.sequence import can_multiply, copied, product, together
from minikeras.engine.native.support import available, explain, supports

__all__ = [
    "Kernel",
    "available",
    "build",
    "can_multiply",
    "copied",
    "explain",
    "product",
    "supports",
    "together",
]

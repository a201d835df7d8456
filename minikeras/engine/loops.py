"""`Loop`: several elementwise steps and reductions, done in one pass over memory.

A loop visits the elements of a box of `sizes`, the last dimension innermost, and for
each does its instructions in order. What it reads and writes are its operands. The
last dimension is the *row*: an instruction yields one value per element or, when
nothing it depends on changes along the row, one per row.

Two things can run a loop, and this file is all they share: `blocked`, with NumPy's own
ufuncs on blocks that stay in the cache, and `native`, as machine code made by LLVM.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Instruction", "Loop", "Operand", "processors"]


class Operand(NamedTuple):
    """An array that a loop reads or writes.

    Attributes:
        dtype: of its elements.
        strides: elements to go forward in memory for a step of each dimension of the
            loop; 0 in a dimension along which it does not change.
    """

    dtype: np.dtype[Any]
    strides: tuple[int, ...]


class Instruction(NamedTuple):
    """One step of a loop; `inputs` are the numbers of earlier instructions.

    Attributes:
        name: what to do:

            ``load``        read operand `attribute`;
            ``constant``    the number `attribute`;
            ``cast``        the input in another dtype, as ``astype``;
            ``where``       of (condition, x, y);
            ``reduce``      the row's total by the ufunc named `attribute`;
            ``store``       write the input to operand `attribute`;
            ``accumulate``  write, to operand ``attribute[1]``, the total by the ufunc
                            named ``attribute[0]`` over all dimensions in which that
                            operand's stride is 0;

            anything else is the name of a NumPy ufunc, whose inputs have the very
            dtypes of one of its loops (nothing is promoted implicitly).
        inputs: where its inputs come from.
        dtype: of the result.
        attribute: see `name`.
        per_row: whether there is one value per row rather than one per element.
    """

    name: str
    inputs: tuple[int, ...]
    dtype: np.dtype[Any]
    attribute: Any = None
    per_row: bool = False


class Loop(NamedTuple):
    """A fused group.

    An output may lie on the memory of an input of the same strides and dtype: an
    element is read before it is written, and all per-element stores belong to the end
    of a row, after its reductions.

    Attributes:
        sizes: of the box, outermost dimension first; all known, at least one of them.
        operands: inputs and outputs, by number.
        instructions: in order of dependence.
        places: for each operand, if that is known, another one of the same dtype and
            strides and how many elements after that it begins; empty if of none.
    """

    sizes: tuple[int, ...]
    operands: tuple[Operand, ...]
    instructions: tuple[Instruction, ...]
    places: tuple[tuple[int, int] | None, ...] = ()


def processors() -> int:
    """Return how many processors share a loop: all there are, unless told otherwise."""
    for name in ("MINIKERAS_THREADS", "OMP_NUM_THREADS"):
        number = os.environ.get(name, "").split(",")[0].strip()
        if number.isdigit() and int(number) > 0:
            return int(number)
    if hasattr(os, "sched_getaffinity"):  # those that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

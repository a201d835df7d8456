"""From a loop's instructions to those that are single calls of NumPy.

Three of a loop's instructions are put in terms of others:

- ``where``: of the bits, in three passes that no branch predictor can spoil. NumPy's
  own selections take 1 to 2 ns an element where the condition is random, this 0.4 ns.
- ``reduce`` and ``accumulate``: as ``total``, over the axes in ``attribute[1]``; what
  is accumulated is then stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras.engine.loops import Instruction, Loop

__all__ = ["BITS", "IDENTITIES", "integer", "lowered", "supports", "varying"]

BITS = "bits of "  # before a ufunc's name: it takes and gives integers of those bits

# What a total is begun with.
IDENTITIES: dict[str, Any] = {
    "add": lambda dtype: 0,
    "multiply": lambda dtype: 1,
    "maximum": lambda dtype: _limits(dtype)[0],
    "minimum": lambda dtype: _limits(dtype)[1],
    "logical_or": lambda dtype: False,
    "logical_and": lambda dtype: True,
}


def _limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    if dtype.kind in "iu":
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    return (False, True) if dtype.kind == "b" else (-np.inf, np.inf)


def supports(loop: Loop) -> bool:
    """Return whether `blocked` can run a loop: all but exotic dtypes and totals."""
    for step in loop.instructions:
        if step.name == "where" and step.dtype.itemsize not in (1, 2, 4, 8):
            return False
        if step.name == "accumulate" and step.attribute[0] not in IDENTITIES:
            return False
    return True


def integer(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the integer dtype of the same size."""
    return np.dtype(f"i{dtype.itemsize}")


def lowered(loop: Loop) -> list[Instruction]:
    """Return instructions each of which, in a block, is one call of NumPy."""
    done: list[Instruction] = []
    moved: list[int] = []  # where each of the loop's instructions is now
    for step in loop.instructions:
        step = step._replace(inputs=tuple([moved[i] for i in step.inputs]))
        lowering = _LOWERINGS.get(step.name)
        done += lowering(loop, step, done) if lowering else [step]
        moved.append(len(done) - 1)
    return done


def _where(
    loop: Loop, step: Instruction, done: Sequence[Instruction]
) -> list[Instruction]:
    """Select by bits: y ^ ((x ^ y) * c)."""
    c, x, y = step.inputs
    mask = Instruction("cast", (c,), integer(step.dtype))
    at = len(done)
    if _is_zero(done[y]):
        return [mask, step._replace(name=BITS + "multiply", inputs=(x, at))]
    differing = step._replace(name=BITS + "bitwise_xor", inputs=(x, y))
    chosen = step._replace(name=BITS + "multiply", inputs=(at + 1, at))
    return [mask, differing, chosen, differing._replace(inputs=(at + 2, y))]


def _is_zero(step: Instruction) -> bool:
    return step.name == "constant" and not any(
        np.asarray(step.attribute, step.dtype).tobytes()
    )


def _reduce(
    loop: Loop, step: Instruction, done: Sequence[Instruction]
) -> list[Instruction]:
    axes = (len(loop.sizes) - 1,)
    return [step._replace(name="total", attribute=(step.attribute, axes))]


def _accumulate(
    loop: Loop, step: Instruction, done: Sequence[Instruction]
) -> list[Instruction]:
    name, k = step.attribute
    operand = loop.operands[k]
    counted = len(loop.sizes) - done[step.inputs[0]].per_row  # a value per row: rows
    axes = tuple(
        d for d in range(counted) if loop.sizes[d] != 1 and not operand.strides[d]
    )
    total = Instruction("total", step.inputs, operand.dtype, (name, axes))
    return [total, Instruction("store", (len(done),), operand.dtype, k)]


_LOWERINGS = {"where": _where, "reduce": _reduce, "accumulate": _accumulate}


def varying(loop: Loop, steps: Sequence[Instruction]) -> list[tuple[bool, ...]]:
    """Return for each instruction the dimensions in which its value varies."""
    found: list[tuple[bool, ...]] = []
    for step in steps:
        if step.name == "load":
            strides = loop.operands[step.attribute].strides
            varies = [
                n != 1 and s != 0 for n, s in zip(loop.sizes, strides, strict=True)
            ]
        else:
            given = [found[i] for i in step.inputs] or [(False,) * len(loop.sizes)]
            varies = [any(column) for column in zip(*given, strict=True)]
        if step.name == "total":
            varies = [v and d not in step.attribute[1] for d, v in enumerate(varies)]
        found.append(tuple(varies))
    return found

"""float16 in terms of float32, as NumPy computes it.

Few processors compute with halves, but many load, store and round to them. So a loop's
values of float16 become float32, and what an instruction makes of them is rounded.
"""

from __future__ import annotations

import numpy as np

from minikeras.engine.loops import Instruction, Loop

__all__ = ["FLOAT16", "widened"]

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)

# What makes halves out of halves only.
EXACT = {"load", "constant", "where", "negative", "positive", "absolute", "fabs"}
EXACT |= {"sign", "copysign", "heaviside", "maximum", "minimum", "fmax", "fmin", "clip"}
EXACT |= {"floor", "ceil", "trunc", "rint"}


def widened(loop: Loop) -> Loop:
    """Return a loop without values of float16 that does the same."""
    if all(i.dtype != FLOAT16 for i in loop.instructions):
        return loop
    wide: list[Instruction] = []
    place: list[int] = []  # of each instruction's value, in `wide`
    for old in loop.instructions:
        new = old._replace(inputs=tuple(place[i] for i in old.inputs))
        wide.append(new)
        if old.dtype == FLOAT16:
            wide[-1] = _in_float32(new)
            if old.name not in EXACT and old.name not in ("store", "accumulate"):
                last = (len(wide) - 1,)
                wide.append(Instruction("half", last, FLOAT32, None, old.per_row))
        place.append(len(wide) - 1)
    return loop._replace(instructions=tuple(wide))


def _in_float32(instruction: Instruction) -> Instruction:
    attribute = instruction.attribute
    if instruction.name == "constant":
        attribute = FLOAT32.type(FLOAT16.type(attribute))
    return instruction._replace(dtype=FLOAT32, attribute=attribute)

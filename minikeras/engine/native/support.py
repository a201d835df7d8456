"""Which loops can be compiled, and if not, why."""

from __future__ import annotations

from typing import Any

from minikeras.engine.loops import Instruction, Loop
from minikeras.engine.native import jit
from minikeras.engine.native.halves import FLOAT16
from minikeras.engine.native.totals import has_total
from minikeras.engine.native.ufuncs import UFUNCS
from minikeras.engine.native.values import BOOL, SCALARS

__all__ = ["available", "explain", "supports"]


def available() -> bool:
    """Return whether loops can be compiled here, and nobody asked for NumPy's."""
    return jit.missing() is None


def supports(loop: Loop) -> bool:
    """Return whether a loop can be compiled, once kernels are available."""
    return _obstacle(loop) is None


def explain(loop: Loop | None = None) -> str:
    """Say for a reader of a plan what compiles its loops, or why nothing does.

    Args:
        loop: if there is one, what about it cannot be compiled.
    """
    missing = jit.missing()
    if missing:
        return f"kernels: NumPy's, as {missing}"
    obstacle = _obstacle(loop) if loop else None
    if obstacle:
        return f"kernels: NumPy's, as native ones have no {obstacle}"
    return f"kernels: native, by {jit.version()}"


def _obstacle(loop: Loop) -> str | None:
    """Return what of a loop cannot be compiled, None if everything can."""
    if 0 in loop.sizes:
        return "loops without elements"
    for operand in loop.operands:
        if not _known(operand.dtype):
            return f"operand of {operand.dtype}"
    for instruction in loop.instructions:
        inputs = [loop.instructions[i].dtype for i in instruction.inputs]
        if not _known(instruction.dtype) or not _writable(loop, instruction, inputs):
            given = ", ".join(map(str, inputs))
            return f"{instruction.name}({given}) in {instruction.dtype}"
    return None


def _known(dtype: Any) -> bool:
    if dtype == FLOAT16 and not jit.host().halves:
        return False
    return dtype.isnative and dtype.str[1:] in SCALARS


def _writable(loop: Loop, instruction: Instruction, inputs: list[Any]) -> bool:
    """Return whether an instruction's name is known, and right for its dtypes."""
    name, _, dtype, attribute, _ = instruction
    match name:
        case "load":
            return loop.operands[attribute].dtype == dtype
        case "constant":
            return True
        case "cast":
            # Rounded to float32 first, it would be rounded twice.
            return not (inputs[0].str[1:] == "f8" and dtype == FLOAT16)
        case "where":
            return inputs == [BOOL, dtype, dtype]
        case "store":
            return loop.operands[attribute].dtype == inputs[0]
        case "reduce":
            return inputs == [dtype] and has_total(attribute, dtype)
        case "accumulate":
            ufunc, operand = attribute
            same = loop.operands[operand].dtype == dtype
            return same and inputs == [dtype] and has_total(ufunc, dtype)
    ufunc = UFUNCS.get(name)
    return ufunc is not None and len(set(inputs)) == 1 and ufunc.takes(inputs[0])

"""`Bound`: a program's instructions as calls on arrays that stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

try:
    from minikeras.engine import blocked, native
except ImportError:
    blocked = native = None
from minikeras.engine.compiler.memory import ALIGNMENT
from minikeras.engine.compiler.program import Call, Fused, Instruction, Map, Slot, Total

__all__ = ["Binder", "aligned"]

Bound: TypeAlias = Callable[[], Any]
Array: TypeAlias = "np.ndarray[Any, Any]"


def aligned(size: int) -> Array:
    """Return bytes that begin where a line of the cache does."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + size]


class Binder:
    """Turns instructions into calls.

    Args:
        array: gives the array of a slot.
        context: gives the run that is under way, for effects.
        native: kernels made for loops, by loop; the others are run by blocks.
    """

    def __init__(
        self, array: Callable[[Slot], Array], context: Callable[[], Any], kernels: Any
    ) -> None:
        self.array = array
        self.context = context
        self.kernels = kernels

    def calls(self, unit: Instruction) -> list[Bound]:
        """Return what to call, in order, to carry out an instruction."""
        if isinstance(unit, Fused):
            arrays = [self.array(slot) for slot in unit.slots]
            kernel = self.kernels.get(unit.loop)
            return (
                blocked.bind(unit.loop, arrays)
                if kernel is None
                else [kernel.bind(arrays)]
            )
        inputs = [self.array(x) for x in unit.inputs]
        outputs = [self.array(y) for y in unit.outputs]
        if isinstance(unit, Call):
            return [self.whole(unit, inputs, outputs)]
        if isinstance(unit, Map):
            return [elementwise(unit, inputs, outputs[0])]
        if isinstance(unit, Total):
            return [total(unit, inputs[0], outputs[0])]
        return [partial(np.copyto, self.array(unit), inputs[0])]

    def whole(
        self, unit: Call, inputs: Sequence[Array], outputs: Sequence[Array]
    ) -> Bound:
        """Return the call of a node's kernel."""
        node, op = unit.node, unit.node.op
        if not op.stateful:
            if op.binds:
                return op.bind(*outputs, *inputs)
            kernel = partial(op.kernel, np)
        elif op.selective:
            kernel = lambda *arrays: op.run(self.context(), node, unit.wanted, *arrays)
        else:
            kernel = lambda *arrays: op.run(self.context(), node, *arrays)
        if not node.several:
            (output,) = outputs
            return lambda: np.copyto(output, kernel(*inputs))

        def call() -> None:
            for output, value, wanted in zip(
                outputs, kernel(*inputs), unit.wanted, strict=True
            ):
                if wanted:
                    np.copyto(output, value)

        return call


def elementwise(unit: Map, inputs: Sequence[Array], output: Array) -> Bound:
    """Return the call of a map by itself."""
    if unit.name == "cast":
        return partial(np.copyto, output, inputs[0], casting="unsafe")
    if unit.name == "where":
        condition, x, y = inputs
        return lambda: np.copyto(output, np.where(condition, x, y))
    return partial(getattr(np, unit.name), *inputs, out=output)


def total(unit: Total, x: Array, output: Array) -> Bound:
    """Return the call of a total by itself."""
    return partial(
        getattr(np, unit.name).reduce, x, axis=unit.axes, keepdims=True, out=output
    )

"""`Bound`: a program's instructions as calls on arrays that stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from minikeras.engine import blocked, native
from minikeras.engine.compiler.program import (
    Call,
    Fused,
    Instruction,
    Map,
    Slot,
    Total,
)
from minikeras.engine.compiler.repeat import Repeat
from minikeras.engine.compiler.spread import Spread
from minikeras.engine.loops import Loop, processors
from minikeras.engine.ops.linalg import MatMul

__all__ = ["Binder"]

Bound: TypeAlias = Callable[[], Any]
Array: TypeAlias = "np.ndarray[Any, Any]"


class Binder:
    """Turns instructions into calls.

    Args:
        array: gives the array of a slot, or of the variable that a store sets.
        context: gives the run that is under way, for effects.
        kernels: machine code made for loops; the others are run by blocks.
        scratch: memory that blocks share, new if None.
        pooled: whether the threads of loops share large products too. BLAS's own run on
            for a while after each, on processors that a `Spread` is to have.
    """

    def __init__(
        self,
        array: Callable[[Any], Array],
        context: Callable[[], Any],
        kernels: Mapping[Loop, Any],
        scratch: Any = None,
        pooled: bool = False,
    ) -> None:
        self.array = array
        self.context = context
        self.kernels = kernels
        self.pooled = pooled
        self.scratch = blocked.Scratchpad() if scratch is None else scratch

    def inside(self, array: Callable[[Any], Array]) -> Binder:
        """Return a binder for the instructions of a loop's body."""
        return type(self)(array, self.context, self.kernels, self.scratch)

    def all(self, units: Iterable[Instruction]) -> Iterator[tuple[Bound, Instruction]]:
        """Yield what to call, in order, each with the instruction it is part of."""
        for unit in units:
            if isinstance(unit, Repeat):
                inputs, outputs = map(self._arrays, (unit.inputs, unit.outputs))
                yield from unit.bound(inputs, outputs, self)
            elif isinstance(unit, Spread):
                for call in self.spread(unit):
                    yield call, unit
            else:
                for call in self.calls(unit):
                    yield call, unit

    def spread(self, unit: Spread) -> Sequence[Bound]:
        """Return the one call of a scan that threads share, or those of its parts."""
        shares = []
        for part in unit.parts:
            binder = InSequence(self.array, self.context, self.kernels)
            shares.append([in_sequence(made) for made, _ in binder.all([part])])
        if all(made is not None for share in shares for made in share):
            return [at_once(shares)]
        return [each for each, _ in self.all(unit.parts)]

    def _arrays(self, slots: Iterable[Slot]) -> list[Array]:
        return [self.array(slot) for slot in slots]

    def calls(self, unit: Instruction) -> Sequence[Bound]:
        """Return what to call to carry out one instruction."""
        if isinstance(unit, Fused):
            arrays = self._arrays(unit.slots)
            kernel = self.kernels.get(unit.loop)
            if kernel is None:
                return blocked.bind(unit.loop, arrays, self.scratch)
            return [kernel.bind(arrays)]
        inputs, outputs = self._arrays(unit.inputs), self._arrays(unit.outputs)
        if isinstance(unit, Call):
            return [self.whole(unit, inputs, outputs)]
        if isinstance(unit, Map):
            return [elementwise(unit, inputs, outputs[0])]
        if isinstance(unit, Total):
            return [total(unit, inputs[0], outputs[0])]
        return [partial(np.copyto, self.array(unit), inputs[0])]

    # -- loops, whose iterations effects can tell apart --------------------------------

    def enter_loop(self) -> None:
        """Say that a loop begins."""
        self.context().path.append(0)

    def at_step(self, t: int) -> None:
        """Say which step is next."""
        self.context().path[-1] = t

    def leave_loop(self) -> None:
        """Say that it has ended."""
        self.context().path.pop()

    def whole(
        self, unit: Call, inputs: Sequence[Array], outputs: Sequence[Array]
    ) -> Bound:
        """Return the call of a node's kernel."""
        node = unit.node
        op: Any = unit.op
        if not op.stateful:
            if self.pooled and isinstance(op, MatMul):
                made = product_in_parts(*op.turned(*inputs), *outputs)
                if made is not None:
                    return made
            if op.binds:
                return op.bind(*outputs, *inputs)
            kernel = partial(op.kernel, np)
        else:
            kernel = partial(self._effect, unit)
        if not node.several:
            (output,) = outputs
            return lambda: np.copyto(output, kernel(*inputs))

        def call() -> None:
            for output, value in zip(outputs, kernel(*inputs), strict=True):
                np.copyto(output, value)

        return call

    def _effect(self, unit: Call, *arrays: Array) -> Any:
        """Run a node that sees the run; return what is wanted of its outputs."""
        node = unit.node
        op: Any = unit.op
        if not op.selective:
            return op.run(self.context(), node, *arrays)
        found = op.run(self.context(), node, unit.wanted, *arrays)
        return [y for y, wanted in zip(found, unit.wanted, strict=True) if wanted]


class InSequence(Binder):
    """Turns instructions into calls of machine code alone, where that is possible."""

    def calls(self, unit: Instruction) -> Sequence[Any]:
        """Return what is to be called: of machine code, or as a `Binder` does."""
        if isinstance(unit, Fused) and unit.loop in self.kernels:
            made, owner = self.kernels[unit.loop].call(self._arrays(unit.slots))
            return [([made], owner)]
        if isinstance(unit, Call) and isinstance(unit.op, MatMul):
            a, b, c = self._arrays((*unit.inputs, *unit.outputs))
            made = native.product(*unit.op.turned(a, b), c)
            if made is not None:
                return [made]
        return super().calls(unit)


# Products of so many multiplications are shared.
_LARGE = 1 << 25


def product_in_parts(left: Array, right: Array, out: Array) -> Bound | None:
    """Return the call of a product that threads share, None if it is not for them."""
    if out.ndim != 2 or left.ndim != 2 or out.size * left.shape[1] < _LARGE:
        return None
    axis = int(out.shape[0] < out.shape[1])
    count, size = processors(), out.shape[axis]
    ends = {min(-(-size * i // count // 16) * 16, size) for i in range(count)} | {size}
    shares = []
    for start, stop in pairwise(sorted(ends)):
        rows = slice(start, stop)
        one = (left, right[:, rows]) if axis else (left[rows], right)
        made = native.product(*one, out[:, rows] if axis else out[rows])
        if made is None:
            return None
        shares.append([made])
    return at_once(shares)


def at_once(shares: Sequence[Sequence[Any]]) -> Bound:
    """Return the call of sequences of machine code, one for each thread."""
    return blocked.in_one_thread(native.together(shares))


def in_sequence(made: Any) -> Any:
    """Return the machine code of what `InSequence` yields, None if there is none."""
    if isinstance(made, partial) and made.func is np.copyto and not made.keywords:
        return native.copied(*made.args)
    return made if isinstance(made, tuple) else None


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

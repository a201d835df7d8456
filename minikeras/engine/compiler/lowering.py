"""From a plan's steps to a program: each kernel is traced, or called as a whole.

What is known before the run is computed here, once; what was computed before is not
computed again; and a multiplication by one is none. A variable is read and assigned in
the order of the steps, so an assignment is no instruction in itself: later reads take
the value assigned, and what it ends with is stored after everything else has happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from minikeras.engine import native
from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import (
    Call,
    Instruction,
    Map,
    Part,
    Program,
    Slot,
    Store,
)
from minikeras.engine.compiler.repeat import Form, Layout, Repeat
from minikeras.engine.compiler.schedule import Schedule
from minikeras.engine.compiler.spread import Spread, is_same, shares_of
from minikeras.engine.compiler.traced import OpaqueError, Recorder, Traced
from minikeras.engine.errors import EngineError
from minikeras.engine.graph import Node, Tensor
from minikeras.engine.ops.body import assigns
from minikeras.engine.ops.scan import Scan
from minikeras.engine.ops.state import Handle
from minikeras.engine.plan import Plan, Step
from minikeras.engine.spec import Spec

__all__ = ["UncompilableError", "lower"]

_NUMBERS = "biufc"


class UncompilableError(Exception):
    """A plan has values whose shapes only its run decides."""


def lower(plan: Plan, layouts: Sequence[Any] = ()) -> Program:
    """Return the program that does what the steps of `plan` do.

    Args:
        plan: what is to be done.
        layouts: how the arrays lie in memory that it will be given, if not in C order.

    Raises:
        UncompilableError: if it cannot be known before what shapes its values have.
    """
    return _Lowering(plan, layouts).program


class _Lowering:
    """A program in the making.

    Attributes:
        values: for each slot of the plan a `Slot`, or an array where it is known.
        current: the value of each variable read or assigned so far.
    """

    def __init__(self, plan: Plan, layouts: Sequence[Any]) -> None:
        self.plan = plan
        self.program = Program()
        self.values: list[Any] = list(plan.initial)
        self.current: dict[Any, Slot] = {}
        self.assigned: dict[Any, Node] = {}
        self.known: dict[Any, Any] = {}
        slots = [new_slot(spec, feed) for feed, spec in plan.fed.items()]
        for slot, layout in zip(slots, layouts, strict=False):
            slot.layout = layout
        for slot, number in zip(slots, plan.feeds, strict=True):
            self.values[number] = slot
            feed = slot.source
            self.program.feeds.append(slot)
            if isinstance(feed, Handle):
                self.current[feed] = slot
        for step in plan.steps:
            self.add(step)
        self.program.fetches = [self.fetched(where) for where in plan.fetches]
        for handle, node in self.assigned.items():
            value = self.computed(self.current[handle], node)
            self.program.instructions.append(Store(handle, value, node))
        self.program.drop_unused()

    def fetched(self, where: Any) -> Any:
        """Return a fetch of the plan as one of the program."""
        if not isinstance(where, int):
            return where
        slot = self.as_slot(self.values[where])
        node = (
            self.assigned.get(slot.base.source)
            if isinstance(slot.base.source, Handle)
            else None
        )
        # What a variable held before is read before it is stored anew.
        return slot if node is None else self.computed(slot, node)

    def computed(self, slot: Slot, node: Node) -> Slot:
        """Return a copy of a slot that is given; itself if it is computed."""
        return self.program.copied(slot, node) if slot.is_given else slot

    def add(self, step: Step) -> None:
        """Lower one step."""
        op: Any = step.node.op
        inputs = [self.values[i] for i in step.inputs]
        if op.name == "read_variable":
            results = [self.read(op.handle)]
        elif op.name == "assign":
            self.current[op.handle] = self.as_slot(inputs[0])
            self.assigned[op.handle] = step.node
            results = inputs
        else:
            results = self.applied(step, inputs)
        for number, value in zip(step.numbers, results, strict=True):
            self.values[number] = value

    def read(self, handle: Any) -> Slot:
        """Return a variable's value as of this point."""
        if handle not in self.current:
            self.current[handle] = new_slot(handle.spec, handle)
        return self.current[handle]

    def applied(self, step: Step, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the values of a step: arrays where they are known, else slots."""
        node = step.node
        if not node.op.stateful:
            try:
                return self.traced(node, inputs)
            except (OpaqueError, AttributeError, TypeError, ValueError, IndexError):
                pass
        return self.called(step, inputs)

    def traced(self, node: Node, inputs: Sequence[Any]) -> Sequence[Any]:
        """Run a kernel on traced arrays; take over what it did."""
        recorder = Recorder(node)
        arguments = [Traced(recorder, x) if isinstance(x, Slot) else x for x in inputs]
        kernel = getattr(node.op, "traced", node.op.kernel)
        with np.errstate(all="ignore"):
            found = kernel(np, *arguments)
        results = found if node.several else (found,)
        replaced: dict[Slot, Slot] = {}
        parts: dict[Slot, list[Part]] = {}
        instruction: Any
        for instruction in recorder.instructions:
            for x in instruction.inputs:
                self.complete(x.base, parts, replaced)
            instruction.inputs = tuple(
                self.renamed(x, replaced) for x in instruction.inputs
            )
            if isinstance(instruction, Part):
                parts.setdefault(instruction.output.base, []).append(instruction)
            else:
                self.emit(instruction, replaced)
        for base in tuple(parts):
            self.complete(base, parts, replaced)
        return [
            self.renamed(y.slot, replaced) if isinstance(y, Traced) else condensed(y)
            for y in results
        ]

    def emit(self, instruction: Any, replaced: dict[Slot, Slot]) -> None:
        """Add an instruction, unless its value is at hand already."""
        (output,) = instruction.outputs
        same = _unchanged(instruction) if is_on("algebra") else None
        if same is None:
            key = instruction.key if is_on("share") else output
            same = self.known.setdefault(key, output)
        if same is output:
            self.program.instructions.append(instruction)
        else:
            shape = output.shape
            alike = same.shape == shape
            replaced[output] = same if alike else same.view(lambda a: a.reshape(shape))

    def complete(
        self,
        whole: Slot,
        parts: dict[Slot, list[Part]],
        replaced: dict[Slot, Slot],
    ) -> None:
        """Add all parts that a slot is made of, unless its value is at hand already."""
        made = parts.pop(whole, None)
        if made is None:
            return
        key: Any = whole
        if is_on("share"):
            each = tuple((*part.output.place[1:], part.inputs) for part in made)
            key = "parts", whole.shape, whole.dtype, each
        same = self.known.setdefault(key, whole)
        if same is whole:
            self.program.instructions += made
        else:
            replaced[whole] = same

    def renamed(self, slot: Slot, replaced: dict[Slot, Slot]) -> Slot:
        """Return the one slot that stands for all equal ones."""
        base, number = slot.base, slot.base.source
        if isinstance(number, np.ndarray) and number.nbytes <= _SMALL:
            key = number.tobytes(), number.dtype, number.shape
            base = self.known.setdefault(key, base)
        base = replaced.get(base, base)
        if base is not slot.base:
            slot = base.view(slot.on) if slot.is_view else base
        return self.known.setdefault(slot.place, slot) if slot.is_view else slot

    def called(self, step: Step, inputs: Sequence[Any]) -> Sequence[Any]:
        """Add the call of a whole node."""
        node = step.node
        if assigns(node.op):
            raise UncompilableError(
                f"{node.name} assigns variables inside a loop or branch"
            )
        wanted = [number not in step.dead for number in step.numbers]
        if not node.op.selective:
            wanted = [True] * len(wanted)
        pairs = zip(node.outputs, wanted, strict=True)
        outputs = [new_slot(self.plan.spec(y)) if want else None for y, want in pairs]
        slots = [self.as_slot(x) for x in inputs]
        call = self.whole(node, slots, [y for y in outputs if y is not None], wanted)
        if call.key is not None and is_on("share"):
            same = self.known.setdefault(("call", call.key), call)
            if same is not call:
                return same.outputs
        self.program.instructions.append(call)
        return outputs

    def whole(
        self,
        node: Node,
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        wanted: Sequence[bool],
    ) -> Call:
        """Return the call of a node, with a body of its own if it is a scan."""
        if isinstance(node.op, Scan):
            given = [
                x if x.layout.flags.c_contiguous else self.program.copied(x, node)
                for x in inputs[: 1 + node.op.carries]
            ]
            with suppress(UncompilableError):
                given += inputs[len(given) :]
                return scanned(node, given, outputs, wanted)
        return Call(node, inputs, outputs, wanted)

    def as_slot(self, value: Any) -> Slot:
        """Return the slot of a value, a constant's if it is known."""
        if isinstance(value, Slot):
            return value
        if np.asarray(value).dtype.kind not in _NUMBERS:
            raise UncompilableError(f"{value!r} is not made of numbers")
        slot = Slot.constant(np.asarray(value))
        return self.known.setdefault((id(value), "array"), slot)


# Constants of so many bytes are compared with others.
_SMALL = 1024
# Longer loops are not bound step by step.
_MOST_STEPS = 4096


def scanned(
    node: Node, inputs: Sequence[Slot], outputs: Sequence[Slot], wanted: Sequence[bool]
) -> Repeat | Spread:
    """Return a scan with its body compiled, in parts for several threads if that pays.

    Raises:
        UncompilableError: if its body cannot be, or it has too many steps or none.
    """
    form = _form(node, inputs, outputs, wanted)
    given, ends = inputs[1:], len(form.ends)
    whole = _body(node, form, given, wanted)
    shares = shares_of(whole, form.carries + form.xs) if _can_spread() else []
    mine = [_inputs(given, rows, form, whole) for rows in shares]
    try:
        bodies = [_body(node, form, part, wanted) for part in mine]
    except EngineError:  # the body has one size of its own
        bodies = []
    kept = _without_doubles(whole, outputs, len(form.carried), ends)
    if not bodies or not all(is_same(whole, body) for body in bodies):
        return _repeat(node, form, given, kept, whole)
    parts = []
    for rows, part, body in zip(shares, mine, bodies, strict=True):
        found = [_rows(y, rows, int(i >= ends)) for i, y in enumerate(outputs)]
        found = _without_doubles(body, found, len(form.carried), ends)
        parts.append(_repeat(node, form, part, found, body))
    return Spread(node, given, kept, parts)


def _can_spread() -> bool:
    """Whether threads can go through steps without Python, which would let one wait."""
    ready = is_on("spread") and is_on("native") and native.available()
    return ready and native.can_multiply()


def _inputs(
    given: Sequence[Slot], rows: slice, form: Form, program: Program
) -> list[Slot]:
    """Return the inputs of a scan for some rows of the batch."""
    used = {x.base for unit in program for x in unit.inputs}
    batch, fed = program.feeds[0].shape[:1], form.carries + form.xs
    found = []
    for i, (x, feed) in enumerate(zip(given, program.feeds, strict=True)):
        axis = int(form.carries <= i < fed)
        # What is captured belongs to all rows, or is needed by none.
        has_rows = i < fed or (feed not in used and feed.shape[:1] == batch)
        found.append(_rows(x, rows, axis) if has_rows else x)
    return found


def _form(
    node: Node, inputs: Sequence[Slot], outputs: Sequence[Slot], wanted: Sequence[bool]
) -> Form:
    op: Any = node.op
    length, *given = inputs
    n, known = op.carries, length.base.source
    stacked = [x.shape[0] for x in given[n : n + op.xs]]
    stacked += [y.shape[0] for y in outputs[sum(wanted[:n]) :]]
    steps = (
        stacked[0] if stacked else int(known) if isinstance(known, np.ndarray) else 0
    )
    if not 0 < steps <= _MOST_STEPS:
        raise UncompilableError(f"{node.name} has {steps} steps")
    ends = [i for i, want in enumerate(wanted[:n]) if want]
    return Form(steps, op.reverse, n, op.xs, op.cut(wanted).carried, ends)


def _body(
    node: Node, form: Form, given: Sequence[Slot], wanted: Sequence[bool]
) -> Program:
    """Return the program of one step."""
    op: Any = node.op
    body, n = op.cut(wanted).body, form.carries
    layouts = [
        x.layout[0, ...] if n <= i < n + form.xs else x.layout
        for i, x in enumerate(given)
    ]
    pairs = zip(body.feeds, layouts, strict=True)
    specs = {t: Spec(layout.shape, t.dtype) for t, layout in pairs}
    return lower(Plan(body.outputs, specs), layouts)


def _repeat(
    node: Node,
    form: Form,
    given: Sequence[Slot],
    outputs: Sequence[Slot],
    program: Program,
) -> Repeat:
    layout = Layout.of(program, node, form.carried)
    schedule = Schedule(program, layout.placed)
    return Repeat(node, given, outputs, schedule, layout, form)


def _rows(x: Slot, rows: slice, axis: int) -> Slot:
    return x.view(lambda a: a[(slice(None),) * axis + (rows,)])


def _without_doubles(
    program: Program, outputs: Sequence[Slot], carried: int, ends: int
) -> list[Slot]:
    """Return the outputs of a scan; of rows that are all equal only the first is one.

    The others become views of it.
    """
    fetches, kept = program.fetches[:carried], list(outputs[:ends])
    first: dict[Slot, Slot] = {}
    pairs = zip(program.fetches[carried:], outputs[ends:], strict=True)
    for slot, y in pairs:
        same = first.setdefault(slot, y)
        if same is y:
            fetches.append(slot)
            kept.append(y)
        else:
            y.become(same)
    program.fetches = fetches
    return kept


def new_slot(spec: Spec, source: Any = None) -> Slot:
    """Return a slot for values of `spec`.

    Raises:
        UncompilableError: if it does not say how large they are, or of what.
    """
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    sizes = [n for n in spec.shape or () if n is not None]
    if spec.shape is None or len(sizes) < len(spec.shape):
        raise UncompilableError(f"a value of {spec} has no fixed size")
    # Text can be given, but there is no place for it in memory that values share.
    given = isinstance(source, Tensor)
    if dtype.kind not in _NUMBERS and not given:
        raise UncompilableError(f"a value of {spec} is not made of numbers")
    return Slot.new(sizes, dtype, source)


def condensed(value: Any) -> Any:
    """Return a computed constant; as one number repeated if it is that."""
    array = np.asarray(value)
    if array.size > 1 and any(array.strides):
        first = array[(0,) * array.ndim]
        if (array == first).all() and not (first == 0 and np.signbit(array).any()):
            return np.broadcast_to(first, array.shape)
    return array


# The number with which a ufunc returns its other operand.
_NEUTRAL = {"multiply": 1, "bitwise_or": 0}


def _unchanged(instruction: Instruction) -> Slot | None:
    """Return the input that an instruction yields unchanged, None if there is none."""
    if not isinstance(instruction, Map):
        return None
    output, first = instruction.output, instruction.inputs[0]
    if instruction.name in _NEUTRAL:
        for one, other in (instruction.inputs, instruction.inputs[::-1]):
            neutral = _is_number(one, _NEUTRAL[instruction.name])
            if neutral and other.shape == output.shape:
                return other
    if instruction.name == "divide" and _is_number(instruction.inputs[1], 1):
        return first if first.shape == output.shape else None
    if (
        instruction.name == "cast"
        and first.dtype == output.dtype
        and first.base.layout is first.layout
    ):
        return first
    return None


def _is_number(slot: Slot, number: float) -> bool:
    source = slot.base.source
    return (
        isinstance(source, np.ndarray) and source.size == 1 and source.item() == number
    )

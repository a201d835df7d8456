"""`scan`: a step, repeated, with what it computes on the way stacked.

The steps that a gradient takes back need what the steps forward have computed. So all
of that can be had as outputs of the one operation; what nobody uses is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from minikeras.engine import shapes, tree
from minikeras.engine.context import is_building
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Node, Tensor, current_graph, is_symbolic
from minikeras.engine.op import Op, as_tensor, spec_of
from minikeras.engine.ops.body import Body, Values, common, shape_only
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.joining import stack
from minikeras.engine.ops.pullback import Pullback
from minikeras.engine.ops.reshaping import shape
from minikeras.engine.spec import Array, Spec

__all__ = ["scan"]


class Cut(NamedTuple):
    """What is left of a scan's body if only some of the scan's outputs are wanted.

    Attributes:
        body: its outputs are the carries that are needed, then the wanted rows.
        carried: which carry each of the former is.
        rows: which output of the scan each of the latter is a row of.
    """

    body: Body
    carried: tuple[int, ...]
    rows: tuple[int, ...]


class Scan(Op, name="scan", eq=False):
    """carry, y[t] = body(carry, x[t]) for each t; outputs carries, ys, kept values.

    The kept values are the carries with which each step began, and all that the body
    computed in it, stacked as the ys are. They are there for the gradient.
    """

    body: Body
    carries: int
    xs: int
    reverse: bool = False
    stateful = True
    any_rank = True
    selective = True

    @property
    def rows(self) -> list[Tensor]:
        """The tensors of the body that are stacked, in the order of the outputs."""
        n, body = self.carries, self.body
        return [*body.outputs[n:], *body.inputs[:n], *body.computed]

    def parts(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return carries, xs and captures."""
        first, second = self.carries, self.carries + self.xs
        return list(inputs[:first]), list(inputs[first:second]), list(inputs[second:])

    def infer(self, length: Spec, *inputs: Spec) -> tuple[Spec, ...]:
        steps = length.value[0] if length.value else None
        _, stacked, _ = self.parts(inputs)
        for x in stacked:
            if x.shape is not None:
                if not x.shape:
                    raise ShapeError(
                        "scan: what is scanned needs a leading axis; got a scalar"
                    )
                (steps,) = shapes.merge((steps,), (x.shape[0],)) or (None,)
        found = self._inferred(inputs)
        carries, rows = (
            [shape_only(found.get(y, y.spec)) for y in ys]
            for ys in (self.body.outputs[: self.carries], self.rows)
        )
        return (*carries, *(_stacked(steps, row) for row in rows))

    def _inferred(self, inputs: Sequence[Spec]) -> Mapping[Tensor, Spec]:
        """Return what is known of the body's tensors at any step."""
        state, xs, captures = self.parts(inputs)
        wider = list(map(shape_only, state))
        while True:
            state = wider
            found = self.body.inferred([*state, *map(_row, xs), *captures])
            after = [found.get(y, y.spec) for y in self.body.outputs]
            pairs = zip(state, after, strict=False)
            wider = [Spec(common(a.shape, b.shape), a.dtype) for a, b in pairs]
            if wider == state:
                return found

    def cut(self, wanted: Sequence[bool]) -> Cut:
        """Return what is left of the body if only some outputs are wanted."""
        key = tuple(wanted)
        if key not in self.body.cuts:
            rows = [i for i in range(self.carries, len(key)) if key[i]]
            stacked = [self.rows[i - self.carries] for i in rows]
            carried = self._needed(key, stacked)
            outputs = [*(self.body.outputs[i] for i in carried), *stacked]
            cut = Cut(self.body.with_outputs(outputs), tuple(carried), tuple(rows))
            self.body.cuts[key] = cut
        return self.body.cuts[key]

    def _needed(self, wanted: Sequence[bool], rows: Sequence[Tensor]) -> list[int]:
        """Return which carries are wanted, or needed for what is wanted."""
        body, count = self.body, self.carries
        needed = {i for i in range(count) if wanted[i]}
        while True:
            outputs = [*rows, *(body.outputs[i] for i in needed)]
            above = body.above(outputs)
            more = {i for i in range(count) if body.inputs[i].node in above}
            if more <= needed:
                return sorted(needed)
            needed |= more

    def run(
        self, run: Any, node: Node, wanted: Sequence[bool], *arrays: Array
    ) -> list[Any]:
        length, *inputs = arrays
        state, xs, captures = self.parts(inputs)
        cut = self.cut(wanted)
        steps, n = int(length), len(cut.carried)
        rows = _Rows(run.xp, steps, len(cut.rows))
        run.path.append(0)
        for t in reversed(range(steps)) if self.reverse else range(steps):
            run.path[-1] = t
            results = run.call(cut.body, [*state, *(x[t] for x in xs), *captures])
            rows.put(t, results[n:])
            for i, value in zip(cut.carried, results, strict=False):
                state[i] = value
        run.path.pop()
        specs = self.infer(*map(spec_of, arrays)) if not steps else ()
        outputs: list[Any] = [None] * len(node.outputs)
        for i in cut.carried:
            outputs[i] = state[i]
        for i, stacked in zip(cut.rows, rows.stacked, strict=True):
            outputs[i] = stacked if steps else _no_rows(run.xp, specs[i])
        return outputs

    def vjp(self, g: Any, y: Any, length: Tensor, *inputs: Tensor) -> list[Any]:
        _, xs, captures = self.parts(inputs)
        n, body = self.carries, self.body
        stacks = dict(zip([*self.rows, *body.inputs[n:]], [*y[n:], *xs], strict=True))
        pairs = zip(self.rows, g[n:], strict=True)
        arrived = [(row, h) for row, h in pairs if h is not None]
        back = Pullback(body, n, captures, stacks, arrived)
        ends = zip(y[:n], g[:n], strict=True)
        last = [
            zeros_like(h) if k is None else k
            for h, k in ends
            if h.dtype.is_differentiable
        ]
        final, rows = scan(
            back.step,
            (last, back.totals),
            back.rows,
            length=length,
            reverse=not self.reverse,
        )
        return [None, *back.gradients(final, rows)]


class _Rows:
    """Collects one row a step for each stacked output."""

    def __init__(self, xp: Any, steps: int, count: int) -> None:
        self.xp = xp
        self.steps = steps
        self.stacked: list[Any] = [None] * count

    def put(self, t: int, values: Sequence[Array]) -> None:
        """Enter the values of step `t`."""
        for i, value in enumerate(values):
            if self.stacked[i] is None:
                first = self.xp.asarray(value)
                self.stacked[i] = self.xp.empty((self.steps, *first.shape), first.dtype)
            self.stacked[i][t] = value


def _no_rows(xp: Any, spec: Spec) -> Array:
    return xp.zeros([n or 0 for n in spec.known], spec.dtype.as_numpy_dtype)


def _stacked(steps: int | None, row: Spec) -> Spec:
    return Spec(None if row.shape is None else (steps, *row.shape), row.dtype)


def _row(x: Spec) -> Spec:
    return Spec(None if x.shape is None else x.shape[1:], x.dtype)


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Return the last carry and the stacked outputs of ``carry, y = f(carry, x)``.

    Args:
        f: one step; its new carry has the structure, shapes and dtypes of `init`.
        init: the first carry, any nesting of tensors.
        xs: tensors to step through along their first axis, any nesting; None with
            `length` given.
        length: number of steps, needed if there are no `xs`.
        reverse: step from the last to the first; outputs stay in the order of `xs`.

    What `f` computes of tensors outside alone, as the same at each step, is computed
    once.

    Raises:
        ShapeError: if a carry changes its shape from step to step.
        ValueError: if neither `xs` nor `length` is given.
    """
    if xs is None and length is None:
        raise ValueError("scan: give xs to step through, or length")
    if not is_building() and not is_symbolic(tree.flatten((init, xs, length))):
        return _scan_now(f, init, xs, length, reverse)
    rows = [] if xs is None else [as_tensor(x) for x in tree.flatten(xs)]
    carry = [as_tensor(c) for c in tree.flatten(init)]
    form: list[Any] = []

    def step(*values: Any) -> list[Any]:
        row = None if xs is None else tree.pack_sequence_as(xs, values[len(carry) :])
        new, y = f(tree.pack_sequence_as(init, values[: len(carry)]), row)
        form[:] = [y]
        return [*tree.flatten(new), *(v for v in tree.flatten(y) if v is not None)]

    graph = current_graph() if is_building() else [*rows, *carry, length][0].graph
    with graph.as_default():
        row_specs = [_row(x.spec) for x in rows]
        body, carry = closed("scan", step, carry, row_specs)
        body.hoist()
        steps = as_tensor(
            _length(rows[0]) if length is None else length, as_dtype("int32")
        )
        made = Scan(body, len(carry), len(rows), reverse)
        outputs = made(steps, *carry, *rows, *body.captures)
    last = tree.pack_sequence_as(init, outputs[: len(carry)])
    ys = iter(outputs[len(carry) : len(body.outputs)])
    return last, tree.map_structure(lambda y: None if y is None else next(ys), form[0])


def _length(x: Tensor) -> Any:
    return shape(x)[0]


def closed(
    what: str,
    step: Callable[..., Values],
    carry: Sequence[Tensor],
    rows: Sequence[Spec],
) -> tuple[Body, list[Tensor]]:
    """Trace `step` with carries wide enough for the shapes it gives them back in."""
    carry = list(carry)
    specs = [shape_only(c.spec) for c in carry]
    while True:
        body = Body(step, [*specs, *rows])
        found = body.specs[: len(specs)]
        for i, (old, new) in enumerate(zip(specs, found, strict=True)):
            if old.dtype != new.dtype:
                raise DTypeError(
                    f"{what}: carry {i} starts as {old.dtype} and becomes {new.dtype}"
                )
        pairs = zip(specs, found, strict=True)
        wider = [Spec(common(a.shape, b.shape), a.dtype) for a, b in pairs]
        if wider == specs:
            return body, carry
        specs = wider


def _scan_now(
    f: Any, init: Any, xs: Any, length: Any, reverse: bool
) -> tuple[Any, Any]:
    """Scan over arrays at once."""
    steps = int(length) if length is not None else len(tree.flatten(xs)[0])
    carry, ys = init, []
    for t in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(
            carry,
            tree.map_structure(lambda x, t=t: x[t], xs) if xs is not None else None,
        )
        ys.append(y)
    if not ys:
        return carry, None
    ordered = ys[::-1] if reverse else ys
    return carry, tree.map_structure(
        lambda *rows: None if rows[0] is None else stack(rows, 0), *ordered
    )

"""Branches and loops as single operations whose bodies are graphs: cond, while, scan.

A body is traced once into a `Subgraph`; what it uses from outside it captures, and the
captures become inputs of the operation. Gradients are written with the same three
functions: a branch's gradient is a branch, a loop's is a scan that runs backwards over
the states which the forward scan has kept, and so gradients can be taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minikeras.engine import shapes, tree
from minikeras.engine.autodiff import gradients
from minikeras.engine.context import is_building
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Node, Subgraph, Tensor, current_graph, is_symbolic
from minikeras.engine.op import Op, as_tensor
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.joining import stack
from minikeras.engine.ops.replay import replay
from minikeras.engine.ops.reshaping import shape
from minikeras.engine.ops.state import Assign, placeholder
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["cond", "scan", "while_loop"]

Values = Sequence[Any]


class Body:
    """A traced function: inputs, outputs, and what it captured from outside."""

    def __init__(
        self,
        function: Callable[..., Values],
        specs: Sequence[Spec],
        repeats: bool = True,
        assigned: Iterable[Any] = (),
    ) -> None:
        self.graph = Subgraph(current_graph(), repeats)
        self.graph.assigned.update(assigned)
        with self.graph.as_default():
            self.inputs = [
                placeholder(s.dtype, s.shape, name="argument") for s in specs
            ]
            results = [as_tensor(y) for y in function(*self.inputs)]
            self.outputs = [self.graph.own(y) for y in results]
        self._plans: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<{len(self.graph.nodes)} nodes>"

    @property
    def captures(self) -> list[Tensor]:
        """The outside tensors that it uses."""
        return list(self.graph.captures)

    @property
    def specs(self) -> list[Spec]:
        """What is known of its outputs (their values differ from call to call)."""
        return [Spec(y.spec.shape, y.dtype) for y in self.outputs]

    def plan_for(self, make: Callable[..., Any], arrays: Sequence[Array]) -> Any:
        """Return the plan of the body for inputs and captures like `arrays`."""
        key = tuple([(x.shape, x.dtype) for x in arrays])
        plan = self._plans.get(key)
        if plan is None:
            feeds = [*self.inputs, *self.graph.captures.values()]
            specs = {
                t: Spec(x.shape, t.dtype) for t, x in zip(feeds, arrays, strict=True)
            }
            effects = [n for n in self.graph.nodes if isinstance(n.op, Assign)]
            plan = self._plans[key] = make([*self.outputs, *effects], specs)
        return plan

    def inline(self, inputs: Values, captures: Values) -> list[Any]:
        """Return its outputs computed in the current graph."""
        given = zip(self.inputs, inputs, strict=True)
        outside = zip(self.graph.captures.values(), captures, strict=True)
        return replay(self.outputs, dict([*given, *outside]))


def _differentiable(xs: Sequence[Any]) -> list[Any]:
    return [x for x in xs if x.dtype.is_differentiable]


def _pull_back(ys: Values, xs: Values, gs: Values) -> list[Any]:
    """Return the gradients of `xs`, zeros where there is none, from those of `ys`."""
    pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if g is not None]
    if not pairs:
        return [zeros_like(x) for x in xs]
    found = gradients([y for y, _ in pairs], list(xs), [g for _, g in pairs])
    return [zeros_like(x) if g is None else g for x, g in zip(xs, found, strict=True)]


def _scattered(xs: Sequence[Tensor], gs: Sequence[Any]) -> list[Any]:
    """Return a gradient for each of `xs`: None for integers, else the next of `gs`."""
    rest = iter(gs)
    return [next(rest) if x.dtype.is_differentiable else None for x in xs]


# -- cond ------------------------------------------------------------------------------


class Cond(Op, name="cond", eq=False):
    """y = then() if p else otherwise(); only the branch taken is run."""

    then: Body
    otherwise: Body
    stateful = True
    any_rank = True

    def infer(self, p: Spec, *captured: Spec) -> tuple[Spec, ...]:
        if p.shape not in ((), None):
            raise ShapeError(
                f"cond: the predicate is a scalar; got shape {shapes.show(p.shape)}"
            )
        return tuple(map(_either, self.then.specs, self.otherwise.specs))

    def run(
        self, run: Any, node: Node, p: Array, *captured: Array
    ) -> tuple[Array, ...]:
        split = len(self.then.captures)
        if bool(p):
            return tuple(run.call(self.then, captured[:split]))
        return tuple(run.call(self.otherwise, captured[split:]))

    def vjp(self, g: Any, y: Any, p: Tensor, *captured: Tensor) -> list[Any]:
        split = len(self.then.captures)
        first, second = captured[:split], captured[split:]

        def zeros(xs: Sequence[Tensor]) -> list[Any]:
            return [zeros_like(x) for x in _differentiable(xs)]

        def pull(body: Body, xs: Sequence[Tensor]) -> list[Any]:
            return _pull_back(body.inline((), xs), _differentiable(xs), g)

        found = cond(
            p,
            lambda: [*pull(self.then, first), *zeros(second)],
            lambda: [*zeros(first), *pull(self.otherwise, second)],
        )
        return [None, *_scattered(captured, found)]


def _either(a: Spec, b: Spec) -> Spec:
    """Return what is known of a value that is one of two."""
    if a.dtype != b.dtype:
        raise DTypeError(f"cond: one branch gives {a.dtype}, the other {b.dtype}")
    return Spec(_common(a.shape, b.shape), a.dtype)


def _common(a: Shape | None, b: Shape | None) -> Shape | None:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return ``true_fn()`` if the scalar `pred` holds, else ``false_fn()``.

    Both return values of the same structure and dtypes; shapes may differ. Only the
    branch taken is run, its assignments included.

    Raises:
        ValueError: if the two structures differ.
        DTypeError: if the two dtypes of an output differ.
    """
    if not is_symbolic(pred) and not is_building():
        return true_fn() if pred else false_fn()
    p = as_tensor(pred, as_dtype("bool"))
    forms: list[Any] = []

    def flat(branch: Callable[[], Any]) -> Callable[[], Values]:
        def call() -> Values:
            forms.append(branch())
            return tree.flatten(forms[-1])

        return call

    with p.graph.as_default() if not is_building() else current_graph().as_default():
        then, otherwise = (
            Body(flat(branch), (), repeats=False) for branch in (true_fn, false_fn)
        )
        if len(then.outputs) != len(otherwise.outputs):
            raise ValueError(
                "cond: the branches return different structures, "
                f"{len(then.outputs)} values against {len(otherwise.outputs)}"
            )
        outputs = Cond(then, otherwise)(p, *then.captures, *otherwise.captures)
    return tree.pack_sequence_as(forms[0], outputs)


# -- scan ------------------------------------------------------------------------------


class Scan(Op, name="scan", eq=False):
    """carry, y[t] = body(carry, x[t]) for each t; outputs carries, ys, kept carries.

    The kept carries, those with which each step began, are there for the gradient,
    and not computed unless it is taken.
    """

    body: Body
    carries: int
    xs: int
    reverse: bool = False
    stateful = True
    any_rank = True
    selective = True

    def infer(self, length: Spec, *inputs: Spec) -> tuple[Spec, ...]:
        steps = length.value[0] if length.value else None
        stacked = inputs[self.carries : self.carries + self.xs]
        for x in stacked:
            if x.shape is not None:
                if not x.shape:
                    raise ShapeError(
                        "scan: what is scanned needs a leading axis; got a scalar"
                    )
                (steps,) = shapes.merge((steps,), (x.shape[0],)) or (None,)
        carries = self.body.specs[: self.carries]
        rows = [
            *self.body.specs[self.carries :],
            *(x.spec for x in self.body.inputs[: self.carries]),
        ]
        return (*carries, *(_stacked(steps, row) for row in rows))

    def run(
        self, run: Any, node: Node, wanted: Sequence[bool], *arrays: Array
    ) -> list[Any]:
        length, *inputs = arrays
        state, xs, captures = self._parts(inputs)
        steps = int(length)
        rows = _Rows(
            run.xp, steps, node.outputs[self.carries :], wanted[self.carries :]
        )
        run.path.append(0)
        for t in reversed(range(steps)) if self.reverse else range(steps):
            run.path[-1] = t
            results = run.call(self.body, [*state, *(x[t] for x in xs), *captures])
            rows.put(t, [*results[self.carries :], *state])
            state = results[: self.carries]
        run.path.pop()
        return [*state, *rows.stacked]

    def _parts(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return carries, xs and captures."""
        first, second = self.carries, self.carries + self.xs
        return list(inputs[:first]), list(inputs[first:second]), list(inputs[second:])

    def vjp(self, g: Any, y: Any, length: Tensor, *inputs: Tensor) -> list[Any]:
        state, xs, captures = self._parts(inputs)
        n = len(self.body.outputs)
        g_final, g_rows, g_kept = g[: self.carries], g[self.carries : n], g[n:]
        kept = y[n:]
        flowing = _differentiable(state)
        shared = _differentiable(captures)
        final = [h for h in y[: self.carries] if h.dtype.is_differentiable]
        given = [
            h for h, s in zip(g_final, state, strict=True) if s.dtype.is_differentiable
        ]
        starts = [
            zeros_like(h) if g is None else g for h, g in zip(final, given, strict=True)
        ]
        present = [r for r in (*g_rows, *g_kept) if r is not None]

        def step(carry: Any, row: Any) -> tuple[Any, Any]:
            g_carry, totals = carry
            h, x, g_present = row
            rest = iter(g_present)
            outer = [None if r is None else next(rest) for r in (*g_rows, *g_kept)]
            outputs = [*self.body.inline([*h, *x], captures), *h]
            gs = [*_scattered(state, g_carry), *outer]
            sources = [*_differentiable(h), *_differentiable(x), *shared]
            found = _pull_back(outputs, sources, gs)
            a, b = len(flowing), len(flowing) + len(_differentiable(x))
            sums = [total + part for total, part in zip(totals, found[b:], strict=True)]
            return (found[:a], sums), found[a:b]

        (g_state, g_shared), g_xs = scan(
            step,
            (starts, [zeros_like(c) for c in shared]),
            (list(kept), xs, present),
            length=length,
            reverse=not self.reverse,
        )
        return [
            None,
            *_scattered(state, g_state),
            *_scattered(xs, g_xs),
            *_scattered(captures, g_shared),
        ]


class _Rows:
    """Collects one row a step for each stacked output that is wanted."""

    def __init__(
        self, xp: Any, steps: int, outputs: Sequence[Tensor], wanted: Sequence[bool]
    ) -> None:
        self.xp = xp
        self.steps = steps
        self.wanted = [i for i, use in enumerate(wanted) if use]
        self.stacked: list[Any] = [None] * len(outputs)
        if steps == 0:
            for i in self.wanted:
                row = outputs[i].spec.known[1:]
                self.stacked[i] = xp.zeros(
                    (0, *(n or 0 for n in row)), outputs[i].dtype.as_numpy_dtype
                )

    def put(self, t: int, values: Sequence[Array]) -> None:
        """Enter the values of step `t`."""
        for i in self.wanted:
            if self.stacked[i] is None:
                value = self.xp.asarray(values[i])
                self.stacked[i] = self.xp.empty((self.steps, *value.shape), value.dtype)
            self.stacked[i][t] = values[i]


def _stacked(steps: int | None, row: Spec) -> Spec:
    return Spec(None if row.shape is None else (steps, *row.shape), row.dtype)


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
        row_specs = [
            Spec(None if x.spec.shape is None else x.spec.shape[1:], x.dtype)
            for x in rows
        ]
        body, carry = _closed("scan", step, carry, row_specs)
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


def _closed(
    what: str,
    step: Callable[..., Values],
    carry: Sequence[Tensor],
    rows: Sequence[Spec],
) -> tuple[Body, list[Tensor]]:
    """Trace `step` with carries wide enough for the shapes it gives them back in."""
    carry = list(carry)
    specs = [Spec(c.spec.shape, c.dtype) for c in carry]
    while True:
        body = Body(step, [*specs, *rows])
        found = body.specs[: len(specs)]
        for i, (old, new) in enumerate(zip(specs, found, strict=True)):
            if old.dtype != new.dtype:
                raise DTypeError(
                    f"{what}: carry {i} starts as {old.dtype} and becomes {new.dtype}"
                )
        wider = [
            Spec(_common(a.shape, b.shape), a.dtype)
            for a, b in zip(specs, found, strict=True)
        ]
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


# -- while -----------------------------------------------------------------------------


class While(Op, name="while_loop", eq=False):
    """state = body(state) while test(state); outputs are state and number of steps."""

    test: Body
    body: Body
    limit: int | None
    stateful = True
    any_rank = True

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return (*self.body.specs, Spec((), as_dtype("int32")))

    def run(self, run: Any, node: Node, *arrays: Array) -> list[Any]:
        state, for_test, for_body = self._parts(arrays)
        steps = 0
        run.path.append(0)
        while self.limit is None or steps < self.limit:
            run.path[-1] = steps
            if not bool(run.call(self.test, [*state, *for_test])[0]):
                break
            state = run.call(self.body, [*state, *for_body])[: len(state)]
            steps += 1
        run.path.pop()
        return [*state, run.xp.asarray(steps, "int32")]

    def _parts(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the state, the test's captures and the body's."""
        n = len(self.body.inputs)
        m = n + len(self.test.captures)
        return list(inputs[:n]), list(inputs[n:m]), list(inputs[m:])

    def vjp(self, g: Any, y: Any, *inputs: Tensor) -> list[Any]:
        # The number of steps is known now, so the loop is a scan of that length.
        state, for_test, captures = self._parts(inputs)
        last, _ = scan(
            lambda carry, _: (self.body.inline(carry, captures), None),
            state,
            length=y[-1],
        )
        sources = [*state, *captures]
        found = _scattered(sources, _pull_back(last, _differentiable(sources), g[:-1]))
        return [*found[: len(state)], *[None] * len(for_test), *found[len(state) :]]


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` as long as ``cond(*loop_vars)`` holds.

    Args:
        cond: returns a scalar boolean.
        body: returns new loop variables of the same structure and dtypes.
        loop_vars: a list or tuple of (nested) tensors, or a single tensor.
        maximum_iterations: a bound on the number of steps.

    Raises:
        DTypeError: if a loop variable changes its dtype.
    """
    several = isinstance(loop_vars, (list, tuple))
    form = loop_vars if several else (loop_vars,)

    def packed(values: Values) -> Any:
        return tree.pack_sequence_as(form, values)

    def step(*values: Any) -> list[Any]:
        new = body(*packed(values))
        return tree.flatten(new)

    def test(*values: Any) -> list[Any]:
        return [as_tensor(cond(*packed(values)), as_dtype("bool"))]

    flat = tree.flatten(form)
    if not is_building() and not is_symbolic(flat):
        steps = 0
        while cond(*packed(flat)) and (
            maximum_iterations is None or steps < maximum_iterations
        ):
            flat, steps = step(*flat), steps + 1
        return packed(flat) if several else flat[0]
    state = [as_tensor(v) for v in flat]
    with (current_graph() if is_building() else state[0].graph).as_default():
        traced, state = _closed("while_loop", step, state, ())
        specs = [Spec(x.spec.shape, x.dtype) for x in traced.inputs]
        tested = Body(test, specs, assigned=traced.graph.assigned)
        made = While(tested, traced, maximum_iterations)
        *outputs, _ = made(*state, *tested.captures, *traced.captures)
    return packed(outputs) if several else outputs[0]

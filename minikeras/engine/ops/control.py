"""Branches and loops as single operations whose bodies are graphs: cond and while.

Gradients are written with the same functions: a branch's gradient is a branch, and that
of a loop, whose number of steps is known by then, is that of a `scan`. So gradients can
be taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.engine import shapes, tree
from minikeras.engine.autodiff import gradients
from minikeras.engine.context import is_building
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Node, Tensor, current_graph, is_symbolic
from minikeras.engine.op import Op, as_tensor
from minikeras.engine.ops.body import Body, Values, common
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.scan import closed, scan
from minikeras.engine.spec import Array, Spec

__all__ = ["cond", "while_loop"]


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
    return Spec(common(a.shape, b.shape), a.dtype)


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
        return packed(flat) if several else packed(flat)[0]
    state = [as_tensor(v) for v in flat]
    with (current_graph() if is_building() else state[0].graph).as_default():
        traced, state = closed("while_loop", step, state, ())
        specs = [Spec(x.spec.shape, x.dtype) for x in traced.inputs]
        tested = Body(test, specs, assigned=traced.graph.assigned)
        made = While(tested, traced, maximum_iterations)
        *outputs, _ = made(*state, *tested.captures, *traced.captures)
    return packed(outputs) if several else packed(outputs)[0]

"""The gradient of a loop: what of it must be a loop, and what can be done outside.

The gradient of one step is built in a graph inside the body's own. So it captures what
it uses of the step, and that, stacked, is what the loop must keep. The gradient of what
every step uses, such as a kernel, is a sum over steps. Where its terms are products
``a[t]T b[t]``, or sums of the rows of ``b[t]``, the steps put out a and b, and one
product, or one sum, over all of them is made outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from minikeras.engine.autodiff import gradients_between
from minikeras.engine.graph import Subgraph, Tensor
from minikeras.engine.op import as_tensor
from minikeras.engine.ops.arithmetic import AddN, add_n
from minikeras.engine.ops.body import Body, infer_again, is_complete
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.linalg import MatMul, labeled_product
from minikeras.engine.ops.reduction import SumLike, sum_like
from minikeras.engine.ops.replay import nodes_between, replay
from minikeras.engine.ops.reshaping import broadcast_to, shape
from minikeras.engine.ops.state import placeholder

__all__: list[str] = []

# Inputs of which only the shape counts, by the op's name.
_SHAPE_ONLY: dict[str, range] = {
    **dict.fromkeys(("ones_like", "rank", "shape", "size", "zeros_like"), range(1)),
    **dict.fromkeys(("broadcast_like", "mean_share", "reshape_like"), range(1, 2)),
    **dict.fromkeys(("scatter_selected", "sum_like"), range(1, 2)),
    "split_like": range(1, sys.maxsize),
    "label_sizes": range(sys.maxsize),
}

Total = Callable[[], Tensor]  # to be called when the loop has been built


class StepBack:
    """The gradient of one step of a loop, as a graph.

    Args:
        body: the step.
        carries: how many of its inputs and outputs are carried on.
        targets: further tensors of the body that have a gradient from outside.

    Attributes:
        seeds: stand for the gradients of the carries, then of the targets.
        origins: the tensor of the body that each captured one stands for.
        of_carries: gradients of the carries before the step.
        of_xs: gradients of the other inputs, None where there is none.
        of_captures: gradients of what the body captured, None where there is none.
        varying: what may differ from step to step.
        stackable: what differs in value at most, not in shape.
    """

    def __init__(self, body: Body, carries: int, targets: Sequence[Tensor]) -> None:
        self.graph = Subgraph(body.graph)
        before, after = body.inputs[:carries], body.outputs[:carries]
        ys = [*differentiable(after), *targets]
        with self.graph.as_default():
            self.seeds = [placeholder(y.dtype, y.spec.shape) for y in ys]
            sources = differentiable(body.feeds)
            found = gradients_between(ys, self.seeds, sources)
            self.of_carries = [
                found[x] if x in found else zeros_like(x)
                for x in differentiable(before)
            ]
        self.of_xs = [found.get(x) for x in body.inputs[carries:]]
        self.of_captures = [found.get(x) for x in body.feeds[len(body.inputs) :]]
        self.origins = {inner: x for x, inner in self.graph.captures.items()}
        self.varying = self._found_varying({*body.inputs, *body.computed})
        known = {y: body.sample.get(x, x.spec) for y, x in self.origins.items()}
        known |= {
            g: body.sample.get(y, y.spec) for g, y in zip(self.seeds, ys, strict=True)
        }
        infer_again(self.graph.nodes, known)
        self.stackable = {y for y in self.varying if is_complete(known.get(y, y.spec))}

    def _found_varying(self, moving: Container[Tensor]) -> set[Tensor]:
        varying = {y for y, x in self.origins.items() if x in moving}
        varying.update(self.seeds)
        for node in self.graph.nodes:
            free = node.op.stateful and node.op.name != "placeholder"
            if free or not varying.isdisjoint(node.inputs):
                varying.update(node.outputs)
        return varying

    def uses(self, outputs: Sequence[Tensor]) -> tuple[set[Tensor], set[Tensor]]:
        """Return of what `outputs` need the values, and of what only the shapes."""
        values, shapes = set(outputs), set()
        for node in nodes_between(outputs, ()):
            ignored = _SHAPE_ONLY.get(node.op.name, ())
            for i, x in enumerate(node.inputs):
                (shapes if i in ignored else values).add(x)
        return values, shapes - values


class Pullback:
    """All steps back through a loop, and what is left to do after them.

    Args:
        body: one step of the loop.
        carries: how many of its inputs and outputs are carried on.
        captures: what the loop was given for the body's captures.
        stacks: the rows, stacked, of each tensor of the body that may vary.
        arrived: some of these tensors, with the stacked gradients of their rows.

    Attributes:
        totals: what the sums that are made step by step start with.
        rows: the stacked inputs of the loop that goes back.
    """

    def __init__(
        self,
        body: Body,
        carries: int,
        captures: Sequence[Any],
        stacks: Mapping[Tensor, Any],
        arrived: Sequence[tuple[Tensor, Any]],
    ) -> None:
        self._body, self._carries, self._captures = body, carries, captures
        self._back = back = StepBack(body, carries, [y for y, _ in arrived])
        grads = [g for _, g in arrived]
        seeds = back.seeds[len(back.seeds) - len(grads) :]
        known = ((y, stacks[x]) for y, x in back.origins.items() if x in stacks)
        self._stacks = {**dict(known), **dict(zip(seeds, grads, strict=True))}
        self._stepwise: dict[Tensor, Any] = {}  # terms summed in the loop, by capture
        self._operands: dict[Tensor, None] = {}  # what is stacked to be summed outside
        self._outside = [
            None if g is None else self._total(g, c)
            for g, c in zip(back.of_captures, captures, strict=True)
        ]
        self.totals = [zeros_like(c) for c in self._stepwise.values()]
        wanted = [*self._operands, *(g for g in back.of_xs if g is not None)]
        self._put_out = [y for y in dict.fromkeys(wanted) if y not in self._stacks]
        self._choose_kept()
        self.rows = [*grads, *(stacks[x] for x in self._kept)]

    # -- sums over all steps -----------------------------------------------------------

    def _total(self, g: Tensor, capture: Any) -> Total:
        """Say how to sum `g` over all steps: outside the loop where that is cheaper."""
        if isinstance(g.node.op, AddN):
            parts = [self._total(x, capture) for x in g.node.inputs]
            return lambda: add_n([part() for part in parts])
        found = self._product(g) or self._sum_of_rows(g)
        if found is not None:
            return found
        self._stepwise[g] = capture
        return lambda: self._sums[g]

    def _product(self, g: Tensor) -> Total | None:
        """Say how to sum products of matrices: as one product, if `g` is such."""
        op, operands = g.node.op, g.node.inputs
        if not isinstance(op, MatMul) or any(x.ndim != 2 for x in operands):
            return None
        if not self._back.stackable.issuperset(operands):
            return None
        a, b = operands
        left = "tji" if op.transpose_a else "tij"
        right = "tkj" if op.transpose_b else "tjk"
        self._operands.update({a: None, b: None})
        return lambda: labeled_product(
            self._stacks[a], self._stacks[b], left, right, "ik"
        )

    def _sum_of_rows(self, g: Tensor) -> Total | None:
        """Say how to sum what is a sum itself: all at once."""
        if not isinstance(g.node.op, SumLike):
            return None
        x, like = g.node.inputs
        if like not in self._back.origins or like in self._back.varying:
            return None
        outer = self._back.origins[like]
        total = self._product(x)
        if total is not None:
            return lambda: sum_like(total(), *self._outside_of([outer]))
        shrinks = None not in (x.ndim, like.ndim) and x.ndim != like.ndim
        if not shrinks or x not in self._back.stackable:
            return None
        self._operands[x] = None
        return lambda: sum_like(self._stacks[x], *self._outside_of([outer]))

    def _outside_of(self, fixed: Sequence[Tensor]) -> list[Any]:
        """Return, in the current graph, tensors of the body that never differ."""
        return self._body.outside(fixed, self._captures)

    # -- the loop that goes back -------------------------------------------------------

    def _choose_kept(self) -> None:
        """Find out which values of the steps are used, and which of them to keep.

        Those whose shape may differ from step to step are computed again, from others.
        """
        back, body = self._back, self._body
        self._outputs = [*back.of_carries, *self._stepwise, *self._put_out]
        values, shapes = back.uses(self._outputs)
        likes = shapes & back.stackable & self._stacks.keys()
        self._likes = {
            y: _row_like(self._stacks[y]) for y in back.origins if y in likes
        }
        self._used = {
            y: x for y, x in back.origins.items() if y in values | shapes - likes
        }
        steady = {x for x in body.computed if is_complete(body.sample.get(x, x.spec))}
        ends = {*body.feeds, *steady}
        again = nodes_between(self._used.values(), ends)
        used = {*self._used.values(), *(x for node in again for x in node.inputs)}
        self._kept = [x for x in (*body.inputs, *body.computed) if x in used & ends]

    def step(self, carry: Any, rows: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Take one step of the loop that goes back, as `scan` wants it."""
        gs, totals = carry
        body, count = self._body, len(rows) - len(self._kept)
        outside = zip(body.feeds[len(body.inputs) :], self._captures, strict=True)
        known = {**dict(outside), **dict(zip(self._kept, rows[count:], strict=True))}
        values = zip(self._used, replay([*self._used.values()], known), strict=True)
        seeds = zip(self._back.seeds, [*gs, *rows[:count]], strict=True)
        found = replay(self._outputs, {**self._likes, **dict(values), **dict(seeds)})
        n, m = len(gs), len(gs) + len(totals)
        sums = [total + part for total, part in zip(totals, found[n:m], strict=True)]
        return (found[:n], sums), found[m:]

    def gradients(self, last: Any, rows: Sequence[Any]) -> list[Any]:
        """Return the gradients of carries, xs and captures, from what the loop gave."""
        gs, totals = last
        self._sums = dict(zip(self._stepwise, totals, strict=True))
        self._stacks.update(zip(self._put_out, rows, strict=True))
        rest = iter(gs)
        state = self._body.inputs[: self._carries]
        return [
            *(next(rest) if x.dtype.is_differentiable else None for x in state),
            *(None if g is None else self._stacks[g] for g in self._back.of_xs),
            *(None if total is None else total() for total in self._outside),
        ]


def differentiable(xs: Iterable[Tensor]) -> list[Tensor]:
    """Return those that can have a gradient."""
    return [x for x in xs if x.dtype.is_differentiable]


def _row_like(stack: Any) -> Tensor:
    """Return a value of the shape of one row, which takes no memory."""
    return broadcast_to(as_tensor(0, stack.dtype), shape(stack)[1:])

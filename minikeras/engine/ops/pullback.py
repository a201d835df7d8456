"""The gradient of a loop: what of it must be a loop, and what can be done outside.

The gradient of one step is built in a graph inside the body's own. So it captures what
it uses of the step, and that, stacked, is what the loop must keep. The gradient of what
every step uses, such as a kernel, is a sum over steps. Where its terms are products
``a[t]T b[t]``, or sums of the rows of ``b[t]``, the steps put out a and b, and one
product, or one sum, over all of them is made outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from minikeras.engine.autodiff import gradients_between
from minikeras.engine.graph import Subgraph, Tensor
from minikeras.engine.op import as_tensor
from minikeras.engine.ops.arithmetic import AddN, add_n
from minikeras.engine.ops.body import Body
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


class Pullback:
    """One step back through a loop's body, and what is left to do after all of them.

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
        self._graph = Subgraph(body.graph)
        with self._graph.as_default():
            self._differentiate([y for y, _ in arrived])
        self._origins = {inner: x for x, inner in self._graph.captures.items()}
        self._stacks = {y: stacks[x] for y, x in self._origins.items() if x in stacks}
        self._stacks.update(zip(self._row_seeds, (g for _, g in arrived), strict=True))
        self._varying = self._found_varying()
        self._stepwise: dict[Tensor, Any] = {}  # terms summed in the loop, by capture
        self._operands: dict[Tensor, None] = {}  # what is stacked to be summed outside
        self._outside = [
            None if g is None else self._total(g, c)
            for g, c in zip(self._of_captures, captures, strict=True)
        ]
        self.totals = [zeros_like(c) for c in self._stepwise.values()]
        wanted = {**self._operands, **{g: None for g in self._of_xs if g is not None}}
        self._put_out = [y for y in wanted if y not in self._stacks]
        self._choose_inputs()
        self.rows = [self._stacks[y] for y in (*self._row_seeds, *self._values)]

    def _differentiate(self, targets: Sequence[Tensor]) -> None:
        """Build the gradients of the body's inputs and captures."""
        n, body = self._carries, self._body
        after = _differentiable(body.outputs[:n])
        seeds = [placeholder(y.dtype, y.spec.shape) for y in (*after, *targets)]
        self._seeds, self._row_seeds = seeds[: len(after)], seeds[len(after) :]
        sources = _differentiable(body.feeds)
        found = gradients_between([*after, *targets], seeds, sources)
        before = _differentiable(body.inputs[:n])
        self._carried = [found[x] if x in found else zeros_like(x) for x in before]
        self._of_xs = [found.get(x) for x in body.inputs[n:]]
        self._of_captures = [found.get(x) for x in body.feeds[len(body.inputs) :]]

    def _found_varying(self) -> set[Tensor]:
        """Return what may differ from step to step."""
        varying = {*self._seeds, *self._stacks}
        for node in self._graph.nodes:
            free = node.op.stateful and node.op.name != "placeholder"
            if free or not varying.isdisjoint(node.inputs):
                varying.update(node.outputs)
        return varying

    # -- sums over all steps -----------------------------------------------------------

    def _total(self, g: Tensor, capture: Any) -> Total:
        """Say how to sum `g` over all steps: outside the loop if that is cheaper."""
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
        matrices = isinstance(op, MatMul) and all(x.spec.rank == 2 for x in operands)
        if not (matrices and self._varying.issuperset(operands)):
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
        if like not in self._origins or like in self._varying:
            return None
        total = self._product(x)
        if total is not None:
            return lambda: sum_like(total(), self._outer([like])[0])
        if None in (x.spec.rank, like.spec.rank) or x.spec.rank == like.spec.rank:
            return None
        self._operands[x] = None
        return lambda: sum_like(self._stacks[x], self._outer([like])[0])

    # -- the loop that goes back -------------------------------------------------------

    def _choose_inputs(self) -> None:
        """Find out what a step uses: of what varies the value or the shape only."""
        outputs = [*self._carried, *self._stepwise, *self._put_out]
        read, seen = set(outputs), set()
        for node in nodes_between(outputs, ()):
            ignored = _SHAPE_ONLY.get(node.op.name, ())
            for i, x in enumerate(node.inputs):
                (seen if i in ignored else read).add(x)
        used = [y for y in self._origins if y in read or y in seen]
        self._fixed = [y for y in used if y not in self._stacks]
        self._values = [y for y in used if y in self._stacks and y in read]
        self._likes = {
            y: _row_like(self._stacks[y])
            for y in used
            if y in self._stacks and y not in read
        }

    def _outer(self, inner: Iterable[Tensor]) -> list[Any]:
        """Return, in the current graph, what is the same at each step."""
        return self._body.outside([self._origins[y] for y in inner], self._captures)

    def step(self, carry: Any, rows: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Take one step of the loop that goes back, as `scan` wants it."""
        gs, totals = carry
        given = {
            **self._likes,
            **dict(zip(self._fixed, self._outer(self._fixed), strict=True)),
            **dict(zip(self._seeds, gs, strict=True)),
            **dict(zip((*self._row_seeds, *self._values), rows, strict=True)),
        }
        found = replay([*self._carried, *self._stepwise, *self._put_out], given)
        n, m = len(gs), len(gs) + len(totals)
        sums = [total + part for total, part in zip(totals, found[n:m], strict=True)]
        return (found[:n], sums), found[m:]

    def gradients(self, last: Any, rows: Sequence[Any]) -> list[Any]:
        """Return the gradients of carries, xs and captures, from what the loop gave."""
        gs, totals = last
        self._sums = dict(zip(self._stepwise, totals, strict=True))
        self._stacks.update(zip(self._put_out, rows, strict=True))
        of_carries = iter(gs)
        return [
            *(
                next(of_carries) if x.dtype.is_differentiable else None
                for x in self._body.inputs[: self._carries]
            ),
            *(None if g is None else self._stacks[g] for g in self._of_xs),
            *(None if total is None else total() for total in self._outside),
        ]


def _differentiable(xs: Iterable[Tensor]) -> list[Tensor]:
    return [x for x in xs if x.dtype.is_differentiable]


def _row_like(stack: Any) -> Tensor:
    """Return a value of the shape of one row, which takes no memory."""
    return broadcast_to(as_tensor(0, stack.dtype), shape(stack)[1:])

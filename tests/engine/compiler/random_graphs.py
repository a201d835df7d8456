"""Random graphs: what hypothesis draws to compare compiled plans with plain runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.graph import Graph, Tensor
from minikeras.engine.variables import Variable

# All exact in floating point but for rounding, and the same whatever the order.
EXACT_UNARY = (
    ops.negative,
    ops.absolute,
    ops.square,
    ops.relu,
    ops.floor,
    ops.sign,
    lambda x: ops.sqrt(ops.absolute(x)),
    lambda x: ops.cast(ops.greater(x, 0.25), "float32"),
    lambda x: ops.cast(ops.cast(ops.clip(x, -100, 100), "int32"), "float32"),
    lambda x: ops.where(ops.less(x, 0.0), x * 0.5, x),
    lambda x: x * 1.0,
    lambda x: x / 3.0,
    lambda x: x + x,
    ops.leaky_relu,
    ops.stop_gradient,
)
ROUGH_UNARY = (
    ops.tanh,
    ops.sigmoid,
    ops.softplus,
    lambda x: ops.exp(ops.minimum(x, 3.0)),
    lambda x: ops.log(ops.absolute(x) + 1.0),
    lambda x: ops.softmax(x, -1) if rank_of(x) else x,
    lambda x: ops.log_softmax(x, -1) if rank_of(x) else x,
)
BINARY = (
    ops.add,
    ops.subtract,
    ops.multiply,
    ops.maximum,
    ops.minimum,
    lambda x, y: x / (ops.absolute(y) + 1.0),
    lambda x, y: ops.where(x > y, x, y * 2.0),
)
REDUCTIONS = (ops.max, ops.min, ops.sum, ops.mean)


def rank_of(x: Tensor) -> int:
    return len(x.spec.known)


class Drawn:
    """A graph, what to feed it and what to ask of it."""

    def __init__(self, draw: Callable[[Any], Any], exact: bool) -> None:
        self.draw = draw
        self.exact = exact
        self.graph = Graph()
        rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 20))
        self.shapes = [(rows, columns), (columns,), (rows, 1), (), (2, rows, columns)]
        seed = draw(st.integers(0, 2**32 - 1))
        self.rng = np.random.default_rng(seed)
        with self.graph.as_default():
            self.placeholders = [ops.placeholder("float32", s) for s in self.shapes]
            self.variables = [
                Variable(self.array(s), name=f"v{i}", dtype="float32")
                for i, s in enumerate(self.shapes[:2])
            ]
            self.tensors: list[Tensor] = [*self.placeholders]
            self.tensors += [ops.read(v.handle) for v in self.variables]
            for _ in range(draw(st.integers(1, 25))):
                self.step()
            count = draw(st.integers(1, 4))
            self.fetches: list[Any] = [self.any() for _ in range(count)]
            self.updates = [
                ops.assign(v.handle, self.fitted(self.any(), s))
                for v, s in zip(self.variables, self.shapes[:2], strict=True)
                if draw(st.booleans())
            ]
            if not exact and draw(st.booleans()):
                total = ops.sum(ops.tanh(self.any()))
                found = gradients(total, [*self.placeholders, *self.tensors[5:7]])
                self.fetches += [g for g in found if g is not None]

    def array(self, shape: Any) -> np.ndarray[Any, Any]:
        """Return an array of numbers with few digits, so that many ties occur."""
        return (self.rng.integers(-16, 17, shape) / 8).astype("float32")

    def feeds(self) -> dict[Any, Any]:
        """Return new values for all placeholders."""
        return {
            p: self.array(s)
            for p, s in zip(self.placeholders, self.shapes, strict=True)
        }

    def any(self) -> Tensor:
        """Draw one of the tensors there are, rather a late one."""
        back = self.draw(st.integers(1, len(self.tensors)))
        return self.tensors[-back]

    def fitted(self, x: Tensor, shape: Any) -> Tensor:
        """Return a tensor of this shape made of `x`."""
        return ops.max(ops.clip(x, -8.0, 8.0)) * 0.5 + ops.zeros(shape, "float32")

    def step(self) -> None:
        """Add a node, or a few."""
        kinds = (
            self.unary,
            self.unary,
            self.binary,
            self.binary,
            self.total,
            self.moved,
            self.joined,
        )
        made = self.draw(st.sampled_from(kinds))()
        if made is not None:
            self.tensors.append(made)

    def unary(self) -> Tensor:
        functions = EXACT_UNARY if self.exact else EXACT_UNARY + ROUGH_UNARY
        return self.draw(st.sampled_from(functions))(self.any())

    def binary(self) -> Tensor | None:
        x, y = self.any(), self.any()
        try:
            np.broadcast_shapes(x.spec.known, y.spec.known)  # type: ignore[arg-type]
        except ValueError:
            y = x
        return ops.clip(self.draw(st.sampled_from(BINARY))(x, y), -64.0, 64.0)

    def total(self) -> Tensor | None:
        x = self.any()
        if not rank_of(x):
            return None
        function = self.draw(st.sampled_from(REDUCTIONS[: 2 if self.exact else 4]))
        axes = self.draw(st.sets(st.integers(0, rank_of(x) - 1), min_size=1))
        return function(x, tuple(axes), self.draw(st.booleans()))

    def moved(self) -> Tensor | None:
        x = self.any()
        rank = rank_of(x)
        if not rank:
            return None
        kind = self.draw(
            st.sampled_from(("transpose", "reshape", "slice", "flip", "expand"))
        )
        if kind == "transpose":
            return ops.transpose(x, self.draw(st.permutations(range(rank))))
        if kind == "reshape":
            return ops.reshape(x, (-1,))
        if kind == "flip":
            return ops.flip(x, self.draw(st.integers(0, rank - 1)))
        if kind == "expand":
            return ops.expand_dims(x, self.draw(st.integers(0, rank)))
        return x[
            (
                ...,
                slice(self.draw(st.integers(0, int(x.spec.known[-1] or 1) - 1)), None),
            )
        ]

    def joined(self) -> Tensor | None:
        x = self.any()
        if not rank_of(x):
            return None
        axis = self.draw(st.integers(0, rank_of(x) - 1))
        return ops.concatenate([x, ops.negative(x)], axis)

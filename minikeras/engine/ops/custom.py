"""Gradients by a rule of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Tensor, graph_of
from minikeras.engine.op import Op, as_tensor
from minikeras.engine.ops.body import Body, Values
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.spec import Array, Spec

__all__ = ["with_gradient"]


class CustomGradient(Op, name="custom_gradient", eq=False):
    """y = the first inputs, whose gradient goes, by a rule, to those after them.

    What the rule uses besides are the last inputs. So the operation can be repeated
    elsewhere with other ones.
    """

    count: int
    rule: Body
    any_rank = True

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return inputs[: self.count]

    def kernel(self, xp: ModuleType, *inputs: Array) -> tuple[Array, ...]:
        return inputs[: self.count]

    def vjp(self, g: Any, y: Any, *inputs: Tensor) -> list[Tensor | None]:
        first = self.count + len(self.rule.outputs)
        arrived = zip(g, y, strict=True)
        gs = [zeros_like(x) if h is None else h for h, x in arrived]
        found = self.rule.inline(gs, inputs[first:])
        pairs = zip(found, inputs[self.count : first], strict=True)
        slopes = [h if x.dtype.is_differentiable else None for h, x in pairs]
        rest = len(inputs) - first
        return [*[None] * self.count, *slopes, *[None] * rest]


def with_gradient(
    ys: Sequence[Any], xs: Sequence[Any], rule: Callable[..., Values]
) -> list[Tensor]:
    """Return `ys` as values whose gradient goes to `xs`, by a rule.

    Args:
        ys: what was computed of `xs`, in whatever way.
        xs: tensors.
        rule: returns the gradients of `xs`, each None if there is none, given those of
            `ys`.

    Raises:
        GradientError: if it returns another number of gradients.
    """
    given = [as_tensor(x) for x in xs]

    def complete(*gs: Tensor) -> Values:
        found = rule(*gs)
        if len(found) != len(given):
            raise GradientError(
                f"custom_gradient: {len(given)} arguments, {len(found)} gradients"
            )
        pairs = zip(found, given, strict=True)
        return [zeros_like(x) if g is None else g for g, x in pairs]

    with graph_of([*given, *ys]).as_default():
        values = [as_tensor(y) for y in ys]
        traced = Body(complete, [y.spec for y in values], repeats=False)
        made = CustomGradient(len(values), traced)
        return list(made(*values, *given, *traced.captures))

"""The table of rules: how each of the engine's operations is said in ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.graph import Node, Tensor
from minikeras.export.emission import Ref, UnsupportedError

__all__ = ["RULES", "Rule", "axes_of", "rank", "rule", "scalar"]

Rule = Callable[..., Any]
F = TypeVar("F", bound=Rule)

# By the name of an operation: a function of the emission, the node, and what stands
# for its inputs, which returns what stands for its output, or for each of several.
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[F], F]:
    """Enter a function as the rule of operations with these names."""

    def enter(function: F) -> F:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def rank(x: Tensor) -> int:
    """Return how many axes a tensor has.

    Raises:
        UnsupportedError: if that is not known.
    """
    if x.spec.shape is None:
        raise UnsupportedError(f"the number of axes of {x} is not known")
    return len(x.spec.shape)


def axes_of(node: Node) -> list[int]:
    """Return the axes that a node is about, counted from the front."""
    axis: Any = node.op.axis  # type: ignore[attr-defined]
    given = (axis,) if isinstance(axis, int) else axis
    return sorted(shapes.axes_of(given, rank(node.inputs[0])))


def scalar(value: Any, node: Node) -> Ref:
    """Return a number of the kind that a node computes with."""
    return np.asarray(value, node.inputs[0].dtype.as_numpy_dtype)

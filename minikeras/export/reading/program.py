"""A graph of ONNX as a function of tensors: its nodes in order, each by a rule.

A rule computes with the engine's operations. Of tensors these make a graph, of arrays
they compute at once, so that what a file computes of constants is constant here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from minikeras import backend as K
from minikeras.engine.context import is_lazy, lazily
from minikeras.engine.errors import EngineError
from minikeras.engine.graph import is_symbolic
from minikeras.export.emission import UnsupportedError
from minikeras.export.library import onnx
from minikeras.saving.limits import FLOOR, CorruptFileError, ModelFileError

__all__ = ["RULES", "Program", "Step", "enter", "known"]

Rule = Callable[..., Any]
F = TypeVar("F", bound=Rule)

# By the kind of node: a function of the node and its inputs.
RULES: dict[str, Rule] = {}

ML = "ai.onnx.ml"
DOMAINS = {"", "ai.onnx", ML}


def enter(*kinds: str) -> Callable[[F], F]:
    """Enter a function as the rule for nodes of these kinds."""

    def entered(function: F) -> F:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return entered


def known(x: Any) -> Any:
    """Return the value of a tensor as an array, None if only the run will tell."""
    if not is_symbolic(x):
        return np.asarray(x)
    spec = x.__as_tensor__().spec
    if spec.value is None or None in spec.value or spec.shape is None:
        return None
    return np.array(spec.value).reshape(-1 if spec.shape else ())


class Step:
    """A node of a file, ready to be computed.

    Args:
        node: as the file has it.
        opset: the version of its operators.
        inner: makes programs of the graphs among its attributes.

    Raises:
        UnsupportedError: if there is no rule for it.
    """

    def __init__(self, node: Any, opset: int, inner: Callable[[Any], Program]) -> None:
        self.kind = node.op_type
        self.name = node.name or (node.output[0] if node.output else "")
        self.opset = opset
        self.inputs = list(node.input)
        self.outputs = list(node.output)
        self.attributes = {
            a.name: _plain(onnx().helper.get_attribute_value(a), inner)
            for a in node.attribute
        }
        self.rule = RULES.get(self.kind) if node.domain in DOMAINS else None
        if self.rule is None:
            domain = f" of {node.domain!r}" if node.domain else ""
            raise UnsupportedError(
                f"node '{self.name}': {self.kind}{domain} is not among the operators "
                "that can be read"
            )

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def constant(self, x: Any, what: str) -> Any:
        """Return the value of an input that must be known before the run.

        Raises:
            UnsupportedError: if it is not.
        """
        value = known(x)
        if value is None:
            raise UnsupportedError(f"{self.kind}: {what} must be a constant")
        return value

    def integers(self, name: str, given: Sequence[Any], place: int) -> Any:
        """Return integers that old versions have as an attribute, new ones as input.

        None if they are missing.
        """
        if len(given) > place and given[place] is not None:
            return [int(n) for n in self.constant(given[place], name).reshape(-1)]
        return self.get(name)

    def __call__(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the outputs for inputs, of which those left out are None."""
        try:
            made = self._made(inputs)
        except (UnsupportedError, ModelFileError, EngineError) as error:
            kind = ValueError if isinstance(error, EngineError) else type(error)
            raise kind(f"node '{self.name}' ({self.kind}): {error}") from error
        return made if isinstance(made, (tuple, list)) else [made]

    def _made(self, inputs: Sequence[Any]) -> Any:
        """Return what the rule does, unless it would fill the memory with constants."""
        rule: Any = self.rule
        controls = any(isinstance(v, Program) for v in self.attributes.values())
        if not (controls or is_lazy() or any(map(is_symbolic, inputs))):
            with K.separate_graph() as graph, lazily():
                rule(self, *inputs)
            sizes = (
                math.prod(y.spec.shape or ()) * y.dtype.size for y in _made_in(graph)
            )
            if sum(sizes) > FLOOR:
                raise ModelFileError("constants that are computed would be too large")
        return rule(self, *inputs)


def _made_in(graph: Any) -> Any:
    """Yield what a graph computes."""
    return (
        y for node in graph.nodes for y in node.outputs if None not in (y.shape or ())
    )


def _plain(value: Any, inner: Callable[[Any], Program]) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx().GraphProto):
        return inner(value)
    if isinstance(value, onnx().TensorProto):
        return onnx().numpy_helper.to_array(value)
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [v.decode() for v in value]
    return value


def _named(values: Mapping[str, Any], name: str, step: Step) -> Any:
    """Return the value of a name; the empty one is of an input that is left out."""
    if name and name not in values:
        raise CorruptFileError(
            f"node '{step.name}' ({step.kind}) uses {name!r}, which nothing makes"
        )
    return values[name] if name else None


class Program:
    """A graph of a file as a function.

    Args:
        graph: as the file has it.
        opset: the version of its operators.
    """

    def __init__(self, graph: Any, opset: int) -> None:
        self.inputs = [x.name for x in graph.input]
        self.outputs = [y.name for y in graph.output]
        self.constants = {
            t.name: onnx().numpy_helper.to_array(t) for t in graph.initializer
        }
        self.steps = [
            Step(node, opset, lambda g: Program(g, opset)) for node in graph.node
        ]
        self.surroundings: Mapping[str, Any] = {}

    def __call__(self, inputs: Sequence[Any], around: Mapping[str, Any]) -> list[Any]:
        """Return the outputs.

        Args:
            inputs: values for its inputs, in order.
            around: values by names that it may use besides.
        """
        values = {**around, **self.constants}
        values.update(zip(self.inputs, inputs, strict=False))
        for step in self.steps:
            given = [_named(values, name, step) for name in step.inputs]
            for inner in step.attributes.values():
                if isinstance(inner, Program):
                    inner.surroundings = values
            made = step(given)
            values.update(zip(step.outputs, made, strict=False))
        return [values[name] for name in self.outputs]

"""From the engine's graph to nodes of ONNX: prune, compute what is known, say the rest.

There is one rule for each of the engine's operations, and none for layers. What depends
on no input of the model is computed when the file is written, unless it would take much
more room than what it is computed of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.engine import devices
from minikeras.engine.graph import Node, Tensor
from minikeras.export.emission import Emission, Ref, UnsupportedError

__all__ = ["needed", "translate"]

SMALL = 4096  # bytes that may be added to a file without asking what they come from
TINY = 256  # bytes of what may be a setting, such as sizes or axes


def needed(outputs: Sequence[Tensor]) -> list[Node]:
    """Return the nodes that tensors of one graph depend on, in order of creation."""
    found: set[Node] = set()
    frontier = [y.node for y in outputs]
    while frontier:
        node = frontier.pop()
        if node not in found:
            found.add(node)
            frontier.extend(x.node for x in node.inputs)
    return sorted(found, key=lambda node: node.index)


def translate(e: Emission, outputs: Sequence[Tensor]) -> list[Ref]:
    """Return what stands for tensors, having added all nodes that they need.

    Raises:
        UnsupportedError: if there is no way to say an operation in ONNX.
    """
    nodes = needed(outputs)
    e.wanted.update(outputs, *(node.inputs for node in nodes))
    outer = e.scope
    for node in nodes:
        if not all(y in e.values for y in node.outputs):
            e.scope = f"{outer}/{node.name}" if outer else node.name
            made = _made(e, node)
            pairs = zip(node.outputs, made, strict=True)
            e.values.update(pair for pair in pairs if pair[1] is not None)
    e.scope = outer
    return [e.values[y] for y in outputs]


def _made(e: Emission, node: Node) -> Sequence[Any]:
    """Return what stands for the outputs of a node, given that of its inputs."""
    inputs = [e.values[x] for x in node.inputs]
    rule = e.file.rules.get(node.op.name)
    known = _known(e, node, inputs)
    if known is not None and (rule is None or _is_small(known, inputs)):
        return known
    if rule is None:
        raise UnsupportedError(
            f"{node.type} cannot be exported to ONNX: {_reason(node)}; {node.place}"
        )
    if known is not None:  # but it would be large: let a node make it of its inputs
        inputs = [e.name(x) if getattr(x, "nbytes", 0) > TINY else x for x in inputs]
    try:
        found = rule(e, node, *inputs)
    except UnsupportedError as error:
        raise UnsupportedError(f"{error}; {node.place}") from None
    return found if node.several else [found]


def _known(e: Emission, node: Node, inputs: Sequence[Ref]) -> Sequence[Any] | None:
    """Return the values of a node's outputs, None if they depend on the model's input.

    A random number is one that differs from run to run: none is known.
    """
    op: Any = node.op
    if op.name == "constant":
        return [devices.to_host(op.value)]
    if op.name == "read_variable":
        return [_of_variable(e, op.handle)]
    if op.stateful or _is_random(node):
        return None
    stated = [_stated(y) for y in node.outputs]
    if all(value is not None for value in stated):
        return stated
    if not all(isinstance(x, np.ndarray) for x in inputs):
        return None
    with np.errstate(all="ignore"):
        found = op.kernel(np, *inputs)
    each = found if node.several else [found]
    return [np.asarray(y, x.dtype.as_numpy_dtype) for y, x in _zip(each, node.outputs)]


def _zip(values: Sequence[Any], tensors: Sequence[Tensor]) -> Any:
    return zip(values, tensors, strict=True)


def _of_variable(e: Emission, handle: Any) -> Any:
    """Return the value of a variable; in the file it has the variable's name."""
    key = ("variable", handle)
    if key not in e.file.memory:
        value = devices.to_host(handle.value_in(K.get_session().values))
        e.file.call(value, handle.name)
        e.file.memory[key] = value
    return e.file.memory[key]


def _stated(y: Tensor) -> Any:
    """Return the value that the spec of a tensor states, None if it does not."""
    value, shape = y.spec.value, y.spec.shape
    if value is None or None in value or shape is None:
        return None
    return np.array(value, y.dtype.as_numpy_dtype).reshape(-1 if shape else ())


def _is_small(values: Sequence[Any], inputs: Sequence[Any]) -> bool:
    """Whether values take hardly more room in a file than what they come from."""
    size = sum(value.nbytes for value in values)
    return (
        size <= max(SMALL, sum(getattr(x, "nbytes", 0) for x in inputs)) or not inputs
    )


def _is_random(node: Node) -> bool:
    return type(node.op).__module__.endswith((".sampling", ".distributions"))


def _reason(node: Node) -> str:
    if _is_random(node):
        return "a file has no random state"
    if node.op.name in ("python_function", "py_func"):
        return "it calls a Python function"
    if node.op.name == "assign":
        return "a file has no variables"
    return "ONNX has no such operation"

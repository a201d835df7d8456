"""From a function on tensors to an ONNX file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.engine.graph import Tensor
from minikeras.export.emission import Emission, File
from minikeras.export.library import element_of, onnx
from minikeras.export.rules import RULES
from minikeras.export.signatures import input_names
from minikeras.export.translation import translate
from minikeras.layers import Layer

__all__ = ["DEFAULT_OPSET", "FIRST_OPSET", "model_proto"]

FIRST_OPSET = 13  # from here on, axes are inputs
DEFAULT_OPSET = 18
LARGEST = (1 << 31) - 1  # what a file of protobuf may hold, in bytes


def model_proto(
    function: Callable[..., Any],
    signature: Sequence[Any],
    opset: int | None = None,
    name: str = "model",
    output_names: Sequence[str] | None = None,
) -> Any:
    """Return a function, traced for a signature, as a model of ONNX.

    Args:
        function: of tensors.
        signature: an `InputSpec`, or several in any nesting, for each argument.
        opset: the version of ONNX's operators.
        name: of the graph.
        output_names: what flat outputs are called, if there are as many; by default
            the keys of a dict, or numbers.

    Raises:
        UnsupportedError: if something in it cannot be said in ONNX.
        ValueError: if there is no such version, or the model is too large.
    """
    opset = checked_opset(opset)
    specs = tree.flatten(signature)
    inputs, outputs, changed = _traced(function, signature)
    e = Emission(File(opset, RULES))
    names = [e.file.unique(n) for n in input_names(specs)]
    e.values.update(zip(inputs, names, strict=True))
    leaves = tree.flatten(outputs)
    fits = output_names is not None and len(output_names) == len(leaves)
    called = output_names if fits else _named(outputs)
    wanted = [e.file.unique(n) for n in called or ()]
    found = translate(e, leaves)
    for ref, label in zip(found, wanted, strict=True):
        e.named(ref, label)
    assert_is_pure(changed)
    if e.file.size > LARGEST:
        raise ValueError(
            f"The model has {e.file.size:,} bytes of weights, and an ONNX file holds "
            f"{LARGEST:,}."
        )
    arguments = [_declared(n, s) for n, s in zip(names, specs, strict=True)]
    results = [e.declared(n, y.spec) for n, y in zip(wanted, leaves, strict=True)]
    return _assembled(e, name, arguments, results)


def checked_opset(opset: int | None) -> int:
    """Return a version of ONNX's operators, by default one that is widely read.

    Raises:
        ValueError: if it is too old, or too new for the library.
    """
    newest = onnx().defs.onnx_opset_version()
    if opset is None:
        return min(DEFAULT_OPSET, newest)
    if not isinstance(opset, int) or not FIRST_OPSET <= opset <= newest:
        raise ValueError(
            f"`opset_version` is between {FIRST_OPSET} and {newest}, the newest that "
            f"the installed onnx knows. Received: opset_version={opset}"
        )
    return opset


def _traced(function: Any, signature: Any) -> tuple[list[Tensor], Any, list[Any]]:
    """Return inputs and outputs of a traced function, and the variables it assigns.

    A model or a layer is written as it predicts.
    """
    if isinstance(function, Layer):
        function = partial(function, training=False)
    with K.tracing() as trace:
        arguments = tree.map_structure(_placeholder, signature)
        outputs = tree.map_structure(K.convert_to_tensor, function(*arguments))
    return tree.flatten(arguments), outputs, trace.handles


def _placeholder(spec: Any) -> Tensor:
    return K.placeholder(shape=spec.shape, dtype=spec.dtype, name=spec.name or "input")


def assert_is_pure(changed: Sequence[Any]) -> None:
    """Demand that no variable was assigned: an ONNX file has none.

    Raises:
        ValueError: if one was.
    """
    if changed:
        names = ", ".join(sorted(handle.name for handle in changed))
        raise ValueError(
            f"Calling the model changes variables ({names}), and an ONNX file has no "
            "state: export a model whose layers are not `stateful`."
        )


def _named(outputs: Any) -> Iterator[str]:
    """Yield a name for each of the outputs."""
    numbers = itertools.count()
    for path, _ in tree.flatten_with_path(outputs):
        keys = [str(key) for key in path if isinstance(key, str)]
        yield ".".join(keys) if keys else f"output_{next(numbers)}"


def _declared(name: str, spec: Any) -> Any:
    """Return the description of an input, the unknown sizes of which have names."""
    sizes = [
        size if size is not None else "batch" if axis == 0 else f"{name}_dim_{axis}"
        for axis, size in enumerate(spec.shape)
    ]
    return onnx().helper.make_tensor_value_info(name, element_of(spec.dtype), sizes)


def _assembled(e: Emission, name: str, inputs: Any, outputs: Any) -> Any:
    helper = onnx().helper
    graph = helper.make_graph(e.nodes, name, inputs, outputs, e.file.initializers)
    opsets = [helper.make_opsetid("", e.opset)]
    model = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="minikeras",
        producer_version=_version(),
    )
    onnx().checker.check_model(model)
    return model


def _version() -> str:
    try:
        return version("minikeras")
    except PackageNotFoundError:  # it runs from a copy of its sources
        return ""

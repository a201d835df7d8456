"""`from_onnx`: a model that computes what a file says, with weights of its own."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.library import dtype_of_element, onnx
from minikeras.export.onnx_files import WEIGHT, opened
from minikeras.export.reading import Program
from minikeras.layers import Input, Layer
from minikeras.models import Model

__all__ = ["ONNXGraph", "from_onnx"]

FIRST_OPSET = 7  # from here on, operands broadcast as in NumPy

# Inputs that are settings rather than weights, though they are real numbers.
SETTINGS = {
    "Clip": {1, 2},
    "ConstantOfShape": {0},
    "OneHot": {1, 2},
    "Pad": {1, 2},
    "Range": {0, 1, 2},
    "Resize": {1, 2, 3},
    "Upsample": {1},
}
FIXED = {"BatchNormalization": {3, 4}}  # moving means and variances


def from_onnx(filepath: Any, name: str | None = None) -> Model:
    """Return the model in an ONNX file.

    Its inputs and outputs are those of the file: one, or a dict by their names if there
    are several. Arrays of real numbers become weights, which can be trained; what moves
    and is not trained in batch normalization is not trained here either. Axes lie as
    in the file: images mostly have their channels first.

    Args:
        filepath: of the file; or its content as bytes, or a binary file.
        name: of the model; by default that of the graph.

    Raises:
        ImportError: if `onnx` is not installed.
        CorruptFileError: if it is no ONNX file, or a broken one.
        ModelFileError: if it asks for what a model's file must not do.
        UnsupportedError: if it has an operator that cannot be read.

    Example:
        >>> model = from_onnx("model.onnx")  # doctest: +SKIP
        >>> model.predict(x)  # doctest: +SKIP
    """
    proto = _inlined(opened(filepath))
    values = _weights(proto)
    layer = ONNXGraph(_encoded(proto))
    inputs = {
        x.name: Input(batch_shape=_shape(x), dtype=_dtype(x), name=_simple(x.name))
        for x in layer.arguments
    }
    if not inputs:
        raise UnsupportedError("the graph has no inputs: it is a constant, no model")
    given = next(iter(inputs.values())) if len(inputs) == 1 else inputs
    called = name or _simple(proto.graph.name) or K.auto_name("onnx")
    model = Model(given, layer(given), name=called)
    K.batch_set_value(list(zip(layer.arrays.values(), values, strict=True)))
    return model


def _inlined(proto: Any) -> Any:
    """Return a model whose own functions are written out where they are used."""
    if not proto.functions:
        return proto
    return importlib.import_module("onnx.inliner").inline_local_functions(proto)


def _weights(proto: Any) -> list[Any]:
    """Take the weights out of a model: return their values, and leave their shapes."""
    found = []
    for tensor in _trained(proto.graph):
        found.append(onnx().numpy_helper.to_array(tensor))
        for field in ("raw_data", "float_data", "double_data", "int32_data"):
            tensor.ClearField(field)
        tensor.doc_string = WEIGHT
    return found


def _trained(graph: Any) -> list[Any]:
    """Return the arrays of a graph that are weights: of real numbers, and no settings.

    Those that a body of a loop uses are among them.
    """
    settings = {name for node in _nodes(graph) for name in _settings(node)}
    return [
        t
        for t in graph.initializer
        if t.name not in settings
        and t.dims
        and dtype_of_element(t.data_type).is_floating
    ]


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _settings(node: Any, table: Mapping[str, set[int]] = SETTINGS) -> Iterable[str]:
    places = table.get(node.op_type, ())
    return (node.input[i] for i in places if i < len(node.input))


class ONNXGraph(Layer):
    """A graph of ONNX as a layer; `from_onnx` makes it.

    Args:
        graph: the model of ONNX in base64, but for the values of its weights.
    """

    def __init__(self, graph: str, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.graph = graph
        proto = opened(base64.b64decode(graph), is_emptied=True)
        opsets = {entry.domain: entry.version for entry in proto.opset_import}
        version = opsets.get("", opsets.get("ai.onnx", 1))
        if "" in opsets and version < FIRST_OPSET:
            raise UnsupportedError(
                f"the file has operators of version {version}; {FIRST_OPSET} is the "
                "oldest that can be read"
            )
        stored = {t.name: t for t in proto.graph.initializer}
        self._stored = {k: t for k, t in stored.items() if t.doc_string == WEIGHT}
        fixed = {n for node in _nodes(proto.graph) for n in _settings(node, FIXED)}
        self._fixed = fixed
        self.arguments = [x for x in proto.graph.input if x.name not in stored]
        for tensor in self._stored.values():
            proto.graph.initializer.remove(tensor)
        self._program = Program(proto.graph, version)
        self._program.inputs = [x.name for x in self.arguments]

    def build(self, input_shape: Any = None) -> None:
        self.arrays = {
            name: self.add_weight(
                tuple(tensor.dims),
                "zeros",
                str(dtype_of_element(tensor.data_type)),
                trainable=name not in self._fixed,
                name=_simple(name) or "weight",
            )
            for name, tensor in self._stored.items()
        }

    def call(self, inputs: Any) -> Any:
        given = (
            [inputs[x.name] for x in self.arguments]
            if isinstance(inputs, dict)
            else [inputs]
        )
        given = [
            ops.cast(x, _dtype(a)) for x, a in zip(given, self.arguments, strict=True)
        ]
        weights = {k: K.convert_to_tensor(v) for k, v in self.arrays.items()}
        found = self._program(given, weights)
        if len(found) == 1:
            return K.convert_to_tensor(found[0])
        return dict(
            zip(self._program.outputs, map(K.convert_to_tensor, found), strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "graph": self.graph}


def _encoded(proto: Any) -> str:
    return base64.b64encode(proto.SerializeToString()).decode()


def _simple(name: str) -> str:
    """Return the name of a graph as one that a layer can have."""
    return "".join(c if c.isalnum() or c in "_-." else "_" for c in name)


def _shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape of an input as its file declares it."""
    kind = x.type.tensor_type
    if not x.type.HasField("tensor_type") or not kind.HasField("shape"):
        raise UnsupportedError(f"input '{x.name}' is no tensor of a known rank")
    return tuple(
        n.dim_value if n.HasField("dim_value") and n.dim_value > 0 else None
        for n in kind.shape.dim
    )


def _dtype(x: Any) -> str:
    return str(dtype_of_element(x.type.tensor_type.elem_type))

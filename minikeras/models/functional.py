"""Models as graphs of layers: from symbolic inputs to symbolic outputs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.layers import Input, Layer
from minikeras.layers.arguments import given_arguments
from minikeras.layers.history import CallNode, history_of
from minikeras.layers.operation import Operation
from minikeras.models.graph_config import (
    call_config,
    call_indices,
    dereferenced,
    references,
    replay_calls,
)
from minikeras.models.graph_inputs import fitted, is_input, values_in_order
from minikeras.models.model import GRAPH_KEYS, Model, takes_graph

__all__ = ["Functional", "GraphOperation"]


class GraphOperation(Operation):
    """What the engine computes between a model's layers, as an operation of the model.

    Operators and the functions of `ops` join a model by themselves, under names that
    files know. This is for all else, K's functions and the engine's.

    Args:
        inputs: the layers' tensors with which the computation starts.
        output: the tensor with which it ends.
    """

    def __init__(self, inputs: Sequence[K.Tensor], output: K.Tensor) -> None:
        super().__init__(name=K.auto_name(K.op_name(output)))
        self._start = tuple(inputs)
        self._end = output
        CallNode(self, tuple(inputs), {}, output)

    def call(self, *inputs: K.Tensor) -> K.Tensor:
        return K.replay([self._end], dict(zip(self._start, inputs, strict=True)))[0]

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"'{self.name}' was computed between layers by a function which files have "
            "no name for: use operators, functions of `minikeras.ops` whose settings "
            "are no tensors, or a layer."
        )


def _traced_back(tensor: K.Tensor) -> CallNode:
    """Return the call that made `tensor`, wrapping plain operations as a layer."""
    if history_of(tensor) is None:
        inputs = K.ancestors(tensor, lambda t: history_of(t) is not None)
        if not inputs:
            raise ValueError(
                f"{tensor} does not depend on any model input: it is made of constants "
                "or placeholders. A model's tensors come from `Input` through layers."
            )
        GraphOperation(inputs, tensor)
    history = history_of(tensor)
    return history.operation._inbound_nodes[history.node_index]  # type: ignore[union-attr]


def _ordered_calls(
    outputs: Iterable[K.Tensor], inputs: Iterable[K.Tensor]
) -> list[CallNode]:
    """Return the calls between inputs and outputs, each after those it depends on.

    An input that no output depends on comes first.
    """
    ends = dict.fromkeys(map(_traced_back, inputs))
    done: dict[CallNode, None] = {}
    stack = [(_traced_back(y), False) for y in reversed(list(outputs))]
    while stack:
        node, ready = stack.pop()
        if ready:
            done[node] = None
        elif node not in done:
            stack.append((node, True))
            if node not in ends:
                stack.extend(
                    (_traced_back(x), False) for x in reversed(node.input_tensors)
                )
    return [*(end for end in ends if end not in done), *done]


def _check_symbolic(**structures: Any) -> None:
    for name, structure in structures.items():
        for x in K.tree.flatten(structure):
            if not isinstance(x, K.Tensor):
                raise ValueError(
                    f"All `{name}` values must be KerasTensors, from `Input` and from "
                    f"layers called on it. Received: {name}={structure} including "
                    f"invalid value {x} of type {type(x)}"
                )


def _check_connected(
    calls: list[CallNode], inputs: Any, outputs: Any, model: str
) -> None:
    """Raise ValueError for the first output that depends on another model's input."""
    given = K.tree.flatten(inputs)
    starts = {*map(_traced_back, given)}
    foreign = {x for x in calls if not x.input_tensors and x not in starts}
    for path, y in tree.flatten_with_path(outputs) if foreign else ():
        for node in _ordered_calls([y], given):
            if node in foreign:
                raise ValueError(
                    f"Output with path `{'.'.join(map(str, path))}` is not connected "
                    f"to `inputs`: it depends on '{node.operation.name}', which is not "
                    f"among the inputs of '{model}'."
                )


class Functional(Model):
    """A model made of the layers between `inputs` and `outputs`.

    Made by ``Model(inputs, outputs)``.

    Args:
        inputs: symbolic tensors from `Input`, one or any nesting.
        outputs: symbolic tensors computed from them, one or any nesting.
        name: made unique.

    Raises:
        ValueError: if an output does not depend on the inputs, or on others as well.
    """

    _locks = False  # its layers can be changed at any time
    _saved_first = ("layers",)  # in files, before attributes of subclasses

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any
    ) -> None:
        _check_symbolic(inputs=inputs, outputs=outputs)
        super().__init__(name=name, **kwargs)
        calls = _ordered_calls(K.tree.flatten(outputs), K.tree.flatten(inputs))
        _check_connected(calls, inputs, outputs, self.name)
        if not all(map(is_input, K.tree.flatten(inputs))):
            inputs, outputs = _on_inputs(calls, inputs, outputs)
            calls = _ordered_calls(K.tree.flatten(outputs), K.tree.flatten(inputs))
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._any_sizes = False
        self._calls = calls
        layers = dict.fromkeys(node.operation for node in self._calls)
        self._operations = sorted(layers, key=self._depth_order(list(layers)))
        self.built = True

    def _depth_order(self, layers: list[Operation]) -> Any:
        """Return the sort key by which inputs come first, deeper layers later."""
        depth: dict[CallNode, int] = {}
        for node in reversed(self._calls):
            own = depth.setdefault(node, 0)
            for tensor in (
                node.input_tensors if node.operation not in self._input_layers else ()
            ):
                parent = _traced_back(tensor)
                depth[parent] = max(depth.get(parent, 0), own + 1)
        of_layer: dict[Operation, int] = {}
        for node, value in depth.items():
            of_layer[node.operation] = max(of_layer.get(node.operation, 0), value)
        return lambda layer: (-of_layer[layer], layers.index(layer))

    # -- structure ---------------------------------------------------------------------

    @property
    def inputs(self) -> list[K.Tensor]:
        """The symbolic inputs, as a list."""
        return K.tree.flatten(self._inputs_struct)

    @property
    def outputs(self) -> list[K.Tensor]:
        """The symbolic outputs, as a list."""
        return K.tree.flatten(self._outputs_struct)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return self._outputs_struct

    @property
    def _input_layers(self) -> list[Layer]:
        return [history_of(x).operation for x in self.inputs]  # type: ignore[union-attr]

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs' layers."""
        return [layer.name for layer in self._input_layers]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs' layers."""
        return [history_of(y).operation.name for y in self.outputs]  # type: ignore[union-attr]

    @property
    def operations(self) -> list[Operation]:
        """The layers, and the plain operations between them, in the order of calls."""
        return list(self._operations)

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first, each after those that feed it."""
        return [x for x in self._operations if isinstance(x, Layer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        Model.layers.__set__(self, value)

    # -- calling -----------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        values = dict(zip(self.inputs, self._standardized(inputs), strict=True))
        if mask is not None:
            for x, m in zip(values.values(), K.tree.flatten(mask), strict=True):
                x._keras_mask = m

        def again(layer: Operation, *args: Any, **kwargs: Any) -> Any:
            # As in Keras: what the model is told counts, not what the layer was.
            if training is not None and "training" in layer._call_context_args:
                kwargs["training"] = training
            return layer(*args, **kwargs)

        outputs = repeated(self._calls, self._outputs_struct, values, call=again)
        alone = isinstance(outputs, (list, tuple)) and len(outputs) == 1
        return outputs[0] if alone else outputs

    def _standardized(self, inputs: Any) -> list[Any]:
        """Return the inputs in the model's order, each as it should be."""
        values = values_in_order(self._inputs_struct, inputs, self.name)
        wanted = tree.flatten_with_path(self._inputs_struct)
        return [
            fitted(x, own, ".".join(map(str, path)), self._any_sizes)
            for x, (path, own) in zip(values, wanted, strict=True)
        ]

    def _cast(self, x: Any) -> Any:
        """Return `x` as it is: each input is brought to the dtype of its own."""
        return x

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: the layers are built."""

    # -- configuration -----------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        if not takes_graph(type(self)):  # it makes its graph by itself
            accepted = K.constructor_arguments(type(self))
            given = {**given_arguments(self), **super().get_config()}
            return {key: value for key, value in given.items() if key in accepted}
        indices = call_indices(dict.fromkeys(self._calls))
        layers = {layer: K.serialize_keras_object(layer) for layer in self.operations}
        for layer, written in layers.items():
            written.update(name=layer.name, inbound_nodes=[])
        for node in indices:
            if node.operation not in self._input_layers:
                written = layers[node.operation]["inbound_nodes"]
                written.append(call_config(node, indices))
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": list(layers.values()),
            "input_layers": references(self._inputs_struct, indices),
            "output_layers": references(self._outputs_struct, indices),
        }

    @staticmethod
    def graph_from_config(
        kind: type[Model], config: dict[str, Any], custom_objects: Any = None
    ) -> Model:
        """Return a model of a class, made from the result of `get_config`, of any age.

        Raises:
            ValueError: if the calls of layers do not form a graph.
        """
        calls = (node for c in config["layers"] for node in c["inbound_nodes"])
        if any(isinstance(node, list) for node in calls):
            layouts = importlib.import_module("minikeras.saving.layouts")
            old = {"class_name": "Functional", "config": config}
            config = layouts.modern_config(old)["config"]
        with K.custom_object_scope(custom_objects):
            layers = {
                c["name"]: K.deserialize_keras_object(c) for c in config["layers"]
            }
        for name, layer in layers.items():
            if not isinstance(layer, Operation):
                raise ValueError(f"'{name}' of the model is no layer, but {layer!r}")
        replay_calls(config["layers"], layers)
        inputs, outputs = (
            dereferenced(config[key], layers)
            for key in ("input_layers", "output_layers")
        )
        rest = {k: value for k, value in config.items() if k not in GRAPH_KEYS}
        made = Model if kind is Functional else kind
        return made(inputs=inputs, outputs=outputs, **rest)


Model.graph_model = Functional


Call = Callable[..., Any]


def repeated(
    calls: Iterable[CallNode],
    outputs: Any,
    values: dict[K.Tensor, Any],
    of_layer: Callable[[Any], Operation] = lambda layer: layer,
    call: Call = lambda layer, *args, **kwargs: layer(*args, **kwargs),
) -> Any:
    """Return what outputs of calls become when the calls are made on other values.

    Args:
        calls: each after those that it depends on.
        outputs: tensors that the calls made, in any nesting.
        values: from the inputs to what stands for them; the rest is added to it.
        of_layer: returns what is called in place of a layer.
        call: calls it.
    """
    for node in calls:
        if any(y not in values for y in node.output_tensors):
            args, kwargs = _substituted((node.args, node.kwargs), values)
            found = call(of_layer(node.operation), *args, **kwargs)
            values.update(zip(node.output_tensors, K.tree.flatten(found), strict=True))
    return _substituted(outputs, values)


def _on_inputs(calls: list[CallNode], inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return a part of a model as one that starts with inputs of its own."""
    started = K.tree.map_structure(
        lambda x: x if is_input(x) else Input(batch_shape=x.shape, dtype=x.dtype),
        inputs,
    )
    pairs = zip(K.tree.flatten(inputs), K.tree.flatten(started), strict=True)
    return started, repeated(calls, outputs, dict(pairs))


def _substituted(structure: Any, values: Mapping[K.Tensor, Any]) -> Any:
    return K.tree.map_structure(
        lambda x: values.get(x, x) if isinstance(x, K.Tensor) else x, structure
    )

"""Models as graphs of layers: from symbolic inputs to symbolic outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.layers.arguments import given_arguments
from minikeras.layers.history import CallNode, history_of
from minikeras.models.model import Model, takes_graph

__all__ = ["Functional", "GraphOperation"]


class GraphOperation(Layer):
    """Plain operations on symbolic tensors, ``x * 2 + y``, as a layer of a model.

    Args:
        inputs: the layers' tensors with which the operations start.
        output: the tensor with which they end.
    """

    def __init__(self, inputs: Sequence[K.Tensor], output: K.Tensor) -> None:
        super().__init__(name=K.auto_name(K.op_name(output)), autocast=False)
        self._start = tuple(inputs)
        self._end = output
        self.built = True
        CallNode(self, tuple(inputs), {}, output)

    def call(self, *inputs: K.Tensor) -> K.Tensor:
        return K.replay([self._end], dict(zip(self._start, inputs, strict=True)))[0]

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"'{self.name}' is a plain operation between layers and cannot be written "
            "to a file: use a layer for it, such as Add, Multiply or Lambda."
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
    """Return the calls between inputs and outputs, each after those it depends on."""
    ends = {_traced_back(x) for x in inputs}
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
    return list(done)


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

    _saved_first = ("layers",)  # in files, before attributes of subclasses

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        for tensor in K.tree.flatten((inputs, outputs)):
            if not isinstance(tensor, K.Tensor):
                raise ValueError(
                    "Model(inputs, outputs): both are symbolic tensors, from `Input` "
                    f"and from layers called on it. Received: {tensor!r}"
                )
        self._any_sizes = False
        self._calls = _ordered_calls(self.outputs, self.inputs)
        self._check_connected()
        layers = dict.fromkeys(node.operation for node in self._calls)
        self._operations = sorted(layers, key=self._depth_order(list(layers)))
        self.built = True

    def _depth_order(self, layers: list[Layer]) -> Any:
        """Return the sort key by which inputs come first, deeper layers later."""
        depth: dict[CallNode, int] = {}
        for node in reversed(self._calls):
            own = depth.setdefault(node, 0)
            for tensor in (
                node.input_tensors if node.operation not in self._input_layers else ()
            ):
                parent = _traced_back(tensor)
                depth[parent] = max(depth.get(parent, 0), own + 1)
        of_layer: dict[Layer, int] = {}
        for node, value in depth.items():
            of_layer[node.operation] = max(of_layer.get(node.operation, 0), value)
        return lambda layer: (-of_layer[layer], layers.index(layer))

    def _check_connected(self) -> None:
        starts = {history_of(x).operation for x in self.inputs}  # type: ignore[union-attr]
        for node in self._calls:
            if not node.input_tensors and node.operation not in starts:
                raise ValueError(
                    f"the outputs of '{self.name}' depend on '{node.operation.name}', "
                    "which is not among its inputs: add it to `inputs`."
                )

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
    def layers(self) -> list[Layer]:
        """The layers, inputs first, each after those that feed it."""
        return list(self._operations)

    # -- calling -----------------------------------------------------------------------

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        values = dict(zip(self.inputs, self._standardized(inputs), strict=True))
        if mask is not None:
            for x, m in zip(values.values(), K.tree.flatten(mask), strict=True):
                x._keras_mask = m
        for node in self._calls:
            if any(y not in values for y in node.output_tensors):
                args, kwargs = _substituted((node.args, node.kwargs), values)
                outputs = K.tree.flatten(node.operation(*args, **kwargs))
                values.update(zip(node.output_tensors, outputs, strict=True))
        return _substituted(self._outputs_struct, values)

    def _standardized(self, inputs: Any) -> list[Any]:
        """Return the inputs in the model's order, each with the rank it should have."""
        flat = (
            self._by_name(inputs)
            if isinstance(inputs, Mapping)
            else K.tree.flatten(inputs)
        )
        if len(flat) != len(self.inputs):
            raise ValueError(
                f'Layer "{self.name}" expects {len(self.inputs)} input(s), but it '
                f"received {len(flat)} input tensors. Inputs received: {inputs}"
            )
        pairs = zip(flat, self.inputs, strict=True)
        return [_with_rank(x, own, self._any_sizes) for x, own in pairs]

    def _by_name(self, inputs: Mapping[str, Any]) -> list[Any]:
        keys = (
            self._inputs_struct
            if isinstance(self._inputs_struct, dict)
            else self.input_names
        )
        missing = [name for name in keys if name not in inputs]
        if missing:
            raise ValueError(
                f"model '{self.name}' has inputs named {list(keys)}; {missing} missing "
                f"from those given: {list(inputs)}"
            )
        return [
            inputs[name] for name in (sorted(keys) if isinstance(keys, dict) else keys)
        ]

    @property
    def input_spec(self) -> Any:
        """What the inputs must look like; the batch may have any size."""
        return (
            None  # each input is checked in `_with_rank`, where its rank may be mended
        )

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        """Ignore what the base class sets: the inputs say it."""

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: the layers are built."""

    # -- configuration -----------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        if not takes_graph(type(self)):  # it makes its graph by itself
            accepted = K.constructor_arguments(type(self))
            given = {**given_arguments(self), **super().get_config()}
            return {key: value for key, value in given.items() if key in accepted}
        from_calls = [self._layer_config(layer) for layer in self.layers]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": from_calls,
            "input_layers": _references(self._inputs_struct),
            "output_layers": _references(self._outputs_struct),
        }

    def _layer_config(self, layer: Layer) -> dict[str, Any]:
        config = K.serialize_keras_object(layer)
        inside = [n for n in layer._inbound_nodes if n in self._calls]
        is_input = layer in self._input_layers
        config["name"] = layer.name
        config["inbound_nodes"] = [] if is_input else [_call_config(n) for n in inside]
        return config

    @staticmethod
    def graph_from_config(
        kind: type[Model], config: dict[str, Any], custom_objects: Any = None
    ) -> Model:
        """Return a model of a class, made from the result of `get_config`."""
        with K.custom_object_scope(custom_objects):
            layers = {
                c["name"]: K.deserialize_keras_object(c) for c in config["layers"]
            }
        _replay_calls(config["layers"], layers)
        inputs, outputs = (
            _dereferenced(config[key], layers)
            for key in ("input_layers", "output_layers")
        )
        rest = {k: config[k] for k in ("name", "trainable") if k in config}
        made = Model if kind is Functional else kind
        return made(inputs=inputs, outputs=outputs, **rest)


Model.graph_model = Functional


def _with_rank(x: Any, own: K.Tensor, any_sizes: bool = False) -> Any:
    """Return `x` with the rank of the model's input: a last axis of 1 comes or goes."""
    want, got = own.shape, x.shape
    if want is None or got is None:
        return x
    if len(got) == len(want) + 1 and got[-1] == 1:
        x = K.squeeze(x, -1)
    elif len(got) == len(want) - 1 and want[-1] == 1:
        x = K.expand_dims(x, -1)
    got = x.shape
    known = () if any_sizes else zip(want[1:], got[1:], strict=False)
    if len(got) != len(want) or any(None not in (a, b) and a != b for a, b in known):
        name = history_of(own).operation.name  # type: ignore[union-attr]
        raise ValueError(
            f"Input '{name}' is incompatible with the model: expected "
            f"shape={(None, *want[1:])}, found shape={tuple(got)}"
        )
    return x


def _substituted(structure: Any, values: Mapping[K.Tensor, Any]) -> Any:
    return K.tree.map_structure(
        lambda x: values.get(x, x) if isinstance(x, K.Tensor) else x, structure
    )


# -- the form in which calls are written to a file -----------------------------------


def _references(structure: Any) -> Any:
    """Return tensors as (layer, call, output); a single one stands alone."""

    def reference(tensor: K.Tensor) -> list[Any]:
        history = history_of(tensor)
        return [history.operation.name, history.node_index, history.tensor_index]  # type: ignore[union-attr]

    return K.tree.map_structure(reference, structure)


def _dereferenced(structure: Any, layers: Mapping[str, Layer]) -> Any:
    if isinstance(structure, dict):
        return {k: _dereferenced(v, layers) for k, v in structure.items()}
    if len(structure) == 3 and isinstance(structure[0], str):
        name, node, index = structure
        return layers[name]._inbound_nodes[node].output_tensors[index]
    return [_dereferenced(part, layers) for part in structure]


def _call_config(node: CallNode) -> dict[str, Any]:
    def written(x: Any) -> Any:
        if not isinstance(x, K.Tensor):
            return K.serialize_keras_object(x)
        shape = {"shape": list(x.shape or ()), "dtype": str(x.dtype)}
        history = {"keras_history": _references(x)}
        return {"class_name": "__keras_tensor__", "config": {**shape, **history}}

    return K.tree.map_structure(
        written, {"args": list(node.args), "kwargs": node.kwargs}
    )


def _replay_calls(
    configs: Sequence[dict[str, Any]], layers: Mapping[str, Layer]
) -> None:
    """Call the layers again as a file says, each call when its inputs exist."""
    pending = [(c["name"], node) for c in configs for node in c["inbound_nodes"]]
    while pending:
        waiting = []
        for name, node in pending:
            try:
                args, kwargs = _read_call(node, layers)
            except IndexError:
                waiting.append((name, node))
                continue
            layers[name](*args, **kwargs)
        if len(waiting) == len(pending):
            stuck = sorted({name for name, _ in waiting})
            raise ValueError(
                f"layers {stuck} wait for inputs that no layer of the file makes"
            )
        pending = waiting


def _read_call(
    node: dict[str, Any], layers: Mapping[str, Layer]
) -> tuple[Any, dict[str, Any]]:
    def read(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            return _dereferenced(x["config"]["keras_history"], layers)
        if isinstance(x, dict) and "class_name" in x:
            return K.deserialize_keras_object(x)
        if isinstance(x, dict):
            return {k: read(v) for k, v in x.items()}
        return [read(v) for v in x] if isinstance(x, (list, tuple)) else x

    return read(node["args"]), read(node["kwargs"])

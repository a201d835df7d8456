"""Models anew: the same layers on new inputs, with new weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.layers import Input, InputLayer, Layer
from minikeras.layers.operation import Operation
from minikeras.models.functional import Functional, repeated
from minikeras.models.graph_inputs import input_name
from minikeras.models.model import Model, takes_graph
from minikeras.models.sequential import Sequential

__all__ = ["clone_model", "model_from_json"]

Clone = Callable[[Layer], Layer]


def model_from_json(json_string: str, custom_objects: Any = None) -> Model:
    """Return the model that `Model.to_json` wrote, with new weights.

    Args:
        json_string: what `to_json` returned.
        custom_objects: classes and functions by the names in the text.
    """
    return K.deserialize_keras_object(json.loads(json_string), custom_objects)


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """Return a model like another one, with layers and weights of its own.

    Args:
        model: a graph of layers, a `Sequential`, or a model with a config.
        input_tensors: symbolic inputs to build it on, in the nesting of the model's;
            new ones by default.
        clone_function: takes a layer, and returns what is put in its place; by default
            a new layer with the same config. Not called with inputs.
        call_function: ``call_function(layer, *args, **kwargs)`` calls a new layer; here
            others can be put before it and after it. Not for a `Sequential`.
        recursive: whether models in the model are cloned in the same way, rather than
            by `clone_function`.

    Raises:
        ValueError: if an argument is of no use with such a model, or the input tensors
            are not as the model's.
    """
    clone = _Cloning(clone_function, call_function, recursive)
    given = clone_function, call_function, input_tensors
    if isinstance(model, Sequential):
        return clone.sequential(model, input_tensors)
    if isinstance(model, Functional):
        return clone.functional(model, input_tensors)
    if any(value is not None for value in given):
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only "
            "supported for Sequential models or Functional models. Received model of "
            f"type '{type(model).__name__}'."
        )
    config = K.serialize_keras_object(model)
    return K.deserialize_keras_object(config, {type(model).__name__: type(model)})


def _of_same_config(layer: Layer) -> Layer:
    with K.staying_here():
        return type(layer).from_config(layer.get_config())


class _Cloning:
    """How layers are cloned, and those that were.

    Args:
        clone_function: see `clone_model`.
        call_function: see `clone_model`.
        recursive: see `clone_model`.
    """

    def __init__(
        self,
        clone_function: Clone | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ) -> None:
        self._function = clone_function or _of_same_config
        self._call = call_function
        self._recursive = recursive
        self._clones: dict[Operation, Operation] = {}

    def layer(self, layer: Operation) -> Operation:
        """Return the clone of a layer: the same one, however often it is called."""
        if layer not in self._clones:
            self._clones[layer] = self._cloned(layer)
        return self._clones[layer]

    def _cloned(self, layer: Operation) -> Operation:
        if not isinstance(layer, Layer):
            return layer  # a plain operation has no weights
        if self._recursive and isinstance(layer, Functional):
            return self.functional(layer)
        if self._recursive and isinstance(layer, Sequential):
            inner = _Cloning(self._function, None, recursive=True)
            inner._clones = self._clones
            return inner.sequential(layer)
        return self._function(layer)

    def sequential(self, model: Sequential, input_tensors: Any = None) -> Sequential:
        """Return the clone of a `Sequential`."""
        if self._call is not None:
            raise ValueError(
                "`call_function` argument is not supported with Sequential models: "
                "their layers are listed, not called. Use it with Functional models."
            )
        given = K.tree.flatten(input_tensors) if input_tensors is not None else []
        if len(given) > 1:
            raise ValueError("Argument `input_tensors` must contain a single tensor.")
        _check_symbolic(given)
        first = model._stack[:1]
        if not given and first and isinstance(first[0], InputLayer):
            given = [_of_same_config(first[0])]
        layers = [*given, *map(self.layer, model.layers)]
        made = Sequential(layers, name=model.name, trainable=model.trainable)
        return _compiled_as(model, made)

    def functional(self, model: Functional, input_tensors: Any = None) -> Model:
        """Return the clone of a graph of layers."""
        inputs = input_tensors
        if inputs is None:
            inputs = K.tree.map_structure(_new_input, model.input)
        _check_symbolic(K.tree.flatten(inputs))
        try:
            tree.assert_same_structure(inputs, model.input)
        except ValueError as error:
            raise ValueError(
                "`input_tensors` must have the same structure as model.input, "
                f"{model.input}; got {inputs}"
            ) from error
        pairs = zip(model.inputs, K.tree.flatten(inputs), strict=True)
        values, how = dict(pairs), {"call": self._call} if self._call else {}
        outputs = repeated(model._calls, model.output, values, self.layer, **how)
        kind: Any = type(model) if takes_graph(type(model)) else Functional
        return _compiled_as(model, kind(inputs, outputs, name=model.name))


def _new_input(x: K.Tensor) -> K.Tensor:
    return Input(batch_shape=x.shape, dtype=x.dtype, name=input_name(x))


def _check_symbolic(inputs: list[Any]) -> None:
    for x in inputs:
        if not isinstance(x, K.Tensor):
            raise ValueError(
                f"All entries in `input_tensors` must be KerasTensors. Received: {x}"
            )


def _compiled_as(model: Any, made: Any) -> Any:
    """Compile a clone as the model is compiled, if it is."""
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return made

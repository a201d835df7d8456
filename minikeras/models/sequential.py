"""`Sequential`: a model whose layers stand in one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras import dtype_policies
from minikeras.layers import InputLayer, Layer
from minikeras.layers.context import separate_calls, signature
from minikeras.layers.history import history_of
from minikeras.models.functional import Functional
from minikeras.models.model import Model

__all__ = ["Sequential"]


def check_takes_one(layer: Layer) -> None:
    """Demand that a layer can be called with one tensor.

    Raises:
        ValueError: if its `call` needs more.
    """
    needed = [
        p
        for p in signature(type(layer)).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty
    ]
    if len(needed) > 1:
        raise ValueError(
            "Layers added to a Sequential model can only have a single required "
            f"positional argument, the input tensor. Layer {type(layer).__name__} has "
            f"multiple required positional arguments: {needed}"
        )


class Sequential(Model):
    """Layers in a row, each fed with the output of the one before.

    Args:
        layers: the layers; an `Input` at the beginning fixes the shape, otherwise the
            first call does.
        trainable: whether the weights are trained.
        name: made unique.

    Example:
        >>> from minikeras.layers import Dense, Input
        >>> model = Sequential([Input((3,)), Dense(2)])
        >>> model.output_shape, model.count_params()
        ((None, 2), 8)
    """

    _locks = False  # layers can be added at any time
    _saved_first = ("layers",)  # in files, before attributes of subclasses
    _not_saved = frozenset({"_stack", "_functional", "_connected"})

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []
        self._functional: Functional | None = None
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ValueError: if it is not a layer, or its name is taken.
        """
        history = history_of(layer)
        if history is not None and isinstance(history.operation, InputLayer):
            layer = history.operation
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise ValueError(
                    "Only instances of `keras.Layer` can be added to a Sequential "
                    f"model. Received: {layer} (of type {type(layer)})"
                )
            raise ValueError(
                f"{layer} is a function: wrap it in a layer, Lambda({layer.__name__})"
            )
        if any(other.name == layer.name for other in self._stack):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update "
                "the `name` argument to pass a unique name."
            )
        first = self._stack[0] if self._stack else None
        if isinstance(layer, InputLayer) and isinstance(first, InputLayer):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use "
                f"input shape {first.batch_shape}. You cannot add a different "
                "Input layer to it."
            )
        self._stack.insert(
            0 if isinstance(layer, InputLayer) else len(self._stack), layer
        )
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer.

        Raises:
            ValueError: if there is none.
        """
        if not self.layers:
            raise ValueError(f"Sequential model '{self.name}' has no layer to pop")
        layer = self._stack.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Connect the layers, if the shape of the input is known already."""
        self._functional, self.built = None, False
        if not self._stack:
            return
        first = self._stack[0]
        shape = (
            first.batch_shape
            if isinstance(first, InputLayer)
            else first._declared_input_shape
        )
        known = getattr(first, "_functional", first)
        if shape is None and isinstance(known, Functional):
            shape = known.inputs[0].shape
        if shape is not None and len(self._stack) > isinstance(first, InputLayer):
            self.build(shape)

    def build(self, input_shape: Any = None) -> None:
        """Connect the layers for inputs of this shape, batch included."""
        if not self._stack:
            raise ValueError(
                f"Sequential model '{self.name}' cannot be built because it has no "
                "layers. Call `model.add(layer)`."
            )
        if self._functional is not None:
            self._check_shape(input_shape)
            return
        if not all(n is None or isinstance(n, int) for n in input_shape):
            self.built = True  # a nesting of inputs goes through layer by layer
            return
        inferred = not isinstance(self._stack[0], InputLayer)
        with separate_calls(), K.layer_scope(self.name):
            if inferred:
                dtype = self._stack[0].compute_dtype
                self._stack.insert(
                    0, InputLayer(batch_shape=tuple(input_shape), dtype=dtype)
                )
            x = start = self._stack[0].output
            for layer in self._stack[1:]:
                check_takes_one(layer)
                try:
                    x = layer(x)
                except NotImplementedError:  # shapes that a layer cannot tell
                    del self._stack[:inferred]
                    return
            connected = Functional(start, x, name=self.name)
        # Sizes that nobody declared, but the first data had, need not be those of all.
        connected._any_sizes = inferred
        self._functional = connected
        self.built = True

    def _check_shape(self, shape: Any) -> None:
        """Compare a shape to build for with that of the input, if one was declared."""
        own = tuple(self.input.shape)
        sizes = zip(own, shape, strict=False) if shape is not None else ()
        differ = any(None not in pair and len(set(pair)) > 1 for pair in sizes)
        if shape is not None and (differ or len(own) != len(shape)):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use "
                f"input shape {own}. You cannot build it with input_shape {shape}."
            )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._functional is not None:
            return self._functional.call(inputs, training=training, mask=mask)
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [x for x in self._stack if not isinstance(x, InputLayer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use "
            "`add()` and `pop()` to change the layers in this model."
        )

    @property
    def _layers(self) -> list[Layer]:
        return list(self._stack)

    @property
    def _connected(self) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined outputs yet: it is not "
                "built. Give it an Input, or call it on data."
            )
        return self._functional

    @property
    def inputs(self) -> list[K.Tensor]:
        """The symbolic inputs, as a list."""
        return self._connected.inputs

    @property
    def outputs(self) -> list[K.Tensor]:
        """The symbolic outputs, as a list."""
        return self._connected.outputs

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._connected.input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._connected.output

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer."""
        return [layer.name for layer in self.layers[-1:]]

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            "layers": [K.serialize_keras_object(layer) for layer in self._stack],
        }
        if self._functional is not None:
            config["build_input_shape"] = self.input_shape
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> Sequential:
        """Return a model made from the result of `get_config`.

        Raises:
            ValueError: if it is none, or has what is no config of a layer.
        """
        if "name" not in config:
            raise ValueError(
                "A Sequential model configuration must be a dictionary containing the "
                f"'name' and 'layers' keys. Received: config={config}"
            )
        for found in config["layers"]:
            if "config" not in found:
                raise ValueError(
                    "The provided configuration is not a valid Keras configuration. "
                    "Expected a dictionary containing a 'config' key. Received: "
                    f"config={found}"
                )
        with K.custom_object_scope(custom_objects):
            layers = [K.deserialize_keras_object(c) for c in config["layers"]]
        model = cls(
            layers, name=config["name"], trainable=config.get("trainable", True)
        )
        shape = config.get("build_input_shape")
        if shape and not model.built:
            model.build(shape)
        return model

"""PyTorch's modules as layers: `TorchModuleWrapper`."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.foreign.leaves import tensors_among
from minikeras.layers.foreign.torch_functions import (
    TorchFunction,
    array_of,
    library,
    tensor_of,
)

__all__ = ["TorchModuleWrapper"]

_KEY = ((2,), "uint32")


class TorchModuleWrapper(Layer):
    """A PyTorch module as a layer.

    The module's parameters are the layer's weights, and its buffers (such as a batch
    normalization's running statistics) are variables besides. PyTorch computes, and
    autograd differentiates. The weights live in the layer's variables: what is written
    on the module itself is not seen, but `module` always shows their values.

    A config holds the module as PyTorch's own pickle, reading which may run code: it is
    refused unless safe mode is off.

    Args:
        module: a ``torch.nn.Module``; a lazy one must have been called.
        name: of the layer.
        output_shape: the shape of the output, where PyTorch cannot find it without
            numbers.

    Raises:
        ImportError: if PyTorch is not installed.
        ValueError: if a lazy module has no parameters yet.
    """

    # Buffers are state, but as in Keras no weights.
    _not_owned = Layer._not_owned | {"_buffers"}

    def __init__(
        self,
        module: Any,
        name: str | None = None,
        output_shape: Any = None,
        **kwargs: Any,
    ) -> None:
        self._torch = library(type(self).__name__)
        super().__init__(name=name, **kwargs)
        lazy = self._torch.nn.modules.lazy.LazyModuleMixin
        if isinstance(module, lazy) and module.has_uninitialized_params():
            raise ValueError(
                "LazyModules are not supported unless they are already initialized. "
                f"Received uninitialized LazyModule: module={module}"
            )
        self._module = module
        self.output_shape = output_shape
        self._parameters = {
            name: self._variable(parameter, parameter.requires_grad)
            for name, parameter in module.named_parameters()
        }
        self._buffers = {
            name: self._variable(buffer, trainable=False)
            for name, buffer in module.named_buffers()
        }
        self.seed_generator = K.SeedGenerator()
        self._finish_build()

    def _variable(self, tensor: Any, trainable: bool) -> K.Variable:
        array = array_of(tensor)
        return K.Variable(array, dtype=array.dtype.name, trainable=trainable)

    def _states(self) -> list[K.Variable]:
        return [*super()._states(), *self._buffers.values()]

    @property
    def module(self) -> Any:
        """The module, its parameters and buffers as the variables are now."""
        held = {**self._parameters, **self._buffers}
        with self._torch.no_grad():
            for name, place in self._places():
                place.copy_(tensor_of(K.convert_to_numpy(held[name])))
        return self._module

    def _places(self) -> Iterator[tuple[str, Any]]:
        yield from self._module.named_parameters()
        yield from self._module.named_buffers()

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Return the module's parameters.

        Args:
            recurse: whether those of modules inside are among them.
        """
        return self.module.parameters(recurse=recurse)

    # As a module trains until it is told otherwise, so does the layer, as in Keras.
    def call(self, *args: Any, training: bool | None = True, **kwargs: Any) -> Any:
        held = {**self._parameters, **self._buffers}
        tensors, filled = tensors_among(K.tree.flatten((args, kwargs)))
        trains = training is not False
        key = self.seed_generator.next() if trains else K.zeros(*_KEY)
        nesting: Any = None  # of the output, known once it has been tried

        def function(key: Any, *given: Any) -> list[Any]:
            nonlocal nesting
            values = dict(zip(held, given, strict=False))
            leaves = filled(given[len(held) :])
            inputs, more = K.tree.pack_sequence_as((args, kwargs), leaves)
            y, after = self._run(trains, key, values, inputs, more)
            nesting = K.tree.map_structure(lambda _: 0, y)
            return [*K.tree.flatten(y), *after]

        given = [key, *(v.value for v in held.values()), *tensors]
        found = K.foreign(TorchFunction(function, self._known_specs()), given)
        count = len(found) - len(self._buffers)
        if trains:
            for buffer, value in zip(
                self._buffers.values(), found[count:], strict=True
            ):
                buffer.assign(value)
        outputs = found[:count]
        return (
            outputs[0] if nesting is None else K.tree.pack_sequence_as(nesting, outputs)
        )

    def _known_specs(self) -> Any:
        """Return the specs of the output and the buffers, if the shape was given."""
        if self.output_shape is None:
            return None
        buffers = [(v.shape, v.dtype) for v in self._buffers.values()]
        return [(tuple(self.output_shape), self.compute_dtype), *buffers]

    def _run(
        self, trains: bool, key: Any, values: dict[str, Any], args: Any, kwargs: Any
    ) -> tuple[Any, list[Any]]:
        """Return the module's output, and its buffers after the call."""
        # A module writes on its buffers, which here are inputs.
        buffers = {name: values[name].detach().clone() for name in self._buffers}
        self._module.train(trains)
        random = self._torch.random
        with random.fork_rng(devices=[]):
            random.manual_seed(0 if key.is_meta else int(key[0]) << 32 | int(key[1]))
            y = self._torch.func.functional_call(
                self._module, {**values, **buffers}, tuple(args), kwargs
            )
        return y, list(buffers.values())

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the output: what was given, or what PyTorch finds."""
        if self.output_shape is None:
            return super().compute_output_shape(*args, **kwargs)
        return self.output_shape

    # -- files -------------------------------------------------------------------------

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the module's parameters and buffers into a store, by their own names."""
        for name, tensor in self.module.state_dict().items():
            store[name] = array_of(tensor)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the module's parameters and buffers out of a store.

        Raises:
            RuntimeError: if it has others than the module.
        """
        state = {name: tensor_of(K.convert_to_numpy(store[name])) for name in store}
        self._module.load_state_dict(state)
        held = {**self._parameters, **self._buffers}
        for name, tensor in self._places():
            held[name].assign(array_of(tensor))

    def get_config(self) -> dict[str, Any]:
        file = io.BytesIO()
        self._torch.save(self.module, file)
        text = base64.b64encode(file.getvalue()).decode("ascii")
        return {
            **super().get_config(),
            "module": text,
            "output_shape": self.output_shape,
        }

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        cls,
        config: dict[str, Any],
        custom_objects: Any = None,
        safe_mode: bool | None = None,
    ) -> Any:
        """Return a layer made from the result of `get_config`.

        Args:
            config: that result.
            custom_objects: classes and functions that it may name, by their names.
            safe_mode: whether to refuse code in it, as is done unless here or around
                it says False.

        Raises:
            ValueError: if code is refused.
        """
        trusted = K.in_safe_mode() if safe_mode is None else safe_mode
        if "module" not in config:
            return super().from_config(config, custom_objects)
        if trusted is not False:
            raise ValueError(
                "Requested the deserialization of a `torch.nn.Module` object via "
                "`torch.load()`. This carries a potential risk of arbitrary code "
                "execution and thus it is disallowed by default. If you trust the "
                "source of the artifact, you can override this error by passing "
                "`safe_mode=False` to the loading function, or calling "
                "`keras.config.enable_unsafe_deserialization()`."
            )
        file = io.BytesIO(base64.b64decode(config["module"].encode("ascii")))
        module = library(cls.__name__).load(file, weights_only=False)
        return super().from_config({**config, "module": module}, custom_objects)

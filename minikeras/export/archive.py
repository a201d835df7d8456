"""`ExportArchive`: functions of a model, by name, gathered to be written to a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras.backend.console import say
from minikeras.export.formats import refuse_saved_model, write
from minikeras.export.signatures import as_specs, signature_of
from minikeras.export.writing import model_proto
from minikeras.layers import Layer

__all__ = ["ExportArchive"]


class ExportArchive:
    """Gathers endpoints: functions, with what they are called with.

    Keras writes them to a SavedModel of TensorFlow, which cannot be done without
    TensorFlow. Here an archive with one endpoint is written to an ONNX file.

    Args:
        format: ``"saved_model"``, the name of the only kind there is.

    Example:
        >>> from minikeras import Input, Sequential, layers
        >>> model = Sequential([Input((3,)), layers.Dense(2)])
        >>> archive = ExportArchive()
        >>> archive.track_and_add_endpoint("serve", model, [Input((3,))])
        >>> archive.write_out("model.onnx")  # doctest: +SKIP
    """

    def __init__(self, format: str = "saved_model", **kwargs: Any) -> None:
        if format != "saved_model":
            raise ValueError(f"Unsupported format: {format}")
        self._endpoints: dict[str, tuple[Callable[..., Any], list[Any]]] = {}
        self._tracked: list[Layer] = []
        self._collections: dict[str, list[K.Variable]] = {}

    @property
    def variables(self) -> list[K.Variable]:
        """The variables of all layers that are tracked."""
        return list(dict.fromkeys(v for x in self._tracked for v in x.variables))

    @property
    def trainable_variables(self) -> list[K.Variable]:
        """Those of them that are trained."""
        return [v for v in self.variables if v.trainable]

    @property
    def non_trainable_variables(self) -> list[K.Variable]:
        """The others."""
        return [v for v in self.variables if not v.trainable]

    def track(self, resource: Any) -> None:
        """Note a layer or model, the variables of which belong to the archive.

        Raises:
            ValueError: if it is none, or is not built.
        """
        if not isinstance(resource, Layer):
            raise ValueError(
                "Invalid resource type. Expected a Keras `Layer` or `Model` or a "
                f"TensorFlow `Trackable` object. Received object {resource} of type "
                f"'{type(resource)}'. "
            )
        if not resource.built:
            raise ValueError(
                "The layer provided has not yet been built. It must be built before "
                "export."
            )
        self._tracked.append(resource)

    def add_endpoint(
        self,
        name: str,
        fn: Callable[..., Any],
        input_signature: Any = None,
        **kwargs: Any,
    ) -> Callable[..., Any]:
        """Enter a function, and return it.

        Args:
            name: of the endpoint.
            fn: of tensors, which returns tensors; a layer or model is one.
            input_signature: an `InputSpec`, or several in any nesting, for each of its
                arguments; a model or layer knows it.
            kwargs: none.

        Raises:
            ValueError: if the name is taken, or there is no signature.
        """
        if name in self._endpoints:
            raise ValueError(f"Endpoint name '{name}' is already taken.")
        if kwargs:
            raise ValueError(
                f"{list(kwargs)} are only supported with the jax backend of Keras."
            )
        if input_signature is None and isinstance(fn, Layer):
            signature = signature_of(fn)
        elif input_signature is None:
            raise ValueError(
                "You must provide an `input_signature` argument to specify the shape "
                "and dtype of the function arguments. Example:\n\n"
                "export_archive.add_endpoint(\n    name='call',\n    fn=model.call,\n"
                "    input_signature=[\n        keras.InputSpec(\n"
                "            shape=(None, 224, 224, 3),\n            dtype='float32',\n"
                "        )\n    ],\n)"
            )
        else:
            signature = list(as_specs(input_signature))
        self._endpoints[name] = (fn, signature)
        return fn

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any = None, **kwargs: Any
    ) -> None:
        """Note a layer or model, and enter its call as an endpoint."""
        self.track(resource)
        self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Enter variables under a name: of no use to an ONNX file, which has weights.

        Raises:
            ValueError: if they are not variables, in a list, tuple or set.
        """
        if not isinstance(variables, (list, tuple, set)):
            raise ValueError(
                "Expected `variables` to be a list/tuple/set. Received instead object "
                f"of type '{type(variables)}'."
            )
        if not all(isinstance(v, K.Variable) for v in variables):
            kinds = list({type(v) for v in variables})
            raise ValueError(
                "Expected all elements in `variables` to be `Variable` instances. "
                f"Found instead the following types: {kinds}"
            )
        self._collections[name] = list(variables)

    def write_out(
        self, filepath: Any, options: Any = None, verbose: bool | None = True
    ) -> None:
        """Write the endpoint to an ONNX file.

        Args:
            filepath: of the file; it ends in ``.onnx``.
            options: accepted; they are TensorFlow's.
            verbose: whether to print where the file is.

        Raises:
            NotImplementedError: if the path is not of an ONNX file: what Keras writes
                then, a SavedModel, cannot be written.
            ValueError: if there is no endpoint, or more than one.
        """
        if not self._endpoints:
            raise ValueError("No endpoints have been set yet. Call add_endpoint().")
        path = os.fspath(filepath)
        if not path.endswith(".onnx"):
            refuse_saved_model()
        if len(self._endpoints) > 1:
            raise ValueError(
                "An ONNX file holds one function. Make an archive for each of the "
                f"endpoints {list(self._endpoints)}."
            )
        ((name, (fn, signature)),) = self._endpoints.items()
        write(model_proto(fn, signature, name=name), path)
        if verbose:
            say(f"Saved artifact at '{path}'. Endpoint: '{name}'.")

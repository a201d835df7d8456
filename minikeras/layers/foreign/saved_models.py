"""TensorFlow's saved models as layers: `TFSMLayer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.foreign.leaves import tensors_among
from minikeras.utils.extras import required

__all__ = ["TFSMLayer"]


def _library(purpose: str) -> Any:
    return required("tensorflow", "tensorflow", purpose)


class TFSMLayer(Layer):
    """A model in TensorFlow's form SavedModel, as a layer.

    TensorFlow computes, and differentiates. The model's variables are weights of the
    layer, so that it can be trained on; of what it was made of nothing else is kept.

    A saved model is code: none is loaded on behalf of a config, unless safe mode is
    off.

    Args:
        filepath: its folder.
        call_endpoint: which of its functions is called; ``"serving_default"`` in files
            that other programs have written.
        call_training_endpoint: which one is called in training, if it is another.
        trainable: whether the weights are trained.
        name: of the layer.
        dtype: of the layer.

    Raises:
        ImportError: if TensorFlow is not installed.
        ValueError: if the model has no such function.
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        tensorflow = _library(type(self).__name__)
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self._model = tensorflow.saved_model.load(filepath)
        self.filepath = filepath
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        self.call_endpoint_fn = self._endpoint(call_endpoint)
        functions = [self.call_endpoint_fn]
        if call_training_endpoint:
            self.call_training_endpoint_fn = self._endpoint(call_training_endpoint)
            functions.append(self.call_training_endpoint_fn)
        # Both kinds have the same names and order as in Keras: trained ones first.
        self._of_model = sorted(_variables(functions), key=lambda v: not v.trainable)
        self._own = [self._variable(v) for v in self._of_model]
        self._finish_build()

    def _endpoint(self, name: str) -> Any:
        found = getattr(self._model, name, None) or self._model.signatures.get(name)
        if found is None:
            raise ValueError(
                f"The endpoint '{name}' is neither an attribute of the reloaded "
                "SavedModel, nor an entry in the `signatures` field of the reloaded "
                "SavedModel. Select another endpoint via the `call_endpoint` argument. "
                "Available endpoints for this SavedModel: "
                f"{list(self._model.signatures.keys())}"
            )
        return found

    def _variable(self, variable: Any) -> K.Variable:
        return K.Variable(
            variable.numpy(),
            dtype=variable.dtype.name,
            trainable=variable.trainable,
            name=variable.name.replace("/", "_"),
        )

    def call(self, inputs: Any, training: bool | None = False, **kwargs: Any) -> Any:
        apart = training and self.call_training_endpoint
        endpoint = self.call_training_endpoint_fn if apart else self.call_endpoint_fn
        tensors, filled = tensors_among(K.tree.flatten((inputs, kwargs)))
        nesting: Any = None  # of the outputs, known once it has been tried

        def function(*arrays: Any) -> list[Any]:
            nonlocal nesting
            x, more = K.tree.pack_sequence_as((inputs, kwargs), filled(arrays))
            y = endpoint(x, **more)
            nesting = K.tree.map_structure(lambda _: 0, y)
            return K.tree.flatten(y)

        held = [v.value for v in self._own]
        found = K.foreign(_Function(function, self._of_model), [*held, *tensors])
        count = len(found) - len(held)
        for variable, value in zip(self._own, found[count:], strict=True):
            if not variable.trainable:
                variable.assign(value)
        return K.tree.pack_sequence_as(nesting, found[:count])

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
            safe_mode: whether to refuse to load a model, as is done unless here or
                around it says False.

        Raises:
            ValueError: if it is refused.
        """
        trusted = K.in_safe_mode() if safe_mode is None else safe_mode
        if trusted is not False:
            raise ValueError(
                "Requested the deserialization of a `TFSMLayer`, which loads an "
                "external SavedModel. This carries a potential risk of arbitrary code "
                "execution and thus it is disallowed by default. If you trust the "
                "source of the artifact, you can override this error by passing "
                "`safe_mode=False` to the loading function, or calling "
                "`keras.config.enable_unsafe_deserialization()`."
            )
        return super().from_config(config, custom_objects)


def _variables(functions: Sequence[Any]) -> list[Any]:
    """Return the variables that endpoints use, each once."""
    concrete = (c for function in functions for c in _concrete(function))
    used = (v for function in concrete for v in function.variables)
    return list({id(v): v for v in used}.values())


def _concrete(function: Any) -> Iterator[Any]:
    """Yield the functions, for certain shapes and dtypes, of an endpoint."""
    if hasattr(function, "concrete_functions"):
        yield from function.concrete_functions
    elif hasattr(function, "get_concrete_function"):
        yield function.get_concrete_function()
    else:
        yield function


class _Function:
    """A function of the values of variables, and of tensors; a tape differentiates it.

    It returns results, and the variables' values after the call.

    Args:
        function: of the tensors alone, returns a list.
        variables: TensorFlow's, on which their values are written before a call.
    """

    def __init__(
        self, function: Callable[..., Sequence[Any]], variables: Sequence[Any]
    ) -> None:
        self._tensorflow = _library("A function of TensorFlow's tensors")
        self._function = function
        self._variables = variables

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Return the results."""
        return [y.numpy() for y in self._run(*arrays)]

    def _run(self, *arrays: Any) -> list[Any]:
        convert = self._tensorflow.convert_to_tensor
        xs = [*map(convert, arrays[self._set(arrays) :])]
        return [*self._function(*xs), *(v.read_value() for v in self._variables)]

    def _set(self, values: Sequence[Any]) -> int:
        """Write values on the variables, and return how many."""
        for variable, value in zip(self._variables, values, strict=False):
            variable.assign(value)
        return len(self._variables)

    def specs(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        """Return shape and dtype of each result, given those of the arguments."""
        given = [self._tensorflow.TensorSpec(shape, kind) for shape, kind in inputs]
        traced = self._tensorflow.function(self._run).get_concrete_function(*given)
        return [
            (None if y.shape.rank is None else tuple(y.shape), y.dtype.name)
            for y in traced.structured_outputs
        ]

    def gradient(self, count: int) -> _Gradient:
        """Return the function of the results' gradients, and of the arguments."""
        return _Gradient(self, count)

    def slopes(self, gs: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
        """Return the gradients of the arguments, given those of the results."""
        convert = self._tensorflow.convert_to_tensor
        xs = [*map(convert, arrays[self._set(arrays) :])]
        sources = [*self._variables, *xs]
        with self._tensorflow.GradientTape() as tape:
            tape.watch(sources)
            ys = self._function(*xs)
        arrived = [convert(g) for g in gs[: len(ys)]]  # none flows through the state
        smooth = [x for x in sources if x.dtype.is_floating or x.dtype.is_complex]
        found = tape.gradient(ys, smooth, arrived, unconnected_gradients="zero")
        return [convert(g).numpy() for g in found]


class _Gradient:
    """The gradient of such a function: of its results' gradients, and its arguments."""

    def __init__(self, function: _Function, count: int) -> None:
        self._function, self._count = function, count

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        return self._function.slopes(arrays[: self._count], arrays[self._count :])

    def specs(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        """Return what those of the arguments are."""
        return inputs[self._count :]

    def gradient(self, count: int) -> Any:
        """Refuse: what was written on variables has no gradient.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("TFSMLayer has no second derivatives")

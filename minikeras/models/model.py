"""`Model`: a layer that can be trained, evaluated, asked for predictions, and shown."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import saving
from minikeras.layers import Layer
from minikeras.layers.context import call_depth
from minikeras.layers.shapes import stand_ins
from minikeras.models.state_tree import read_state, write_state
from minikeras.models.summary import summary_text
from minikeras.models.trained import Trained
from minikeras.quantizers.awq import AWQ
from minikeras.quantizers.calibrating import calibrate_blocks, check_structure
from minikeras.quantizers.configs import is_chosen, validate_and_resolve_config
from minikeras.quantizers.gptq import GPTQ

__all__ = ["Model"]

_ALGORITHMS = {"gptq": GPTQ, "awq": AWQ}

GRAPH_KEYS = {"layers", "input_layers", "output_layers"}


class Model(Trained, Layer):
    """A layer with a `Trainer`: the object with the `fit` method.

    Three ways to make one: ``Model(inputs, outputs)`` from symbolic tensors (the result
    is a `Functional`), `Sequential` from a list of layers, and a subclass that sets its
    layers in `__init__` and computes in `call`.

    Example:
        >>> from minikeras.layers import Dense, Input
        >>> x = Input((3,))
        >>> model = Model(x, Dense(2)(x))
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
        >>> list(history.history)
        ['loss']
    """

    # The class of models made of a graph; it derives from this one and enters itself.
    graph_model: ClassVar[type[Model]]

    _not_owned = Trained._not_owned | {"_calls", "_inputs_struct", "_outputs_struct"}

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made: Any = cls
        if cls is Model and _gives_graph(args, kwargs):
            made = cls.graph_model
        return super().__new__(made, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _gives_graph(args, kwargs):
            # A subclass that passes inputs and outputs on becomes a graph model.
            _base_on_graph(type(self), self.graph_model)
            self.graph_model.__init__(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)
        Trained.__init__(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Model:
        """Return a model made from the result of `get_config`."""
        if config.keys() >= GRAPH_KEYS and takes_graph(cls):
            graph_model: Any = cls.graph_model
            return graph_model.graph_from_config(cls, config, custom_objects)
        with K.custom_object_scope(custom_objects):
            return cls(**config)

    def build(self, input_shape: Any) -> None:
        """Build the layers, by calling the model on stand-ins for inputs of this shape.

        Args:
            input_shape: sizes with the batch, None where they vary; or several of them
                in the nesting of the inputs.
        """
        if call_depth() == 0:  # a model that is being called builds its layers anyway
            with K.tracing():
                self.call(stand_ins(input_shape, self.compute_dtype))
                self._clear_losses()

    def quantize(  # type: ignore[override]
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        **kwargs: Any,
    ) -> None:
        """Quantize all layers that can be; warn of the others that were chosen.

        Args:
            mode: ``"int8"``, ``"int4"``, ``"float8"``, ``"gptq"`` or ``"awq"``.
            config: with what to quantize, in place of `mode` or besides.
            filters: which layers: a pattern found in their names, a list of patterns,
                or a function from a layer to whether it is chosen; all by default.
            kwargs: `type_check`, see `Layer.quantize`.

        Raises:
            ValueError: if an argument is of no use.
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(
                "Unrecognized keyword arguments passed to "
                f"{type(self).__name__}: {kwargs}"
            )
        config = validate_and_resolve_config(mode, config)
        algorithm = _ALGORITHMS.get(config.mode)
        structure = None
        if algorithm:
            structure = config.quantization_layer_structure
            structure = structure or self.get_quantization_layer_structure(config.mode)
            check_structure(structure, f"mode='{config.mode}'")
        for layer in self._flatten_layers():
            if layer._layers or not is_chosen(layer, filters):
                continue
            try:
                layer.quantize(config.mode, type_check=type_check, config=config)
            except NotImplementedError as error:
                warnings.warn(str(error), stacklevel=2)
        if algorithm:
            calibrate_blocks(algorithm, config, structure, filters)

    def get_quantization_layer_structure(
        self, mode: str | None = None
    ) -> dict[str, Any] | None:
        """Return which layers quantization that looks at data goes through.

        Args:
            mode: ``"gptq"`` or ``"awq"``.

        Returns:
            None, unless a subclass tells: ``"pre_block_layers"``, which come first, and
            ``"sequential_blocks"``, which are quantized one after the other.
        """
        return None

    # -- files -----------------------------------------------------------------------

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Save the model to a file: see `saving.save_model`."""
        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Save the weights to a file or several: see `saving.save_weights`."""
        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Load the weights from a file: see `saving.load_weights`."""
        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the inference call for other programs: see `export.export_model`.

        Args:
            filepath: of the file.
            format: ``"onnx"``; the others that Keras knows need their frameworks, which
                the error names.
            verbose: whether to print where the file is; by default it is.
            input_signature: for each argument of the call an `InputSpec`, or several in
                any nesting; by default what the model was made or built for.
            kwargs: ``opset_version``, the version of ONNX's operators.

        Raises:
            NotImplementedError: for a format that is another framework's own.
            ValueError: for a format that does not exist, or a model that is not built.
        """
        # By its name: the room lies above this one, and most programs do without it.
        formats = importlib.import_module("minikeras.export.formats")
        formats.export_model(self, filepath, format, verbose, input_signature, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Return the config of the model as text; `kwargs` are for `json.dumps`."""
        return json.dumps(K.serialize_keras_object(self), **kwargs)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the model for the shapes that `get_build_config` returned."""
        try:
            super().build_from_config(config)
        except (TypeError, ValueError, NotImplementedError) as error:
            warnings.warn(
                f"Model '{self.name}' had a build config, but the model cannot be "
                "built automatically in `build_from_config(config)`. You should "
                "implement `def build_from_config(self, config)`, and you might also "
                "want to implement the method that generates the config at saving "
                f"time, `def get_build_config(self)`. What went wrong: {error}",
                stacklevel=2,
            )

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Return the values of all variables, in dicts by the parts of their paths.

        Args:
            value_format: ``"backend_tensor"``, or ``"numpy_array"``.

        Raises:
            ValueError: if two variables have one path.
        """
        return read_state(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Assign values in the form in which `get_state_tree` returns them.

        Args:
            state_tree: all groups of variables or some, all of their parts or some.

        Raises:
            ValueError: if there is no such group, or two variables have one path.
        """
        write_state(self, state_tree)

    # -- structure -------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly below it."""
        return [layer for layer in self._layers if isinstance(layer, Layer)]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use "
            "another name."
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer with this name, or at this place in `layers`.

        Raises:
            ValueError: if there is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(
                "Provide either a layer name or layer index at `get_layer`."
            )
        if index is not None:
            if index >= len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(f"No such layer: {name}. Existing layers are: {names}.")

    @property
    def input_shape(self) -> Any:
        """The shape of the symbolic input, or shapes in its nesting."""
        return K.tree.map_structure(lambda x: tuple(x.shape), self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of the symbolic output, or shapes in its nesting."""
        return K.tree.map_structure(lambda y: tuple(y.shape), self.output)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, the shapes of their outputs and their numbers of weights.

        Args:
            line_length: width in characters; by default what the terminal allows.
            positions: where columns end, as fractions of the width.
            print_fn: is given the text in place of the standard output.
            expand_nested: whether to list the layers of inner models.
            show_trainable: whether to add a column.
            layer_range: first and last name of the layers to list, as patterns.
        """
        text = summary_text(
            self, line_length, positions, expand_nested, show_trainable, layer_range
        )
        (print_fn or _print)(text)


def _base_on_graph(cls: type, graph_model: type) -> type:
    """Let a subclass of `Model` be one of `graph_model`, and stay the class it is."""
    if cls is Model:
        return graph_model
    if issubclass(cls, Model) and not issubclass(cls, graph_model):
        bases = [_base_on_graph(base, graph_model) for base in cls.__bases__]
        cls.__bases__ = tuple(bases)
    return cls


def takes_graph(cls: type) -> bool:
    """Whether a model is made from inputs and outputs, or from whatever it is given."""
    parameters = inspect.signature(cls.__init__).parameters
    passes_on = {p.kind for p in parameters.values()} >= {
        inspect.Parameter.VAR_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD,
    }
    return passes_on or {"inputs", "outputs"} <= parameters.keys()


def _gives_graph(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return (
        len(args) >= 2 or "outputs" in kwargs or (len(args) == 1 and "inputs" in kwargs)
    )


def _print(text: str) -> None:
    print(text)  # noqa: T201 - showing the table is what summary is for

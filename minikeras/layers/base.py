"""`Layer`: weights and a formula.

A layer is written once, in K: `build` makes the weights when the shape of the input is
known, `call` is the formula. What `__call__` adds is the same for all layers: build,
check, pass on `training` and masks, note the call in the model's graph, and, where a
layer is called on arrays, compile `call` and run it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras import constraints, initializers, regularizers
from minikeras.layers.context import bind, call_depth, entered, signature, tensor_arguments
from minikeras.layers.history import CallNode
from minikeras.layers.input_spec import check_inputs
from minikeras.layers.policy import DTypePolicy
from minikeras.layers.tracking import Tracked

__all__ = ["Layer"]


class Layer(Tracked):
    """A computation with state: the building block of models.

    Subclasses set their arguments in `__init__`, make weights in `build(input_shape)`
    with `add_weight`, and compute in `call(inputs)`.

    Args:
        activity_regularizer: a penalty on the outputs.
        trainable: whether its weights are trained.
        dtype: of weights and computation, floatx by default.
        autocast: whether floating-point inputs are brought to that dtype.
        name: by default the class's name in snake case, made unique.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(np.array([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Layer:
        self = super().__new__(cls)
        self._init_arguments = (args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _in_own_scope(cls.build)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._declared_input_shape = _declared_shape(kwargs)
        if kwargs:
            raise ValueError(
                "Unrecognized keyword arguments passed to "
                f"{type(self).__name__}: {kwargs}"
            )
        self.name = str(name) if name else K.auto_name(type(self).__name__)
        self.dtype_policy = DTypePolicy.of(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        self.supports_masking = False
        self.built = False
        self._trainable = bool(trainable)
        self._call_losses: list[Any] = []
        self._inbound_nodes: list[CallNode] = []
        self._compiled_call: Any = None

    # -- to be written by subclasses -------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights, now that the shape of the input is known."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs, in K.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which `from_config` makes the same layer again.

        Raises:
            NotImplementedError: if a subclass has arguments of its own that are not
                plain values, and does not return them.
        """
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.serialize(),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config:
            config.update(_plain_arguments(self))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Return a layer made from the result of `get_config`."""
        return cls(**config)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the output for a given shape of the input."""
        with K.tracing():
            inputs = [_placeholders(shape, self.compute_dtype) for shape in args]
            named = {k.removesuffix("_shape"): v for k, v in kwargs.items()}
            more = {k: _placeholders(v, self.compute_dtype) for k, v in named.items()}
            return K.tree.map_structure(lambda y: tuple(y.shape), self(*inputs, **more))

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the output; by default that of the input."""
        return previous_mask

    # -- weights and losses ------------------------------------------------------------

    def add_weight(
        self,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> K.Variable:
        """Return a new variable of this layer.

        Args:
            shape: its sizes; a scalar by default.
            initializer: a name, an initializer, or a function of shape and dtype;
                ``"glorot_uniform"`` by default for floats, zeros otherwise.
            dtype: the layer's variable dtype by default.
            trainable: whether it is trained.
            autocast: whether it follows the layer's compute dtype.
            regularizer: a penalty added to the model's loss.
            constraint: a projection applied after each update.
            aggregation: how replicas would be merged.
            overwrite_with_gradient: whether an update replaces it by its gradient.
            name: the last part of its path.
        """
        kind = K.standardize_dtype(dtype or self.variable_dtype)
        chosen = initializer or ("glorot_uniform" if "float" in kind else "zeros")
        weight = K.Variable(
            initializers.get(chosen),
            shape=(shape,) if isinstance(shape, int) else tuple(shape or ()),
            dtype=kind,
            trainable=trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
        )
        weight.regularizer = regularizers.get(regularizer)
        weight.constraint = constraints.get(constraint)
        weight.overwrite_with_gradient = overwrite_with_gradient
        self._added.append(weight)
        return weight

    @property
    def variable_dtype(self) -> str:
        """The dtype of its weights."""
        return self.dtype_policy.variable_dtype

    @property
    def dtype(self) -> str:
        """The dtype of its weights."""
        return self.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype in which it computes."""
        return self.dtype_policy.compute_dtype

    @property
    def losses(self) -> list[Any]:
        """Penalties of the last call, and of the weights that have a regularizer."""
        regular = (w for w in self.trainable_weights if w.regularizer is not None)
        return [*self._losses_of_call(), *(w.regularizer(w) for w in regular)]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or a list of scalars, to what training minimizes."""
        self._call_losses.extend(K.tree.flatten(loss))

    def _losses_of_call(self) -> list[Any]:
        return [loss for layer in self._flatten_layers() for loss in layer._call_losses]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._call_losses.clear()

    # -- calling ---------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: arrays from arrays, tensors from tensors.

        Raises:
            ValueError: if an input does not fit the layer.
        """
        if K.current_trace() is None and not K.is_symbolic(K.tree.flatten((args, kwargs))):
            return self._call_on_arrays(args, kwargs)
        with K.symbolic_scope() as trace:
            args, kwargs = K.tree.map_structure(self._cast, (args, kwargs))
            arguments, training = bind(self, args, kwargs)
            self._inherit_mask(arguments)
            with entered(training), K.name_scope(self.name):
                self._prepare(arguments)
                outputs = self.call(**arguments)
                self._finish(arguments, outputs)
            if trace.is_symbolic and call_depth() == 0:
                CallNode(self, args, kwargs, outputs)
        return outputs

    def _call_on_arrays(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Trace `call` for these shapes (once), run it, and return arrays."""
        if self._compiled_call is None:
            self._compiled_call = K.function(self._outputs_and_losses)
        outputs, losses = self._compiled_call(*args, **kwargs)
        self._clear_losses()
        self._call_losses.extend(losses)
        return outputs

    def _outputs_and_losses(self, *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        self._clear_losses()
        outputs = self(*args, **kwargs)
        return outputs, self._losses_of_call()

    def _cast(self, x: Any) -> Any:
        """Bring a floating-point array or tensor to the layer's compute dtype."""
        if not self.autocast or not hasattr(x, "dtype") or isinstance(x, K.Variable):
            return x
        kind = K.standardize_dtype(x.dtype)
        return K.cast(x, self.compute_dtype) if "float" in kind else x

    def _prepare(self, arguments: dict[str, Any]) -> None:
        """Build at the first call, and check the inputs at each."""
        inputs = tensor_arguments(arguments)
        if not self.built:
            self._build_for(inputs)
        if self.input_spec is not None and inputs:
            check_inputs(self.input_spec, next(iter(inputs.values())), self.name)

    def _build_for(self, inputs: dict[str, Any]) -> None:
        """Call `build` with the shapes of the inputs, named or in order."""
        shapes = {f"{name}_shape": _shapes(x) for name, x in inputs.items()}
        wanted = list(inspect.signature(self.build).parameters)
        if len(wanted) > 1 and set(wanted) <= set(shapes):
            self.build(**{name: shapes[name] for name in wanted})
        elif wanted:
            self.build(*list(shapes.values())[:1])
        else:
            self.build()
        self.built = True

    def _inherit_mask(self, arguments: dict[str, Any]) -> None:
        """Pass the mask that came with the first input to a `call` that takes one."""
        takes_mask = "mask" in signature(type(self)).parameters
        if takes_mask and arguments.get("mask") is None and arguments:
            first = next(iter(arguments.values()))
            masks = K.tree.map_structure(_mask_of, first)
            if any(m is not None for m in K.tree.flatten(masks)):
                arguments["mask"] = masks

    def _finish(self, arguments: dict[str, Any], outputs: Any) -> None:
        """Add the activity penalty, and let the outputs carry the mask on."""
        if self.activity_regularizer is not None:
            for y in K.tree.flatten(outputs):
                batch = K.cast(K.shape(y)[0], y.dtype)
                self.add_loss(self.activity_regularizer(y) / batch)
        first = next(iter(tensor_arguments(arguments).values()), None)
        previous = K.tree.map_structure(_mask_of, first)
        if self.supports_masking and any(m is not None for m in K.tree.flatten(previous)):
            mask = self.compute_mask(first, previous)
            for y, m in zip(K.tree.flatten(outputs), K.tree.flatten(mask), strict=False):
                if m is not None and isinstance(y, K.Tensor):
                    y._keras_mask = m

    # -- as a part of a model ----------------------------------------------------------

    @property
    def input(self) -> Any:
        """The symbolic input of its only call.

        Raises:
            AttributeError: if it has not been called on symbolic tensors.
        """
        return _single(self._first_call().input_tensors)

    @property
    def output(self) -> Any:
        """The symbolic output of its only call.

        Raises:
            AttributeError: if it has not been called on symbolic tensors.
        """
        return _single(self._first_call().output_tensors)

    def _first_call(self) -> CallNode:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name} has never been called.")
        return self._inbound_nodes[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _single(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else list(items)


def _mask_of(x: Any) -> Any:
    return getattr(x, "_keras_mask", None)


def _shapes(x: Any) -> Any:
    """Return the shape of a tensor, or the shapes of a nesting of tensors."""
    return K.tree.map_structure(lambda t: None if t is None else tuple(t.shape), x)


def _placeholders(shape: Any, dtype: str) -> Any:
    """Return a placeholder of this shape, or a nesting of them for several shapes."""
    if all(n is None or isinstance(n, int) for n in shape):
        return K.placeholder(tuple(shape), dtype=dtype)
    if isinstance(shape, dict):
        return {k: _placeholders(s, dtype) for k, s in shape.items()}
    return [_placeholders(s, dtype) for s in shape]


def _declared_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Take the shape that Keras 2 scripts give a first layer out of `kwargs`."""
    batch = kwargs.pop("batch_size", None)
    if "input_dim" in kwargs:
        return (batch, kwargs.pop("input_dim"))
    if "input_shape" in kwargs:
        return (batch, *kwargs.pop("input_shape"))
    return kwargs.pop("batch_input_shape", None)


def _in_own_scope(build: Callable[..., None]) -> Callable[..., None]:
    """Let a subclass's `build` name its weights after the layer, and mark it as built."""

    @functools.wraps(build)
    def build_once(self: Layer, *args: Any, **kwargs: Any) -> None:
        with K.layer_scope(self.name):
            build(self, *args, **kwargs)
        self.built = True

    return build_once


def _plain_arguments(layer: Layer) -> dict[str, Any]:
    """Return a custom layer's own arguments, if they can be written to a file.

    Raises:
        NotImplementedError: if one cannot.
    """
    args, kwargs = layer._init_arguments
    bound = inspect.signature(type(layer).__init__).bind(layer, *args, **kwargs).arguments
    own = dict(list(bound.items())[1:])
    own.update(own.pop("kwargs", {}))
    for name, value in own.items():
        if any(not isinstance(x, (str, int, float, bool, type(None))) for x in K.tree.flatten(value)):
            raise NotImplementedError(
                f"{type(layer).__name__} was created with the argument {name}={value!r}, "
                "which cannot be written to a file as it is: override `get_config()`, and "
                "`from_config()` to match."
            )
    return {k: v for k, v in own.items() if k not in ("name", "trainable", "dtype")}

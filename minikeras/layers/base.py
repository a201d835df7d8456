"""`Layer`: weights and a formula.

A layer is written once, in K: `build` makes the weights when the shape of the input is
known, `call` is the formula. What `__call__` adds is the same for all layers: build,
check, pass on `training` and masks, note the call in the model's graph, and, where a
layer is called on arrays, compile `call` and run it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import BoundArguments
from typing import Any

from minikeras import adapters, dtype_policies, regularizers
from minikeras import backend as K
from minikeras.layers.arguments import given_arguments, is_turned_off, kept_arguments
from minikeras.layers.context import bind, call_depth, check_positions, entered
from minikeras.layers.history import CallNode, symbolic_leaves
from minikeras.layers.input_spec import check_inputs, known_shape
from minikeras.layers.masks import (
    mask_of,
    masks_of,
    masks_of_arrays,
    pass_on,
    set_mask,
    take_masks,
    with_mask,
)
from minikeras.layers.operation import Operation, apart, operation_name, shapes_of
from minikeras.layers.pipelines import in_pipeline, joined_to_pipeline
from minikeras.layers.shapes import on_shapes, stand_ins
from minikeras.layers.weights import Weighted

__all__ = ["Layer"]

_PACKAGE = __name__.partition(".")[0]
_LAYERS = __name__.rpartition(".")[0]
_WRITE_SHAPE = "Should implement `def compute_output_shape(self, input_shape)`."


def _of_policy(name: str, doc: str) -> property:
    """Return an attribute of a layer's dtype policy as one of the layer."""

    def part(self: Layer) -> Any:
        policy = self.dtype_policy
        if isinstance(policy, dtype_policies.DTypePolicyMap) and self.path:
            policy = policy[self.path]
        return getattr(policy, name)

    return property(part, doc=doc)


class Layer(adapters.Quantizable, Weighted, Operation):
    """A computation with state: the building block of models.

    Subclasses set their arguments in `__init__`, make weights in `build(input_shape)`
    with `add_weight`, and compute in `call(inputs)`.

    Args:
        activity_regularizer: a penalty on the outputs.
        trainable: whether its weights are trained.
        dtype: of weights and computation: a dtype, a policy such as
            ``"mixed_float16"``, or by default the global policy.
        autocast: whether floating-point inputs are brought to that dtype.
        name: by default the class's name in snake case, made unique.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((), "ones", name="factor")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(np.array([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """

    supports_jit = True
    _builds = True
    _building = False
    _called = False
    # Arguments in configs that the signature of the constructor does not show.
    _kept_besides: tuple[str, ...] = ()
    # Whether configs say so when there is no penalty on the outputs.
    _shows_penalty = False
    # Whether all weights and sublayers have to be there when it is built.
    _locks = True
    # What reaches layers inside without being passed on.
    _call_context_args: frozenset[str] = frozenset({"training"})
    # Whether inputs become tensors of its dtype, and may by place be nothing else.
    _convert_input_args = True
    _allow_non_tensor_positional_args = False
    # By this TensorFlow knows what it is not to translate, in ``dataset.map(layer)``.
    autograph_info__ = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _completed(cls.build)
            cls._builds = True
        elif cls.__module__.startswith(_LAYERS):
            cls._builds = cls.build is not Layer.build

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
        unknown = {k: v for k, v in kwargs.items() if not is_turned_off(k, v)}
        if unknown:
            raise ValueError(
                "Unrecognized keyword arguments passed to "
                f"{type(self).__name__}: {unknown}"
            )
        if not isinstance(trainable, bool):
            raise ValueError(
                "Expected `trainable` to be a boolean. Received: "
                f"trainable={trainable} (of type {type(trainable)})"
            )
        self.name = operation_name(self, name)
        self._dtype_policy = dtype_policies.get(dtype)
        self._path: str | None = None
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.built = False
        self._trainable = trainable
        self._inbound_nodes: list[CallNode] = []
        self._compiled_call: tuple[object, Any] = (None, None)
        self._build_shapes: dict[str, Any] | None = None

    # -- to be written by subclasses ---------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights, now that the shape of the input is known."""
        self.built = True  # those of layers inside are made when they are called

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs, in K.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise self._not_implemented_error("call")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which `from_config` makes the same layer again.

        Layers of this package, and classes without a `get_config` of their own, add
        the arguments of their constructor by themselves.

        Raises:
            NotImplementedError: if one of these arguments cannot be written to a file.
        """
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
        }
        if self.activity_regularizer is not None or self._shows_penalty:
            penalty = regularizers.serialize(self.activity_regularizer)
            config["activity_regularizer"] = penalty
        config |= kept_arguments(self, Layer)
        if type(self).get_config is not Layer.get_config:
            return config
        accepted = (*K.constructor_arguments(type(self)), *self._kept_besides)
        given = given_arguments(self).items()
        return {k: v for k, v in (*given, *config.items()) if k in accepted}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """Return a layer made from the result of `get_config`.

        Args:
            config: that result.
            custom_objects: classes and functions that it may name, by their names.
        """
        with K.custom_object_scope(custom_objects):
            given = {
                k: K.deserialize_keras_object(v) if _is_object(v) else v
                for k, v in config.items()
            }
            policy = given.get("dtype")
            if type(policy) is dtype_policies.DTypePolicy:
                given["dtype"] = policy.name
            return super().from_config(given)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the output for a given shape of the input.

        Shapes of several inputs go by the names of `call`, as in ``query_shape=``; that
        of the first one may be given as ``input_shape=``.
        """
        if type(self).call is Layer.call:
            raise self._not_implemented_error("compute_output_shape", _WRITE_SHAPE)
        if "input_shape" in kwargs:
            args = (kwargs.pop("input_shape"), *args)
        with K.tracing():
            inputs = [stand_ins(shape, self.compute_dtype) for shape in args]
            named = {k.removesuffix("_shape"): v for k, v in kwargs.items()}
            more = {k: stand_ins(v, self.compute_dtype) for k, v in named.items()}
            outputs = self(*inputs, **more)
            self._clear_losses()
        return shapes_of(outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shapes and dtypes of the outputs, as tensors not in the graph.

        A user's class that has a `compute_output_shape` is not called: its outputs are
        of that shape, and of the layer's compute dtype. One that has its own
        `compute_output_spec` is not called on symbolic tensors.

        Raises:
            ValueError: if `compute_output_shape` does not return a shape.
        """
        own = type(self).compute_output_shape
        if own.__module__.startswith(_PACKAGE):
            spec = K.compute_output_spec(self, *args, **kwargs)
            self._clear_losses()
            return spec
        bound = bind(self, args, kwargs)[0]
        shape = on_shapes(self, self.compute_output_shape, bound)
        if not isinstance(shape, (list, tuple, dict)):
            raise ValueError(
                f"Method `compute_output_shape()` of layer {type(self).__name__} is "
                "returning a type that cannot be interpreted as a shape. It should "
                f"return a shape tuple. Received: {shape}"
            )
        return stand_ins(shape, self.compute_dtype)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs for symbolic tensors: what calling it on them does."""
        return self(*args, **kwargs)

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Return the outputs for these values of the variables, which stay as they are.

        Args:
            trainable_variables: values for those of the layer.
            non_trainable_variables: values for those of the layer.
            args: of `call`.
            return_losses: whether to return the losses too.
            kwargs: of `call`.

        Returns:
            The outputs, the new values of the variables that are not trained, and if
            they are wanted the losses.

        Raises:
            ValueError: if the layer is not built, or a number of values does not fit.
        """
        self._check_stateless(trainable_variables, "trainable_variables")
        self._check_stateless(non_trainable_variables, "non_trainable_variables")

        def run() -> tuple[Any, Any]:
            return self(*args, **kwargs), self.losses if return_losses else []

        (outputs, losses), after = K.statelessly(
            run,
            [*self.trainable_variables, *self.non_trainable_variables],
            [*trainable_variables, *non_trainable_variables],
        )
        rest = after[len(trainable_variables) :]
        return (outputs, rest, losses) if return_losses else (outputs, rest)

    def _check_stateless(self, values: Sequence[Any], name: str) -> None:
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. "
                "its variables must have been already created). You can build it by "
                "calling it on some data."
            )
        own = getattr(self, name)
        if len(own) != len(values):
            raise ValueError(
                f"Argument `{name}` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().{name}. Received list with length "
                f"{len(values)}, but expected {len(own)} variables."
            )

    def rematerialized_call(
        self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Return `layer_call`: plans keep no value longer than it is needed."""
        return layer_call

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: metrics are given to `compile`, or kept as attributes.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Add your metric in "
            "`Model.compile(metrics=[...])`, or create metric trackers in init() or "
            "build() when subclassing the layer or model, then call "
            "`metric.update_state()` whenever necessary."
        )

    def _register_call_context_args(self, *names: str) -> None:
        """Let these arguments reach layers inside that have registered them too.

        Args:
            names: of arguments that may be given to this layer's call, even where its
                `call` does not take them; `training` always is such an argument.

        Raises:
            RuntimeError: if the layer has been called.
        """
        if self._called:
            raise RuntimeError(
                "Cannot add call-context args after the layer has been called."
            )
        self._call_context_args = self._call_context_args | set(names)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the output; by default that of the input."""
        return previous_mask

    # -- how it was built --------------------------------------------------------------

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes for which the layer was built, None if it is not."""
        shapes = self._build_shapes
        if shapes and len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return None if shapes is None else {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layer for the shapes that `get_build_config` returned."""
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif "shapes_dict" in config:
            self.build(**config["shapes_dict"])

    def _build_at_init(self) -> None:
        """Be built from now on, unless there is a `build` to be called first."""
        if type(self).build is Layer.build:
            self._finish_build()

    def _finish_build(self) -> None:
        self.built = True  # type: ignore[override]
        self.on_built()
        if self._locks:
            self._tracker.lock()

    @property
    def built(self) -> bool:
        """Whether its weights are made: from the start, if it is of a kind without."""
        return self._built or not self._builds

    @built.setter
    def built(self, value: bool) -> None:
        self._built = value

    @property
    def path(self) -> str | None:
        """The names of the layers around it when it was built, and its own."""
        return self._path

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """In which dtype it keeps its weights, and in which it computes.

        Setting it to a quantized one quantizes a layer that is built.
        """
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy, held = dtype_policies.get(value), self._dtype_policy
        if isinstance(held, dtype_policies.DTypePolicyMap) and self.path:
            if self.path in held:
                del held[self.path]
            held[self.path] = policy
        else:
            self._dtype_policy = policy
        K.note_change()
        self.follow_policy()

    variable_dtype = _of_policy("variable_dtype", "The dtype of its weights.")
    compute_dtype = _of_policy("compute_dtype", "The dtype in which it computes.")
    quantization_mode = _of_policy(
        "quantization_mode", "How its kernel is quantized, None if it is not."
    )
    dtype = property(lambda self: self.variable_dtype, doc="The dtype of its weights.")
    input_dtype = property(
        lambda self: self.compute_dtype, doc="The dtype that inputs are brought to."
    )

    @property
    def _read_dtype(self) -> str | None:
        """As what its weights are read during a call, None for their own dtype."""
        casts = self.autocast and K.is_float_dtype(self.compute_dtype)
        return self.compute_dtype if casts else None

    # -- calling -----------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: arrays from arrays, tensors from tensors.

        Raises:
            ValueError: if an input does not fit the layer.
        """
        if "_added" not in vars(self):
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call "
                "`super().__init__()` as the first statement in the `__init__()` "
                "method."
            )
        tensors = symbolic_leaves((args, kwargs))
        if not tensors and K.current_trace() is None:
            if in_pipeline((args, kwargs)):
                return joined_to_pipeline(self, args, kwargs)
            return self._call_on_arrays(args, kwargs)
        with K.symbolic_scope(tensors) as trace:
            outermost = call_depth() == 0
            if outermost:
                self._clear_losses()
            cast_args, cast_kwargs = args, kwargs
            if self._convert_input_args:
                given = (args, kwargs)
                cast_args, cast_kwargs = K.tree.map_structure(self._cast, given)
            if not self._allow_non_tensor_positional_args:
                check_positions(cast_args)
            bound, around = bind(self, cast_args, cast_kwargs)
            kind = self._read_dtype
            with entered(around), K.name_scope(self.name), K.AutocastScope(kind):
                outputs = self._call_bound(bound)
            self._called = True
            if outermost and trace.is_symbolic:
                self._clear_losses()  # those of a call on no numbers
                outputs = apart(outputs, tensors)
                CallNode(self, args, kwargs, outputs)
        return outputs

    def _call_on_arrays(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Trace `call` for these shapes (once), run it, and return arrays."""
        when, compiled = self._compiled_call
        if when is not K.last_change():
            compiled = K.function(self._traced_call)
            self._compiled_call = K.last_change(), compiled
        given = masks_of_arrays((args, kwargs))
        outputs, losses, masks = compiled(given, *args, **kwargs)
        K.tree.map_structure(set_mask, outputs, masks)
        self._clear_losses()
        self._call_losses.extend(losses)
        return outputs

    def _traced_call(self, masks: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return what one trace computes: the outputs, the losses, and the masks."""
        if masks is not None:
            K.tree.map_structure(with_mask, (args, kwargs), masks)
        outputs = self(*args, **kwargs)
        return outputs, self._losses_of_call(), masks_of(outputs)

    def _cast(self, x: Any) -> Any:
        """Bring a floating-point array or tensor to the layer's compute dtype."""
        if not self.autocast or not hasattr(x, "dtype") or K.is_variable(x):
            return x
        kind = K.standardize_dtype(x.dtype)
        if kind == self.compute_dtype or not K.is_float_dtype(kind):
            return x
        return with_mask(K.cast(x, self.compute_dtype), mask_of(x))

    def _call_bound(self, bound: BoundArguments) -> Any:
        """Check the inputs, build if need be, call, and look after losses and masks."""
        first = next(iter(bound.arguments.values()), None)
        check_inputs(self.input_spec, first, self.name)
        if not self._built:
            self._build_for(bound)
            check_inputs(self.input_spec, first, self.name)
        mask = take_masks(bound)
        trace: Any = K.current_trace()
        told = not type(self).compute_output_spec.__module__.startswith(_PACKAGE)
        call = self.compute_output_spec if told and trace.is_symbolic else self.call
        outputs = call(*bound.args, **bound.kwargs)
        self._penalize(outputs)
        pass_on(self, first, mask, outputs)
        return outputs

    def _build_for(self, bound: BoundArguments) -> None:
        """Call `build` with the shapes of the inputs, named or in order."""
        if type(self).build is Layer.build:  # layers inside are built when called
            self._finish_build()
        else:
            on_shapes(self, self.build, bound)
            self.built = True  # type: ignore[override]

    def _penalize(self, outputs: Any) -> None:
        """Add the activity penalty, per sample."""
        if self.activity_regularizer is not None:
            for y in K.tree.flatten(outputs):
                batch = K.cast(K.shape(y)[0], y.dtype) if known_shape(y) else 1.0
                self.add_loss(K.divide_no_nan(self.activity_regularizer(y), batch))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _declared_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Take the shape that Keras 2 scripts give a first layer out of `kwargs`."""
    batch = kwargs.pop("batch_size", None)
    if "input_dim" in kwargs:
        return (batch, kwargs.pop("input_dim"))
    if "input_shape" in kwargs:
        return (batch, *kwargs.pop("input_shape"))
    return kwargs.pop("batch_input_shape", None)


def _is_object(value: Any) -> bool:
    """Whether a config's value describes an object."""
    return isinstance(value, dict) and value.get("class_name") is not None


def _completed(build: Callable[..., None]) -> Callable[..., None]:
    """Return a `build` whose weights are real, and named after the layer.

    It also notes the shapes, and that the layer is built.
    """
    names = list(inspect.signature(build).parameters)[1:]

    @functools.wraps(build)
    def complete(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self._building:  # by a subclass, which may not be done yet
            build(self, *args, **kwargs)
            return
        self._building = True
        try:
            with K.init_scope(), K.layer_scope(self.name), self._tracker.unlocked():
                self._path = K.current_path()
                build(self, *args, **kwargs)
        finally:
            self._building = False
        self._build_shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        self._finish_build()

    return complete

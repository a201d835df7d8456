"""The layers that everything is made of: `Dense`, small ones, a model's input."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import activations
from minikeras import backend as K
from minikeras.adapters import Adaptable, Linear, Rows, Weight
from minikeras.layers.arguments import MUST_BE, UNITS, positive
from minikeras.layers.base import Layer
from minikeras.layers.history import CallNode
from minikeras.layers.input_spec import InputSpec, known_shape

__all__ = [
    "Dense",
    "Embedding",
    "Identity",
    "Input",
    "InputLayer",
    "Lambda",
    "Masking",
]


class Dense(Adaptable, Layer):
    """Affine map of the last axis: ``activation(x @ kernel + bias)``.

    Args:
        units: size of the last axis of the output; above 0.
        activation: a name or a function; none by default, that is, linear.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output.
        kernel_constraint: a projection of the kernel after each update.
        bias_constraint: a projection of the bias after each update.
        lora_rank: see `enable_lora`, which is called as soon as there is a kernel.
        lora_alpha: see `enable_lora`.
        quantization_config: see `quantize`.

    Shapes:
        inputs: (batch, ..., features)
        returns: (batch, ..., units)
    """

    form = Linear()
    kernel = Weight()

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.adapt(lora_rank, lora_alpha, quantization_config)
        self.units = positive(units, "units", UNITS)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"The last axis of the inputs of layer '{self.name}' should be defined."
                f" Received: input_shape={tuple(input_shape)}"
            )
        self.kernel = self.add_ruled_weight("kernel", (features, self.units))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_ruled_weight("bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: K.Tensor, training: Any = None) -> K.Tensor:
        x = K.dot(inputs, self.kernel)
        y = K.bias_add(x, self.bias) if self.use_bias else x
        return y if self.activation is None else self.activation(y)


# -- small ones ------------------------------------------------------------------------


class Identity(Layer):
    """The inputs themselves."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Lambda(Layer):
    """Any function of tensors, written in K, as a layer.

    It can be written to a file if it is a named function that is registered by
    `register_keras_serializable`. For what has weights write a subclass of `Layer`.

    Args:
        function: of the inputs, and of `mask` and `training` if it has such arguments.
        output_shape: accepted, as in Keras; shapes are always inferred.
        mask: of the outputs, or a function of inputs and mask that returns it.
        arguments: further arguments of the function, by name.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = arguments or {}
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        takes = inspect.signature(self.function).parameters
        offered = {"mask": mask, "training": training}
        more = {name: value for name, value in offered.items() if name in takes}
        return self.function(inputs, **self.arguments, **more)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return the mask given, or what the function given for it returns."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

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
            safe_mode: whether to refuse code in it; by default what is so around.
        """
        trusted = K.in_safe_mode() if safe_mode is None else safe_mode
        with K.SafeModeScope(trusted):
            return super().from_config(config, custom_objects)


class Masking(Layer):
    """Steps that are nothing but `mask_value` are masked, and set to 0.

    Args:
        mask_value: the value.

    Shapes:
        inputs: (batch, steps, features)
        returns: the same, with a mask (batch, steps)
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def call(self, inputs: K.Tensor) -> K.Tensor:
        mask = self.compute_mask(inputs)
        return K.where(K.expand_dims(mask, -1), inputs, 0)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> K.Tensor:
        """Return which steps have an element that is not `mask_value`."""
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)


class Embedding(Adaptable, Layer):
    """A vector for each of a range of integers: row number `input` of a table.

    Args:
        input_dim: how many integers there are, from 0 up; above 0.
        output_dim: size of a vector; above 0.
        embeddings_initializer: how the vectors start.
        embeddings_regularizer: a penalty on them.
        embeddings_constraint: a projection of them after each update.
        mask_zero: whether 0 means that there is nothing, and is masked.
        weights: the table, if it is given.
        lora_rank: see `enable_lora`, which is called as soon as there is a table.
        lora_alpha: see `enable_lora`.
        quantization_config: see `quantize`.

    Shapes:
        inputs: (batch, ...), integers
        returns: (batch, ..., output_dim)
    """

    form = Rows()
    embeddings = Weight()
    _shows_penalty = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # Keras 2's; the inputs tell it
        super().__init__(**kwargs)
        self.adapt(lora_rank, lora_alpha, quantization_config)
        self.input_dim = positive(input_dim, "input_dim", MUST_BE)
        self.output_dim = positive(output_dim, "output_dim", MUST_BE)
        self.weight_rule(
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        shape = (self.input_dim, self.output_dim)
        self.embeddings = self.add_ruled_weight("embeddings", shape)

    def call(self, inputs: K.Tensor) -> K.Tensor:
        rows = K.gather(self.embeddings, K.cast(inputs, "int32"))
        return K.cast(rows, self.compute_dtype)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> K.Tensor | None:
        """Return which inputs are not 0, if `mask_zero` says so."""
        return K.not_equal(inputs, 0) if self.mask_zero else None


# -- where a model is fed --------------------------------------------------------------


class InputLayer(Layer):
    """The place where a model is fed; made by `Input`.

    Args:
        shape: the sizes without the batch.
        batch_size: the size of the batch, None if it varies.
        dtype: floatx by default.
        sparse: accepted if it is not true; there are no sparse tensors here.
        ragged: likewise.
        batch_shape: the sizes with the batch, in place of `shape` and `batch_size`.
        input_tensor: the placeholder to be fed, in place of a new one.
        optional: whether it may be None.
        name: made unique.

    Raises:
        ValueError: if the arguments contradict each other.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            warnings.warn(
                "Argument `input_shape` is deprecated. Use `shape` instead.",
                stacklevel=2,
            )
            shape = kwargs.pop("input_shape")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, **kwargs)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        tensor = input_tensor
        if tensor is None:
            sizes = _whole(shape, batch_size, batch_shape)
            tensor = K.KerasTensor(sizes, dtype=dtype or K.floatx(), name=self.name)
        else:
            _check_agrees(tensor, shape, batch_size, batch_shape, dtype, sparse)
        for kind in ("sparse", "ragged"):
            if getattr(self, kind):
                raise ValueError(
                    f"`{kind}=True` is not supported with the {K.backend()} backend"
                )
        self.batch_shape = known_shape(tensor)
        self.optional = optional
        self.built = True
        self._input_dtype = K.standardize_dtype(tensor.dtype)
        CallNode(self, (), {}, tensor)

    @property
    def dtype(self) -> str:
        return self._input_dtype

    def call(self) -> None:
        """Do nothing: a model feeds its inputs in."""

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def _check_agrees(
    tensor: Any, shape: Any, batch_size: Any, batch_shape: Any, dtype: Any, sparse: Any
) -> None:
    """Demand that an input tensor is what the other arguments say."""
    if not isinstance(tensor, K.Tensor):
        raise ValueError(
            "Argument `input_tensor` must be a KerasTensor. Received invalid type: "
            f"input_tensor={tensor} (of type {type(tensor)})"
        )
    own = known_shape(tensor)
    for name, given, found in (
        ("batch_size", batch_size, own[0] if own else None),
        ("shape", shape and tuple(shape), own[1:]),
        ("batch_shape", batch_shape and tuple(batch_shape), own),
        ("dtype", dtype and K.standardize_dtype(dtype), tensor.dtype),
        ("sparse", sparse, False),
    ):
        if given is not None and given != found:
            raise ValueError(
                "When providing the `input_tensor` argument, you cannot provide an "
                f"incompatible `{name}` argument."
            )


def _whole(shape: Any, batch_size: int | None, batch_shape: Any) -> Any:
    """Return the sizes with the batch, given either with it or without."""
    if batch_shape is not None:
        if shape is not None:
            raise ValueError(
                "You cannot pass both `shape` and `batch_shape` at the same time."
            )
        if batch_size is not None:
            raise ValueError(
                "You cannot pass both `batch_size` and `batch_shape` at the same time."
            )
        return tuple(batch_shape)
    if shape is None:
        raise ValueError("You must pass a `shape` argument.")
    if isinstance(shape, int):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape. Did you mean shape=({shape},)?"
        )
    return (batch_size, *shape)


def Input(  # noqa: N802 - made to look like the layer that it makes
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> K.Tensor:
    """Return a symbolic tensor with which a model starts.

    Args:
        shape: the sizes of one sample, None where they vary.
        batch_size: the number of samples, None if it varies.
        dtype: floatx by default.
        sparse: accepted if it is not true; there are no sparse tensors here.
        ragged: likewise.
        batch_shape: all sizes at once, in place of `shape` and `batch_size`.
        name: of the input's layer.
        tensor: to be the input itself, in place of a new one.
        optional: whether it may be None.

    Raises:
        ValueError: if no shape is given.
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output

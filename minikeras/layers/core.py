"""The layers that everything is made of: `Dense`, and the input of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import activations, constraints, initializers, regularizers
from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.history import CallNode
from minikeras.layers.input_spec import InputSpec

__all__ = ["Dense", "Input", "InputLayer"]


class Dense(Layer):
    """Affine map of the last axis, then an activation: ``activation(x @ kernel + bias)``.

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

    Shapes:
        inputs: (batch, ..., features)
        returns: (batch, ..., units)
    """

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
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(
                "Received an invalid value for `units`, expected a positive integer. "
                f"Received: units={units}"
            )
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        features = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.use_bias and self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: K.Tensor) -> K.Tensor:
        x = K.dot(inputs, self.kernel)
        return self.activation(K.bias_add(x, self.bias) if self.use_bias else x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class InputLayer(Layer):
    """The place where a model is fed; made by `Input`.

    Args:
        shape: the sizes without the batch.
        batch_size: the size of the batch, None if it varies.
        dtype: floatx by default.
        batch_shape: the sizes with the batch, in place of `shape` and `batch_size`.
        name: made unique.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool = False,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name)
        if input_tensor is not None:
            shape, batch_size = tuple(input_tensor.shape[1:]), input_tensor.shape[0]
            dtype = dtype or input_tensor.dtype
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        if sparse:
            raise ValueError("InputLayer: sparse inputs are not supported; pass sparse=False")
        sizes = (batch_size, *_sizes(shape)) if batch_shape is None else tuple(batch_shape)
        self.batch_shape = tuple(sizes)
        self.optional = optional
        self.built = True
        self._input_dtype = K.standardize_dtype(dtype or K.floatx())
        tensor = input_tensor
        if tensor is None:
            tensor = K.placeholder(self.batch_shape, dtype=self._input_dtype, name=self.name)
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
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }


def _sizes(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, int):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape. Did you mean shape=({shape},)?"
        )
    return tuple(shape)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
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
        batch_shape: all sizes at once, in place of `shape` and `batch_size`.
        name: of the input's layer.

    Raises:
        ValueError: if no shape is given.
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, batch_shape, tensor, optional, name)
    return layer.output

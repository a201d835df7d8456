"""``tf.layers``: functions which make their variables by `get_variable`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.engine import nn, ops, shapes
from minikeras.engine.graph import Tensor, current_graph
from minikeras.engine.initializers import ones_initializer, zeros_initializer
from minikeras.engine.op import as_tensor
from minikeras.engine.scopes import get_variable, variable_scope
from minikeras.engine.variables import GraphKeys, Variable

__all__ = [
    "average_pooling2d",
    "batch_normalization",
    "conv2d",
    "dense",
    "dropout",
    "flatten",
    "max_pooling2d",
]

Activation = Callable[[Tensor], Tensor] | None


def _channels(layer: str, x: Tensor, axis: int = -1) -> int:
    """Return the size of an axis, for which the layer makes weights."""
    shape = x.spec.shape
    size = None if shape is None else shape[axis]
    if size is None:
        raise ValueError(
            f"{layer}: the size of axis {axis} of its input must be known when it is "
            f"built; the shape is {shapes.show(shape)}"
        )
    return size


def _activated(
    y: Tensor, activation: Activation, regularizer: Callable[[Tensor], Tensor] | None
) -> Tensor:
    y = y if activation is None else activation(y)
    if regularizer is not None:
        key = GraphKeys.REGULARIZATION_LOSSES
        current_graph().add_to_collection(key, regularizer(y))
    return y


def dense(
    inputs: Any,
    units: int,
    activation: Activation = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = zeros_initializer,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> Tensor:
    """Return ``activation(inputs @ kernel + bias)``.

    Args:
        inputs: a tensor of two axes or more.
        units: size of the last axis of the result.
        activation: a function of a tensor; None for none.
        use_bias: whether there is a bias.
        kernel_initializer: Glorot's uniform one by default.
        bias_initializer: zeros by default.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the result.
        trainable: whether optimizers change the variables.
        name: of the variable scope: ``dense``, ``dense_1`` ... by default.
        reuse: whether to share the variables of an earlier layer of this name.

    Shapes:
        inputs: (..., inputs)
        returns: (..., units)

    Raises:
        ValueError: if the size of the last axis is not known.
    """
    x = as_tensor(inputs)
    with variable_scope(name, "dense", reuse=reuse):
        size = _channels("dense", x)
        kernel = get_variable(
            "kernel",
            (size, units),
            x.dtype,
            kernel_initializer,
            kernel_regularizer,
            trainable,
        )
        y = ops.matmul(x, kernel)
        if use_bias:
            bias = _bias(units, x, bias_initializer, bias_regularizer, trainable)
            y = nn.bias_add(y, bias, name="BiasAdd")
        return _activated(y, activation, activity_regularizer)


def _bias(
    units: int, x: Tensor, initializer: Any, regularizer: Any, trainable: bool
) -> Variable:
    return get_variable("bias", (units,), x.dtype, initializer, regularizer, trainable)


def conv2d(
    inputs: Any,
    filters: int,
    kernel_size: int | Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = (1, 1),
    activation: Activation = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = zeros_initializer,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> Tensor:
    """Return the convolution of images with a kernel, plus a bias, activated.

    Args:
        inputs: images.
        filters: number of channels of the result.
        kernel_size: rows and columns of the window, or one number for both.
        strides: of the window, likewise.
        padding: ``valid`` or ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        dilation_rate: distance of a window's taps.
        activation: a function of a tensor; None for none.
        use_bias: whether there is a bias.
        kernel_initializer: Glorot's uniform one by default.
        bias_initializer: zeros by default.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the result.
        trainable: whether optimizers change the variables.
        name: of the variable scope: ``conv2d``, ``conv2d_1`` ... by default.
        reuse: whether to share the variables of an earlier layer of this name.

    Shapes:
        inputs: (batch, rows, columns, channels)
        returns: (batch, rows', columns', filters)
    """
    x = as_tensor(inputs)
    first = data_format == "channels_first"
    taps = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
    with variable_scope(name, "conv2d", reuse=reuse):
        channels = _channels("conv2d", x, 1 if first else -1)
        kernel = get_variable(
            "kernel",
            (*taps, channels, filters),
            x.dtype,
            kernel_initializer,
            kernel_regularizer,
            trainable,
        )
        y = ops.conv(
            x, kernel, strides, padding.lower(), dilation_rate, data_format=data_format
        )
        if use_bias:
            bias = _bias(filters, x, bias_initializer, bias_regularizer, trainable)
            y = nn.bias_add(y, bias, "NCHW" if first else "NHWC", name="BiasAdd")
        return _activated(y, activation, activity_regularizer)


def max_pooling2d(
    inputs: Any,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Return the largest element of each window, channel by channel.

    Args:
        inputs: images.
        pool_size: rows and columns of the window, or one number for both.
        strides: of the window, likewise.
        padding: ``valid`` or ``same``.
        data_format: ``channels_last`` or ``channels_first``.
        name: scope of the nodes.

    Shapes:
        inputs: (batch, rows, columns, channels)
        returns: (batch, rows', columns', channels)
    """
    with current_graph().name_scope(name or "max_pooling2d"):
        x = as_tensor(inputs)
        return ops.max_pool(x, pool_size, strides, padding.lower(), data_format)


def average_pooling2d(
    inputs: Any,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str = "valid",
    data_format: str = "channels_last",
    name: str | None = None,
) -> Tensor:
    """Return the mean of each window, channel by channel; as `max_pooling2d`."""
    with current_graph().name_scope(name or "average_pooling2d"):
        x = as_tensor(inputs)
        return ops.average_pool(x, pool_size, strides, padding.lower(), data_format)


def flatten(inputs: Any, name: str | None = None) -> Tensor:
    """Return `inputs` with all axes but the first joined.

    Shapes:
        inputs: (batch, ...)
        returns: (batch, product of the others)
    """
    with current_graph().name_scope(name or "flatten"):
        x = as_tensor(inputs)
        rest = None if x.spec.shape is None else shapes.product(x.spec.shape[1:])
        return ops.reshape(x, (ops.shape(x)[0], -1 if rest is None else rest))


def dropout(
    inputs: Any,
    rate: float = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: str | None = None,
) -> Tensor:
    """Return `inputs`, thinned out in training; see `nn.dropout`.

    Args:
        inputs: a tensor.
        rate: probability with which an element is dropped.
        noise_shape: elements along an axis of size 1 here are dropped together.
        seed: of the choice.
        training: whether to do it: a truth value, or a tensor.
        name: scope of the nodes.
    """
    x = as_tensor(inputs)
    with current_graph().name_scope(name or "dropout"):
        return _switch(
            training,
            lambda: nn.dropout(x, 1 - rate, noise_shape, seed),
            lambda: ops.identity(x),
        )


def _switch(chosen: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """Return ``yes()`` or ``no()``, at once where a plain truth value chooses."""
    if isinstance(chosen, (bool, int)):
        return yes() if chosen else no()
    return ops.cond(as_tensor(chosen), yes, no)


def batch_normalization(
    inputs: Any,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = zeros_initializer,
    gamma_initializer: Any = ones_initializer,
    moving_mean_initializer: Any = zeros_initializer,
    moving_variance_initializer: Any = ones_initializer,
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | str | None = None,
) -> Tensor:
    """Return `inputs` with mean 0 and variance 1 in each channel, scaled and shifted.

    In training by the batch's statistics, else by their running means. What updates
    these is in the collection ``UPDATE_OPS``: a program runs it with its training step.

    Args:
        inputs: a tensor of two axes or more.
        axis: of the channels.
        momentum: share of the running means kept per step.
        epsilon: added to the variance.
        center: whether there is an offset, beta.
        scale: whether there is a factor, gamma.
        beta_initializer: zeros by default.
        gamma_initializer: ones by default.
        moving_mean_initializer: zeros by default.
        moving_variance_initializer: ones by default.
        training: a truth value, or a tensor.
        trainable: whether optimizers change beta and gamma.
        name: of the variable scope: ``batch_normalization`` ... by default.
        reuse: whether to share the variables of an earlier layer of this name.

    Source: Ioffe, Szegedy 2015, arXiv:1502.03167. The running variance is that of the
    batch, not corrected by n / (n - 1) as TensorFlow's fused kernel does.
    """
    x = as_tensor(inputs)
    with variable_scope(name, "batch_normalization", reuse=reuse):
        size = _channels("batch_normalization", x, axis)

        def weight(name: str, initializer: Any, trained: bool) -> Variable:
            return get_variable(name, (size,), x.dtype, initializer, trainable=trained)

        gamma = weight("gamma", gamma_initializer, trainable) if scale else None
        beta = weight("beta", beta_initializer, trainable) if center else None
        kept = (
            weight("moving_mean", moving_mean_initializer, False),
            weight("moving_variance", moving_variance_initializer, False),
        )
        rank = len(x.spec.known)
        others = [i for i in range(rank) if i != axis % rank]
        mean, variance = _switch(
            training,
            lambda: ops.moments(x, others),
            lambda: tuple(map(as_tensor, kept)),
        )
        if training is not False:
            for average, value in zip(kept, (mean, variance), strict=True):
                update = average.assign_sub((average - value) * (1 - momentum))
                current_graph().add_to_collection(GraphKeys.UPDATE_OPS, update.op)
        return ops.batch_normalization(x, mean, variance, axis, beta, gamma, epsilon)

"""JAX's side: one jitted training step by hand, its state donated.

A layer is its parameters and a pure function of them and the input; the batches lie
ready on the device. Measured and slower: channels first, patches unfolded, the scan
unrolled, attention written out.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import workloads as w
from jax import Array, lax
from runs import Work, calls, repeat

Built = tuple[tuple[np.ndarray, ...], Callable]
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-7
draws = np.random.default_rng(0)


def load(framework: str, threads: int) -> tuple[Callable, str]:
    """Return what prepares a run, and the version; JAX goes by the cores it may use.

    On one core a thread that dispatches would only take turns with the one that works.
    """
    jax.config.update("jax_cpu_enable_async_dispatch", threads > 1)
    return prepare, f"JAX {jax.__version__}"


def prepare(workload: w.Workload, x: np.ndarray, y: np.ndarray) -> Work:
    """Build the model; return what steps, or predicts."""
    built = [LAYERS[type(layer)](layer, shape) for layer, shape in workload.sized()]
    params = jax.tree.map(jnp.asarray, [params for params, _ in built])
    functions = [function for _, function in built]

    def model(params: list, x: Array) -> Array:
        for function, own in zip(functions, params, strict=True):
            x = function(own, x)
        return x

    if workload.task == "predict":
        call = jax.jit(model)
        return calls(lambda: np.asarray(call(params, x[:1])))
    return trainer(model, params, workload, x, y)


def trainer(
    model: Callable, params: list, workload: w.Workload, x: np.ndarray, y: np.ndarray
) -> Work:
    """Return steps over the epoch's batches."""
    error = squared_error if workload.regression else cross_entropy
    batches = [
        (jnp.asarray(x[i : i + workload.batch]), jnp.asarray(y[i : i + workload.batch]))
        for i in range(0, len(x), workload.batch)
    ]

    def advance(state: tuple, x: Array, y: Array) -> tuple[tuple, Array]:
        params, means, squares, count = state
        loss, slopes = jax.value_and_grad(lambda p: error(model(p, x), y))(params)
        return adam(params, means, squares, count + 1, slopes), loss

    advance = jax.jit(advance, donate_argnums=0)
    means, squares = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    state = (params, means, squares, jnp.zeros((), jnp.int32))

    def epoch(steps: int) -> list[Array]:
        nonlocal state
        losses = []
        for batch in batches[:steps]:
            state, loss = advance(state, *batch)
            losses.append(loss)
        return jax.block_until_ready(losses)

    return repeat(epoch)


def adam(params: list, means: list, squares: list, count: Array, slopes: list) -> tuple:
    """Kingma and Ba's step, with the biases' correction in the rate, as in Keras."""
    rate = RATE * jnp.sqrt(1 - BETA2**count) / (1 - BETA1**count)
    means = jax.tree.map(lambda m, g: m + (1 - BETA1) * (g - m), means, slopes)
    squares = jax.tree.map(lambda v, g: v + (1 - BETA2) * (g * g - v), squares, slopes)
    params = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), params, means, squares
    )
    return params, means, squares, count


def squared_error(outputs: Array, targets: Array) -> Array:
    """The mean squared difference."""
    return jnp.mean((outputs - targets) ** 2)


def cross_entropy(logits: Array, labels: Array) -> Array:
    """The mean of -log p(label)."""
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)
    return -jnp.mean(picked)


# -- layers ----------------------------------------------------------------------------


def kernel(*shape: int) -> np.ndarray:
    """He's uniform start; all axes but the last lead in."""
    limit = np.sqrt(6 / np.prod(shape[:-1]))
    return draws.uniform(-limit, limit, shape).astype(np.float32)


def affine(inputs: int, units: int) -> tuple[np.ndarray, np.ndarray]:
    """The kernel and the bias of a dense layer."""
    return kernel(inputs, units), np.zeros(units, np.float32)


def without_parameters(function: Callable[[Array], Array]) -> Callable[..., Built]:
    """A layer that only maps its input."""
    return lambda layer, shape: ((), lambda params, x: function(x))


def dense(layer: w.Dense, shape: w.Shape) -> Built:
    """An affine map, with relu where asked for."""

    def apply(params: tuple, x: Array) -> Array:
        weights, bias = params
        y = x @ weights + bias
        return jax.nn.relu(y) if layer.relu else y

    return affine(shape[-1], layer.units), apply


def conv(layer: w.Conv, shape: w.Shape) -> Built:
    """A convolution over images with channels last."""

    def apply(params: tuple, x: Array) -> Array:
        weights, bias = params
        axes = ("NHWC", "HWIO", "NHWC")
        y = lax.conv_general_dilated(
            x, weights, (1, 1), "VALID", dimension_numbers=axes
        )
        return jax.nn.relu(y + bias)

    bias = np.zeros(layer.filters, np.float32)
    return (kernel(3, 3, shape[-1], layer.filters), bias), apply


def pool(x: Array) -> Array:
    """The greatest of each 2 x 2 square; `reduce_window` takes three times as long."""
    batch, height, width, channels = x.shape
    height, width = height // 2, width // 2
    squares = x[:, : 2 * height, : 2 * width]
    return squares.reshape(batch, height, 2, width, 2, channels).max((2, 4))


def lstm(layer: w.LSTM, shape: w.Shape) -> Built:
    """The input's products of all steps at once, then a scan over the steps."""
    units = layer.units
    weights, bias = affine(shape[-1], 4 * units)
    bias[units : 2 * units] = 1

    def step(recurrent: Array, state: tuple, z: Array) -> tuple[tuple, None]:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    def apply(params: tuple, x: Array) -> Array:
        weights, recurrent, bias = params
        z = jnp.swapaxes(x, 0, 1) @ weights + bias
        zeros = jnp.zeros((len(x), units))
        (h, _), _ = lax.scan(lambda s, z: step(recurrent, s, z), (zeros, zeros), z)
        return h

    return (weights, kernel(units, 4 * units), bias), apply


def normalize(x: Array, scale: Array, offset: Array) -> Array:
    """Mean 0 and variance 1 over the last axis, then scaled and moved."""
    centered = x - x.mean(-1, keepdims=True)
    variance = jnp.mean(centered**2, -1, keepdims=True)
    return centered * lax.rsqrt(variance + 1e-3) * scale + offset


def block(layer: w.Block, shape: w.Shape) -> Built:
    """Attention and dense layers, each added to its input and normalized."""
    width = shape[-1]
    norm = (np.ones(width, np.float32), np.zeros(width, np.float32))
    params = (
        affine(width, 3 * width),
        affine(width, width),
        affine(width, layer.inner),
        affine(layer.inner, width),
        norm,
        norm,
    )

    def apply(params: tuple, x: Array) -> Array:
        project, merge, widen, narrow, norm1, norm2 = params
        parts = (x @ project[0] + project[1]).reshape(*x.shape[:2], 3, layer.heads, -1)
        query, key, value = (parts[:, :, i] for i in range(3))
        heads = jax.nn.dot_product_attention(query, key, value)
        x = normalize(x + heads.reshape(x.shape) @ merge[0] + merge[1], *norm1)
        inner = jax.nn.relu(x @ widen[0] + widen[1])
        return normalize(x + inner @ narrow[0] + narrow[1], *norm2)

    return params, apply


LAYERS = {
    w.Dense: dense,
    w.Conv: conv,
    w.Pool: without_parameters(pool),
    w.Flatten: without_parameters(lambda x: x.reshape(len(x), -1)),
    w.LSTM: lstm,
    w.Block: block,
    w.Mean: without_parameters(lambda x: x.mean(1)),
}

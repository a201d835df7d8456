"""The table of K's classic functions, each with NumPy's or Keras's word on the result.

What K shares with `minikeras.ops` is tested there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CASES", "ELSEWHERE", "Case"]

numbers = np.random.default_rng(11)


class Case(NamedTuple):
    """One call of ``K.name(*args)``; arrays among `args` stand for tensors."""

    name: str
    args: tuple[Any, ...]
    oracle: Callable[..., Any]
    unknown: bool = True  # whether it can be built on tensors of unknown sizes


def floats(*shape: int) -> np.ndarray:
    return numbers.uniform(-2, 2, shape).astype("float32")


def chances(*shape: int) -> np.ndarray:
    weights = numbers.uniform(0.1, 3, shape).astype("float32")
    return weights / weights.sum(-1, keepdims=True)


def keras(name: str, **kwargs: Any) -> Callable[..., Any]:
    """Return a function of ``keras.ops`` by its name."""

    def call(*args: Any) -> Any:
        import keras

        return getattr(keras.ops, name)(*args, **kwargs)

    return call


X, Y = floats(3, 4), floats(3, 4)
CUBE, IMAGES = floats(2, 3, 4), floats(2, 6, 5, 3)
FIRST = floats(2, 3, 6, 5)  # channels first
VOLUMES = floats(1, 3, 4, 2, 2)

# -- products --------------------------------------------------------------------------

LINALG = [
    Case("dot", (X, floats(4, 5)), np.dot),
    Case("dot", (CUBE, floats(4, 5)), np.dot),
    Case("dot", (CUBE, floats(5, 4, 2)), np.dot),
    Case("batch_dot", (X, Y), lambda x, y: (x * y).sum(1, keepdims=True)),
    Case("batch_dot", (X, Y, 1), lambda x, y, _: (x * y).sum(1, keepdims=True)),
    Case(
        "batch_dot",
        (floats(2, 3, 4), floats(2, 4, 5)),
        lambda x, y: np.stack([a @ b for a, b in zip(x, y, strict=True)]),
    ),
    Case(
        "batch_dot",
        (floats(2, 3, 4), floats(2, 5, 4), 2),
        lambda x, y, _: np.stack([a @ b.T for a, b in zip(x, y, strict=True)]),
    ),
    Case(
        "batch_dot",
        (floats(2, 3, 4), floats(2, 3, 5), (1, 1)),
        lambda x, y, _: np.stack([a.T @ b for a, b in zip(x, y, strict=True)]),
    ),
    Case(
        "batch_dot",
        (floats(2, 4), floats(2, 3, 4), (1, 2)),
        lambda x, y, _: np.stack([b @ a for a, b in zip(x, y, strict=True)]),
    ),
    Case(
        "batch_dot",
        (floats(2, 3, 4, 5), floats(2, 6, 4), (2, 2)),
        lambda x, y, _: np.einsum("nabc,ndb->nacd", x, y),
    ),
]

LINALG += [
    Case("qr", (floats(4, 3),), np.linalg.qr),
    Case("qr", (floats(2, 3, 3),), np.linalg.qr),
]

# -- elements --------------------------------------------------------------------------

ELEMENTWISE = [
    Case("clip", (X, -0.5, 1.0), lambda x, a, b: x.clip(a, b)),
    Case("clip", (X, None, 1.0), lambda x, a, b: np.minimum(x, b)),
    Case("clip", (X, -1.0, None), lambda x, a, b: np.maximum(x, a)),
    Case("pow", (np.abs(X), 2.5), np.power),
    Case("squared_difference", (X, Y), lambda x, y: (x - y) ** 2),
    Case("relu", (X,), lambda x: np.maximum(x, 0)),
    Case("relu", (X, 0.2), lambda x, a: np.where(x > 0, x, a * x)),
    Case("relu", (X * 4, 0.0, 6.0), lambda x, a, m: x.clip(0, m)),
    Case(
        "relu",
        (X * 4, 0.1, 3.0, 1.0),
        lambda x, a, m, t: np.select([x >= m, x > t], [m, x], a * (x - t)),
    ),
    Case(
        "relu",
        (X * 4, 0.0, None, -1.0),
        lambda x, a, m, t: np.where(x > t, x, 0),
    ),
    Case("mish", (X,), lambda x: x * np.tanh(np.log1p(np.exp(x)))),
]

# -- reductions ------------------------------------------------------------------------

REDUCTIONS = [
    Case("argmax", (X,), lambda x: x.argmax(-1).astype("int32")),
    Case("argmin", (X, 0), lambda x, a: x.argmin(a).astype("int32")),
    Case("cumsum", (X,), lambda x: x.cumsum(0)),
    Case("cumprod", (X, 1), lambda x, a: x.cumprod(a)),
]

# -- arrangements ----------------------------------------------------------------------


def padded(x: np.ndarray, *widths: tuple[int, int]) -> np.ndarray:
    return np.pad(x, widths)


NO = (0, 0)
RESHAPING = [
    Case("expand_dims", (X,), lambda x: x[..., None]),
    Case("expand_dims", (X, 0), lambda x, _: x[None]),
    Case("flatten", (CUBE,), np.ravel),
    Case("batch_flatten", (IMAGES,), lambda x: x.reshape(len(x), -1)),
    Case("permute_dimensions", (CUBE, (2, 0, 1)), np.transpose),
    Case("reverse", (CUBE, 1), np.flip),
    Case("reverse", (CUBE, [0, 2]), np.flip),
    Case("concatenate", ([X, Y],), lambda xs: np.concatenate(xs, -1)),
    Case("concatenate", ([X, Y], 0), np.concatenate),
    Case("tile", (X, (2, 3)), np.tile),
    Case("repeat", (X, 3), lambda x, n: np.stack([x] * n, 1)),
    Case("repeat_elements", (X, 3, 1), np.repeat),
    Case("temporal_padding", (CUBE,), lambda x: padded(x, NO, (1, 1), NO)),
    Case("temporal_padding", (CUBE, (0, 2)), lambda x, p: padded(x, NO, p, NO)),
    Case(
        "spatial_2d_padding",
        (IMAGES, ((1, 2), (0, 3))),
        lambda x, p: padded(x, NO, *p, NO),
    ),
    Case(
        "spatial_2d_padding",
        (FIRST, ((1, 2), (0, 3)), "channels_first"),
        lambda x, p, _: padded(x, NO, NO, *p),
    ),
    Case(
        "spatial_3d_padding",
        (VOLUMES,),
        lambda x: padded(x, NO, (1, 1), (1, 1), (1, 1), NO),
    ),
    Case(
        "resize_volumes",
        (VOLUMES, 2, 1, 3, "channels_last"),
        lambda x, d, h, w, _: x.repeat(d, 1).repeat(h, 2).repeat(w, 3),
    ),
    Case(
        "resize_volumes",
        (VOLUMES, 1, 2, 1, "channels_first"),
        lambda x, d, h, w, _: x.repeat(h, 3),
    ),
]

# -- picking ---------------------------------------------------------------------------

INDEXING = [
    Case("gather", (X, np.array([[2, 0], [1, 1]])), lambda x, i: x[i]),
    Case(
        "in_top_k",
        (floats(4, 5), np.array([0, 4, 2, 2]), 2),
        lambda p, t, k: np.array(
            [(row > row[i]).sum() < k for row, i in zip(p, t, strict=True)]
        ),
    ),
    Case("gather_nd", (CUBE, np.array([[0, 2], [1, 1]])), lambda x, i: x[tuple(i.T)]),
    Case(
        "boolean_mask",
        (X, np.array([True, False, True])),
        lambda x, m: x[m],
    ),
    Case(
        "scatter_nd",
        (np.array([[1], [3], [1]]), floats(3, 2), (5, 2)),
        lambda i, u, s: np.stack(
            [u[i[:, 0] == row].sum(0) for row in range(s[0])]
        ).astype("float32"),
    ),
]

# -- windows ---------------------------------------------------------------------------


def first(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of images for images whose channels come first."""

    def call(x: np.ndarray, *args: Any) -> Any:
        y = np.asarray(function(np.moveaxis(x, 1, -1), *args))
        return np.moveaxis(y, -1, 1)

    return call


def transposed(x: np.ndarray, w: np.ndarray, shape: Any, s: int) -> np.ndarray:
    """Return a transposed convolution with "valid" padding, tap by tap."""
    y = np.zeros((len(x), *shape[1:]), "float32")
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            part = np.einsum("nhwc,fc->nhwf", x, w[i, j])
            y[:, i : i + s * x.shape[1] : s, j : j + s * x.shape[2] : s] += part
    return y


KERNEL = floats(3, 2, 3, 4)
WINDOWS = [
    Case("conv2d", (IMAGES, KERNEL), keras("conv")),
    Case(
        "conv2d",
        (IMAGES, KERNEL, (2, 1), "same"),
        keras("conv"),
    ),
    Case(
        "conv2d",
        (FIRST, KERNEL, (1, 1), "valid", "channels_first", (1, 2)),
        first(lambda x, w, s, p, _, d: keras("conv", dilation_rate=d)(x, w, s, p)),
    ),
    Case("conv1d", (floats(2, 7, 3), floats(3, 3, 4), 2), keras("conv")),
    Case(
        "conv1d",
        (floats(2, 7, 3), floats(3, 3, 4), 1, "causal", None, 2),
        lambda x, w, s, *_: keras("conv", dilation_rate=2)(
            np.pad(x, (NO, (4, 0), NO)), w
        ),
    ),
    Case("conv3d", (VOLUMES, floats(2, 2, 1, 2, 3)), keras("conv")),
    Case(
        "conv2d_transpose",
        (IMAGES, floats(3, 2, 5, 3), (None, 13, 10, 5), (2, 2)),
        lambda x, w, shape, s: transposed(x, w, shape, 2),
    ),
    Case(
        "conv2d_transpose",
        (FIRST, floats(3, 2, 5, 3), (2, 5, 13, 10), (2, 2), "valid", "channels_first"),
        first(lambda x, w, *_: transposed(x, w, (2, 13, 10, 5), 2)),
    ),
    Case(
        "conv3d_transpose",
        (VOLUMES, floats(2, 2, 2, 3, 2), (None, 6, 8, 4, 3), 2),
        lambda x, w, _, s: keras("conv_transpose")(x, w, s),
    ),
    Case("depthwise_conv1d", (CUBE, floats(2, 4, 2)), keras("depthwise_conv")),
    Case(
        "separable_conv1d",
        (CUBE, floats(2, 4, 2), floats(1, 8, 3)),
        keras("separable_conv"),
    ),
    Case("depthwise_conv2d", (IMAGES, floats(2, 2, 3, 2)), keras("depthwise_conv")),
    Case(
        "separable_conv2d",
        (IMAGES, floats(2, 2, 3, 2), floats(1, 1, 6, 4)),
        keras("separable_conv"),
    ),
    Case("pool2d", (IMAGES, (2, 2)), lambda x, p: keras("max_pool")(x, p, (1, 1))),
    Case(
        "pool2d",
        (IMAGES, (2, 2), (2, 2), "same", None, "avg"),
        lambda x, p, s, pad, *_: keras("average_pool")(x, p, s, pad),
    ),
    Case(
        "pool3d", (VOLUMES, (2, 2, 1)), lambda x, p: keras("max_pool")(x, p, (1, 1, 1))
    ),
    Case("bias_add", (IMAGES, floats(3)), lambda x, b: x + b),
    Case(
        "bias_add",
        (FIRST, floats(3), "channels_first"),
        lambda x, b, _: x + b[:, None, None],
    ),
    Case(
        "bias_add",
        (FIRST, floats(6, 5, 3), "channels_first"),
        lambda x, b, _: x + np.moveaxis(b, -1, 0),
    ),
    Case("bias_add", (IMAGES, floats(6, 5, 3)), lambda x, b: x + b),
    Case("bias_add", (X, floats(4), "channels_first"), lambda x, b, _: x + b),
    Case("bias_add", (CUBE, floats(4)), lambda x, b: x + b),
]

# -- normalization and losses ----------------------------------------------------------


def normalized(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    shape = [1] * x.ndim
    shape[axis] = -1
    mean, var, beta, gamma = (v.reshape(shape) for v in (mean, var, beta, gamma))
    return gamma * (x - mean) / np.sqrt(var + epsilon) + beta


def by_batch(x, gamma, beta, axes, epsilon=1e-3):
    mean, var = x.mean(tuple(axes)), x.var(tuple(axes))
    (axis,) = set(range(x.ndim)) - set(axes)
    return normalized(x, mean, var, beta, gamma, axis, epsilon), mean, var


def ignoring(t, p, logits, axis, ignored):
    rows = -np.log(p[np.arange(len(t)), t])
    return np.where(t == ignored, 0, rows).astype("float32")


STATS = floats(4), np.abs(floats(4)), floats(4), floats(4)
NORMALIZATION = [
    Case("batch_normalization", (X, *STATS), normalized),
    Case("batch_normalization", (IMAGES, *(v[:3] for v in STATS), -1, 0.1), normalized),
    Case("batch_normalization", (FIRST, *(v[:3] for v in STATS), 1), normalized),
    Case("normalize_batch_in_training", (X, *STATS[2:], [0]), by_batch),
    Case(
        "normalize_batch_in_training",
        (FIRST, *(v[:3] for v in STATS[2:]), [0, 2, 3]),
        by_batch,
    ),
    Case("l2_normalize", (X, 1), lambda x, a: x / np.linalg.norm(x, axis=a)[:, None]),
    Case("l2_normalize", (X,), lambda x: x / np.linalg.norm(x)),
    Case(
        "sparse_categorical_crossentropy",
        (np.array([1, 0, 3]), chances(3, 4), False, -1, 0),
        ignoring,
    ),
    Case(
        "sparse_categorical_crossentropy",
        (np.array([[2, 0, 1, 1]]), np.moveaxis(chances(1, 4, 3), -1, 1), False, 1),
        lambda t, p, *_: -np.log(np.take_along_axis(p, t[:, None], 1))[:, 0],
    ),
]

# -- filling ---------------------------------------------------------------------------

FILLING = [
    Case("zeros", ((2, 3),), lambda s: np.zeros(s, "float32")),
    Case("ones", ((2, 3), "int32"), np.ones),
    Case("zeros_like", (X,), np.zeros_like),
    Case("ones_like", (X, "int32"), np.ones_like),
    Case("eye", (3,), lambda n: np.eye(n, dtype="float32")),
    Case("identity", (X,), lambda x: x),
    Case("arange", (2, 7, 2), lambda *a: np.arange(*a, dtype="int32")),
    Case("cast", (X, "float16"), lambda x, d: x.astype(d)),
    Case("cast_to_floatx", (X.astype("float64"),), lambda x: x.astype("float32")),
    Case("to_dense", (X,), lambda x: x),
    Case("one_hot", (np.array([0, 2]), 3), lambda i, n: np.eye(n, dtype="float32")[i]),
    Case("shape", (CUBE,), lambda x: np.int32(x.shape)),
    Case("size", (CUBE,), lambda x: np.int32(x.size)),
]

# What does not fit into the table, by the file that tests it.
ELSEWHERE = {
    "test_control.py": """
        cond foldl foldr fori_loop in_test_phase in_train_phase map map_fn print_tensor
        scan switch while_loop
    """,
    "test_introspection.py": """
        as_integers constant convert_to_numpy count_params dtype get_variable_shape
        int_shape is_float_dtype is_int_dtype is_keras_tensor is_placeholder is_sparse
        is_symbolic is_tensor known_shape limits ndim placeholder rank result_type
        standardize_dtype
    """,
    "test_recurrent.py": "rnn",
    "../callbacks/test_checkpoints.py": "global_seed_generator",
    "../ops/test_dtypes.py": "in_one_dtype long_as_float",
    "../ops/test_linalg.py": "eig",
    "../ops/test_transforms.py": "custom_gradient jvp",
    "../ops/test_image.py": """
        affine_transform as_images channel_axis crop_images elastic_transform
        extract_patches extract_patches_3d gaussian_blur homography hsv_to_rgb
        map_coordinates neighbors
        pad_images perspective_transform resize resize_images rgb_to_grayscale
        rgb_to_hsv scale_and_translate sizes_of sobel_edges spatial_axes spatial_sizes
        ssim
    """,
    "../ops/test_ops.py": "empty sparsemax",
    "../test_random.py": """
        SeedGenerator draw_seed dropout random_seed_dtype make_default_seed
        random_bernoulli random_beta
        random_binomial random_categorical random_gamma random_integers random_normal
        random_normal_variable random_shuffle random_uniform random_uniform_variable
        set_random_seed truncated_normal
    """,
}

CASES = [
    *LINALG,
    *ELEMENTWISE,
    *REDUCTIONS,
    *RESHAPING,
    *INDEXING,
    *WINDOWS,
    *NORMALIZATION,
    *FILLING,
]

"""Convolution against Keras, its kernels block by block, and its errors."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.kernels import windows
from minikeras.engine.session import Session

every_axes = pytest.mark.parametrize("axes", [1, 2, 3])
every_padding = pytest.mark.parametrize("padding", ["valid", "same"])

# Strides and dilation, which no backend of Keras takes both at once.
every_step = pytest.mark.parametrize(
    "strides, dilation", [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]
)


def geometry(axes, *seed):
    """Return sizes, and taps for which they are large enough with any dilation."""
    rng = np.random.default_rng(seed)
    return rng.integers(7, 10, axes).tolist(), rng.integers(1, 4, axes).tolist()


def layout(sizes, channels, form):
    first = form == "channels_first"
    return (2, channels, *sizes) if first else (2, *sizes, channels)


def data(*shapes):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype("float32") for shape in shapes]


def close(found, wanted):
    wanted = np.asarray(wanted)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


# -- Keras -----------------------------------------------------------------------------


@every_axes
@every_step
@every_padding
@pytest.mark.parametrize("groups, form", [(1, "channels_last"), (2, "channels_first")])
def test_conv_is_that_of_keras(axes, strides, dilation, padding, groups, form):
    import keras

    sizes, taps = geometry(axes, strides, dilation, groups)
    x, w = data(layout(sizes, 2 * groups, form), (*taps, 2, 4))
    close(
        ops.conv(x, w, strides, padding, dilation, groups, form),
        keras.ops.conv(x, w, strides, padding, form, dilation),
    )


@pytest.mark.parametrize("axes", [1, 2])
@every_step
@every_padding
@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_conv_is_that_of_keras(axes, strides, dilation, padding, multiplier):
    import keras

    sizes, taps = geometry(axes, strides, dilation, multiplier)
    x, w = data((2, *sizes, 3), (*taps, 3, multiplier))
    close(
        ops.depthwise_conv(x, w, strides, padding, dilation),
        keras.ops.depthwise_conv(x, w, strides, padding, None, dilation),
    )


def test_separable_conv_is_that_of_keras():
    import keras

    x, along, across = data((2, 6, 7, 3), (3, 2, 3, 2), (1, 1, 6, 4))
    close(
        ops.separable_conv(x, along, across, 2, "same"),
        keras.ops.separable_conv(x, along, across, 2, "same"),
    )


@every_axes
@every_padding
@pytest.mark.parametrize("form", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "strides, dilation, extra",
    [
        (1, 1, None),
        (1, 3, None),
        (1, 2, 0),
        (2, 1, None),
        (2, 1, 1),
        (3, 1, 0),
        (3, 1, 2),
    ],
)
def test_conv_transpose_is_that_of_keras(axes, strides, dilation, extra, padding, form):
    import keras

    sizes, taps = geometry(axes, strides, dilation)
    x, w = data(layout(sizes, 3, form), (*taps, 2, 3))
    close(
        ops.conv_transpose(x, w, strides, padding, extra, dilation, form),
        keras.ops.conv_transpose(x, w, strides, padding, extra, form, dilation),
    )


@every_padding
@pytest.mark.parametrize("strides", [1, 2])
def test_gradients_are_those_of_jax(padding, strides):
    import jax
    import keras

    x, w = data((2, 7, 6, 3), (3, 2, 3, 4))
    wanted, pull_back = jax.vjp(
        lambda x, w: keras.ops.conv(x, w, strides, padding), x, w
    )
    (g,) = data(wanted.shape)
    with Graph().as_default() as graph:
        xs = ops.placeholder("float32", (None, None, None, 3)), ops.constant(w)
        found = gradients(ops.conv(*xs, strides, padding), list(xs), [g])
        found = Session(graph=graph).run(found, {xs[0]: x})
    for ours, theirs in zip(found, pull_back(g), strict=True):
        close(ours, theirs)


# -- blocks ----------------------------------------------------------------------------


@pytest.mark.parametrize("channels, groups", [(1, 1), (3, 1), (6, 1), (6, 3), (6, 6)])
def test_blocks_of_examples_make_one_result(channels, groups, monkeypatch):
    x, w = data((7, 5, 6, channels), (3, 2, channels // groups, 12))

    def all_three():
        with Graph().as_default() as graph:
            xs = ops.constant(x), ops.constant(w)
            y = ops.conv(*xs, padding="same", groups=groups)
            return Session(graph=graph).run([y, *gradients(y * y, list(xs))])

    whole = all_three()
    monkeypatch.setattr(windows, "CPU_BLOCK", 20_000)  # not a divisor of anything
    for parts, wanted in zip(all_three(), whole, strict=True):
        np.testing.assert_allclose(parts, wanted, rtol=1e-4, atol=1e-4)


def test_a_block_is_never_less_than_an_example():
    slices = list(windows.blocks(np, 3, (10**9,), 4))
    assert slices == [slice(0, 1), slice(1, 2), slice(2, 3)]


# -- shapes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "padding, wanted",
    [
        ("valid", (None, None, 12, 8)),
        ("SAME", (None, None, 14, 8)),
        ("causal", (None, None, 14, 8)),
        (((1, 0), (1, 0)), (None, None, 13, 8)),
    ],
)
def test_known_sizes_stay_known_beside_unknown_ones(padding, wanted):
    with Graph().as_default():
        x = ops.placeholder("float32", (None, None, 28, 1))
        w = ops.placeholder("float32", (3, 5, 1, 8))
        assert ops.conv(x, w, 2, padding).shape == wanted


def test_padding_same_needs_no_size_of_the_kernel():
    with Graph().as_default():
        x = ops.placeholder("float32", (None, 28, 3))
        w = ops.placeholder("float32", (None, None, None))
        assert ops.conv(x, w, 2, "same").shape == (None, 14, None)
        assert ops.conv(x, w).shape == (None, None, None)


def test_shapes_of_gradients_are_static():
    with Graph().as_default():
        x = ops.placeholder("float32", (None, 9, 2))
        w = ops.placeholder("float32", (3, 2, 4))
        to_x, to_w = gradients(ops.conv(x, w, 2), [x, w])
        assert (to_x.shape, to_w.shape) == ((None, 9, 2), (3, 2, 4))


def test_the_gradient_alone_can_be_had_for_any_size():
    """Of the sizes that a convolution takes to one, the transpose has the least."""
    g, w = data((2, 3, 4), (3, 2, 4))
    with Graph().as_default() as graph:
        x = ops.placeholder("float32", (2, 8, 2))
        (wanted,) = gradients(ops.conv(x, w, 2), x, ops.constant(g))
        found = ops.conv_backprop_input((2, 8, 2), w, g, 2)
        wanted = Session(graph=graph).run(wanted, {x: np.zeros((2, 8, 2))})
    np.testing.assert_array_equal(found, wanted)
    first = ops.conv_backprop_input(
        (2, 8, 2), w, g.swapaxes(1, 2), 2, data_format="channels_first"
    )
    np.testing.assert_array_equal(first, found.swapaxes(1, 2))


def test_groups_may_follow_from_the_channels():
    x, w = data((2, 5, 6), (3, 2, 9))
    np.testing.assert_array_equal(ops.conv(x, w, groups=None), ops.conv(x, w, groups=3))


def test_integers_and_floats_meet():
    x, w = np.ones((1, 4, 1), "int32"), np.ones((2, 1, 1), "float32")
    assert ops.conv(x, w).dtype == ops.conv_transpose(x, w).dtype == "float32"
    assert ops.conv(x, w.astype("int32")).dtype == "int32"


# -- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "w, how, message",
    [
        ((3, 3, 2, 4), {}, "3 channels for a kernel of 2 in each of 1 groups"),
        ((3, 3, 1, 4), {"groups": 2}, "3 channels for a kernel of 1 in each of 2"),
        ((3, 3, 1, 4), {"groups": 3}, "3 groups do not divide 4 filters"),
        ((3, 3, 2, 4), {"groups": None}, "3 channels for a kernel of 2"),
        ((3, 3, 3, 4), {"groups": 0}, "0 groups"),
        (
            (3, 3, 4),
            {},
            r"one rank, 3 to 5; x has shape \(2, 8, 7, 3\) and the .* 3, 4",
        ),
        ((3, 8, 3, 4), {}, r"spans 8 elements, but the axis has 7; .* \(8, 7\)"),
        ((2, 3, 3, 4), {"dilation": 4}, "spans 9 elements, but the axis has 7"),
        ((5, 4, 3, 4), {"padding": ((0, 0), (0, 0)), "dilation": 2}, "9 elements.* 8"),
        ((3, 9, 3, 4), {"padding": ((0, 0), (0, 1))}, "has 7, 8 with its padding"),
        ((3, 3, 3, 4), {"strides": (1, 1, 1)}, "3 strides for 2 spatial axes"),
        ((3, 3, 3, 4), {"strides": 0}, "strides must be 1 or more; got 0"),
        ((3, 3, 3, 4), {"padding": "full"}, "padding is one of valid, .*'full'"),
        ((3, 3, 3, 4), {"padding": ((0, -1), (0, 0))}, "padding is one of"),
        ((3, 3, 3, 4), {"data_format": "NHWC"}, "channels_first; got 'NHWC'"),
    ],
)
def test_what_does_not_fit_is_said(w, how, message):
    with pytest.raises(ShapeError, match=message):
        ops.conv(np.zeros((2, 8, 7, 3)), np.zeros(w), **how)


@pytest.mark.parametrize(
    "w, how, message",
    [
        ((3, 4, 2), {}, r"make \(2, 5, 2\), not \(2, 5, 3\)"),
        ((3, 4, 3), {"padding": "causal"}, "valid or same; got 'causal'"),
        ((3, 4, 3), {"output_padding": 1}, r"below strides \(1,\); got 1"),
        ((3, 4, 3), {"strides": 2, "output_padding": -1}, "0 or more"),
    ],
)
def test_what_does_not_fit_a_transpose_is_said(w, how, message):
    with pytest.raises(ShapeError, match=message):
        ops.conv_transpose(np.zeros((2, 5, 3)), np.zeros(w), **how)


def test_an_output_padding_may_need_the_size_of_the_kernel():
    with Graph().as_default():
        w = ops.placeholder("float32", (None, 4, 3))
        with pytest.raises(ShapeError, match="kernel of known size"):
            ops.conv_transpose(np.zeros((2, 5, 3)), w, 2, "same", 1)


def test_a_window_too_large_at_run_time_is_said():
    with Graph().as_default() as graph:
        x = ops.placeholder("float32", (None, None, 1))
        y = ops.conv(x, np.zeros((5, 1, 1)))
        with pytest.raises(ShapeError, match="spans 5 elements, but the axis has 4"):
            Session(graph=graph).run(y, {x: np.zeros((1, 4, 1))})

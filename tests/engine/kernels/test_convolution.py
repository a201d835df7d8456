"""The ways to convolve: each against the oracle, and what each of them promises."""

import numpy as np
import pytest

from minikeras.engine.kernels import convolution, patches, taps, windows, winograd
from minikeras.engine.kernels.windows import Grid, Window
from tests.oracles import windows as oracle

ALL_THREE = ("convolve", "backprop_filter", "backprop_input")
every_padding = pytest.mark.parametrize("padding", ["valid", "same", (2, 1)])


def data(*shapes, dtype="float64"):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def laid(sizes, taps, strides=1, dilation=1, padding="valid"):
    """Return windows over a plane, and the same for the oracle."""
    window = Window(taps, strides, dilation, padding)
    pads = padding if isinstance(padding, str) else (padding, padding)
    how = {"strides": strides, "dilation": dilation, "padding": pads}
    return Grid((window, window), sizes), how


def check(way, x, w, grid, how, names=ALL_THREE):
    """Compare a way's functions with the oracle's."""
    y = oracle.convolve(x, w, **how)
    (g,) = data(y.shape)
    calls = {
        "convolve": ((x, w, grid), y),
        "backprop_filter": (
            (x, g, grid),
            oracle.filter_gradient(x, w.shape, g, **how),
        ),
        "backprop_input": (
            (w, g, grid, x.shape[-1]),
            oracle.transpose(x.shape, w, g, **how),
        ),
    }
    for name in names:
        inputs, wanted = calls[name]
        found = getattr(way, name)(np, *inputs)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=name)


# -- fewer products --------------------------------------------------------------------


@every_padding
@pytest.mark.parametrize("sizes", [(6, 7), (3, 3), (4, 8)])
@pytest.mark.parametrize("kept", [0, 10**9])
def test_winograd_convolves(sizes, padding, kept, monkeypatch):
    monkeypatch.setattr(winograd, "MOST_KEPT", kept)
    x, w = data((2, *sizes, 3), (3, 3, 3, 4))
    check(winograd, x, w, *laid(sizes, 3, padding=padding))


def test_winograd_rounds_hardly_worse_than_sums_of_taps():
    x, w = data((4, 12, 12, 64), (3, 3, 64, 32), dtype="float32")
    grid, _ = laid((12, 12), 3)
    exact = winograd.convolve(np, x.astype("float64"), w.astype("float64"), grid)
    sums = sum(x[reads] @ w[tap] for tap, reads in grid.taps())
    found, direct = (
        np.abs(y - exact).max() for y in (winograd.convolve(np, x, w, grid), sums)
    )
    assert found < 3 * direct


@pytest.mark.parametrize(
    "how, channels, filters, wanted",
    [
        ({}, 32, 64, True),
        ({"padding": "same"}, 8, 8, True),
        ({}, 3, 64, False),
        ({}, 64, 3, False),
        ({"strides": 2}, 32, 32, False),
        ({"dilation": 2}, 32, 32, False),
    ],
)
def test_winograd_is_for_plain_windows_and_many_channels(
    how, channels, filters, wanted
):
    grid, _ = laid((9, 9), 3, **how)
    x, w = (4, 9, 9, channels), (3, 3, channels, filters)
    assert winograd.suits(grid, x, w) == wanted
    assert not winograd.suits(grid, (10**6, *x[1:]), w), "it keeps all tiles at once"


# -- one product -----------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "how", [{}, {"strides": 2, "padding": "same"}, {"dilation": 2}]
)
def test_patches_make_one_product(channels, how):
    x, w = data((3, 7, 6, channels), (3, 3, channels, 5))
    grid, how = laid((7, 6), 3, **how)
    assert patches.suits(grid, x.shape, w.shape)
    check(patches, x, w, grid, how, ALL_THREE[:2])
    with pytest.raises(TypeError, match="overlap"):
        patches.backprop_input(np, w, np.ones((3, *grid.counts, 5)), grid, channels)


def test_one_tap_is_a_product_both_ways():
    x, w = data((2, 4, 5, 6), (1, 1, 6, 7))
    check(patches, x, w, *laid((4, 5), 1))
    check(patches, x, w, *laid((4, 5), 1, strides=2), ALL_THREE[:2])


# -- sums of taps ----------------------------------------------------------------------


@every_padding
@pytest.mark.parametrize("strides, dilation", [(1, 1), (2, 1), (3, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_channels_are_convolved_one_by_one(size, strides, dilation, padding):
    x, w = data((2, 8, 7, 3), (size, size, 1, 6))
    grid, how = laid((8, 7), size, strides, dilation, padding)
    assert taps.suits(grid, x.shape, w.shape)
    check(taps, x, w, grid, how | {"groups": 3})


# -- blocks ----------------------------------------------------------------------------

BLOCKED = {
    "few channels": ((5, 6, 7, 2), (3, 3, 2, 4), 1, {"padding": "same"}),
    "channels": ((5, 6, 7, 6), (3, 3, 6, 4), 1, {"strides": 2}),
    "groups": ((5, 6, 7, 6), (2, 2, 3, 4), 2, {"padding": (1, 0)}),
}


@pytest.fixture(params=BLOCKED)
def blocked(request, monkeypatch):
    """Return arrays that are views, the calls on them, the results and the oracle's."""
    monkeypatch.setattr(windows, "CPU_BLOCK", 9_000)  # one or two examples
    x_shape, w_shape, groups, how = BLOCKED[request.param]
    grid, how = laid(x_shape[1:-1], w_shape[0], **how)
    how["groups"] = groups
    x, w = (np.asfortranarray(a) for a in data(x_shape, w_shape))
    (g,) = data((*x_shape[:1], *grid.counts, w_shape[-1]))
    g = np.asfortranarray(g)
    y, dw, dx = np.empty(g.shape), np.empty(w_shape), np.empty(x_shape)
    calls = [
        *convolution.convolve(np, y, x, w, grid, groups),
        *convolution.backprop_filter(np, dw, x, g, grid, groups),
        *convolution.backprop_input(np, dx, w, g, grid, groups),
    ]

    def wanted():
        return (
            oracle.convolve(x, w, **how),
            oracle.filter_gradient(x, w.shape, g, **how),
            oracle.transpose(x.shape, w, g, **how),
        )

    return (x, w, g), calls, (y, dw, dx), wanted


def test_calls_can_be_made_again_when_arrays_have_changed(blocked):
    arrays, calls, results, wanted = blocked
    for factor in (1, -2, 0.5):
        for array in arrays:
            array *= factor
        for call in calls:
            call()
        for found, right in zip(results, wanted(), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10)

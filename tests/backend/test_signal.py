"""Signals: windows against scipy, gradients, what is refused, and ways there and back.

Values are compared with Keras in tests/ops.
"""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.backend.signal import WINDOWS
from tests.oracles.gradcheck import check_gradient, check_second_order

# -- window functions ------------------------------------------------------------------


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_scipy(name, periodic):
    from scipy.signal import get_window

    for size in (1, 2, 7, 16):
        found = K.get_window(name, size, periodic, dtype="float64")
        np.testing.assert_allclose(found, get_window(name, size, periodic), atol=1e-15)


def test_an_unknown_window_is_refused():
    with pytest.raises(ValueError, match=r"Invalid window name 'han'; .* hann"):
        K.get_window("han", 4)


# -- gradients -------------------------------------------------------------------------

SIZES = {"sequence_length": 6, "sequence_stride": 3, "fft_length": 8}

FUNCTIONS = {
    "fft2": (lambda x, y: K.fft2((x, y)), [(3, 4), (3, 4)]),
    "rfft of fewer": (lambda x: K.rfft(x, 4), [(2, 7)]),
    "rfft of more": (lambda x: K.rfft(x, 9), [(2, 7)]),
    "irfft": (lambda x, y: K.irfft((x, y)), [(2, 5), (2, 5)]),
    "irfft of fewer": (lambda x, y: K.irfft((x, y), 5), [(2, 5), (2, 5)]),
    "stft": (lambda x: K.stft(x, **SIZES), [(2, 17)]),
    "stft by weights": (lambda x, w: K.stft(x, **SIZES, window=w), [(17,), (6,)]),
    "istft": (
        lambda x, y: K.istft((x, y), **SIZES, window=np.arange(1.0, 7)),
        [(2, 4, 5), (2, 4, 5)],
    ),
    "spectrogram": (lambda x: K.log(_power(K.stft(x, **SIZES))), [(2, 17)]),
}


def _power(pair):
    return K.square(pair[0]) + K.square(pair[1]) + 0.1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_central_differences(name, rng):
    function, shapes = FUNCTIONS[name]
    arrays = [rng.normal(size=shape) for shape in shapes]
    check_gradient(function, arrays, range(len(arrays)), rng)
    check_second_order(function, arrays, range(len(arrays)), rng)


# -- there and back --------------------------------------------------------------------


@pytest.mark.parametrize("stride", [2, 3, 8])
def test_a_signal_comes_back(stride, rng):
    # Without overlap, too: there Keras on JAX takes a stride of 0 for a missing one.
    x = rng.normal(size=(2, 25))
    kwargs = {"sequence_length": 8, "sequence_stride": stride, "fft_length": 8}
    kwargs["window"] = np.arange(2.0, 10.0)
    y = K.istft(K.stft(x, **kwargs), **kwargs)
    np.testing.assert_allclose(y, x[:, : y.shape[-1]])
    assert y.shape[-1] == (25 // stride) * stride


def test_a_signal_is_as_long_as_it_is_asked_for(rng):
    kwargs = {"sequence_length": 8, "sequence_stride": 2, "fft_length": 8}
    pair = K.stft(rng.normal(size=17), **kwargs)
    whole = K.istft(pair, **kwargs, center=False)
    for length in (5, 30):
        found = K.istft(pair, **kwargs, length=length, center=False)
        want = np.pad(whole, (0, 30))[:length]
        np.testing.assert_array_equal(found, want)


def test_complex_numbers_come_back(rng):
    pair = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 5))
    for found, want in zip(K.ifft2(K.fft2(pair)), pair, strict=True):
        np.testing.assert_allclose(found, want, atol=1e-15)
    z = K.view_as_complex(np.float32(np.stack(pair, -1)))
    np.testing.assert_array_equal(K.view_as_real(z), np.float32(np.stack(pair, -1)))


def test_half_precision_stays_half_precision(rng):
    x = rng.normal(size=8).astype("float16")
    for part in (*K.rfft(x), *K.fft((x, x)), K.irfft((x, x))):
        assert part.dtype == "float16"
    np.testing.assert_allclose(K.rfft(x)[0], np.fft.rfft(x).real, rtol=2e-3, atol=2e-3)


def test_sizes_may_be_unknown():
    x = K.placeholder((None, None))
    assert [y.shape for y in K.stft(x, 6, 3, 8)] == [(None, None, 5)] * 2
    assert [y.shape for y in K.rfft(x, 6)] == [(None, 4)] * 2
    assert [y.shape for y in K.rfft(x)] == [(None, None)] * 2
    assert K.irfft((x, x), 6).shape == (None, 6)
    assert K.segment_max(x, [0, 1], 3).shape == (3, None)
    pieces = K.placeholder((2, 4, 5))
    assert K.istft((pieces, pieces), 6, 3, 8).shape == (2, 9)
    pieces = K.placeholder((2, None, 5))
    assert K.istft((pieces, pieces), 6, 3, 8).shape == (2, None)
    assert K.istft((pieces, pieces), 6, 3, 8, length=7).shape == (2, 7)
    assert K.stft(K.placeholder((2, 17)), 6, 3, 8)[0].shape == (2, 6, 5)


# -- what is refused -------------------------------------------------------------------

X = np.zeros((2, 9), "float32")

REFUSED = {
    "no pair": (lambda: K.fft(X), "tuple of two tensors"),
    "two shapes": (lambda: K.fft((X, X[0])), r"\(2, 9\), x\[1\].shape = \(9,\)"),
    "integers": (lambda: K.irfft((X.astype(int), X)), "not of type float"),
    "a vector": (lambda: K.fft2((X[0], X[0])), r"rank >= 2. Received: .* \(9,\)"),
    "a scalar": (lambda: K.fft((X[0, 0], X[0, 0])), "rank >= 1"),
    "a scalar signal": (lambda: K.rfft(X[0, 0]), "rank >= 1"),
    "pieces of a scalar": (lambda: K.extract_sequences(3, 1, 1), "rank >= 1"),
    "one piece": (lambda: K.istft((X[0], X[0]), 4, 2, 4), "rank >= 2"),
    "no stride": (lambda: K.stft(X, 4, 0, 4), "positive integer"),
    "a long window": (lambda: K.stft(X, 5, 2, 4), "sequence_length=5, fft_length=4"),
    "another window": (lambda: K.stft(X, 4, 2, 4, "bartlett"), "window=bartlett"),
    "a short window": (lambda: K.stft(X, 4, 2, 4, np.ones(3)), r"window shape=\(3,\)"),
    "three parts": (
        lambda: K.view_as_complex(X),
        r"size 2 .* Received shape: \(2, 9\)",
    ),
    "numbers of numbers": (
        lambda: K.segment_sum(X, [[0], [1]], 2),
        "`segment_ids` should be an 1-D vector, got shape: 2",
    ),
    "too few numbers": (lambda: K.segment_max(X, [0], 2), r"\(1,\) v.s. \(2, 9\)"),
    "half a number": (lambda: K.view(X, "float64"), r"not divisible by the 8"),
    "a viewed scalar": (lambda: K.view(X[0, 0], "int8"), "scalar"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_dtypes_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match=r"`float32` or `float64`. .* type=int64"):
        K.stft(np.zeros(9, int), 4, 2, 4)
    with pytest.raises(TypeError, match="integers are wanted; got float32"):
        K.gcd(X, X)


# -- dtypes ----------------------------------------------------------------------------


def test_long_integers_become_long_floats():
    assert K.cbrt(np.array([27])).dtype == K.i0(np.array([0])).dtype == "float64"


def test_a_complex_number_of_python_takes_the_other_ones_width():
    assert (K.ones((2,), "float32") * 1j).dtype == "complex64"
    x = K.placeholder((2,), dtype="float32")
    assert (x * 1j).dtype == "complex64"
    assert (K.cast(x, "float64") * 1j).dtype == "complex128"

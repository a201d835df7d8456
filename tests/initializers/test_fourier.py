"""The kernel of a short-time Fourier transform."""

import numpy as np
import pytest

from minikeras import initializers

WEIGHTS = np.arange(1.0, 7.0)


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", ["hann", "blackman", WEIGHTS, None], ids=str)
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("periodic", [False, True])
def test_values_are_those_of_keras(side, window, scaling, periodic):
    keras = pytest.importorskip("keras")
    args = side, window, scaling, periodic
    found = initializers.STFT(*args)((6, 1, 5), "float32")
    want = np.asarray(keras.initializers.STFT(*args)((6, 1, 5), "float32"))
    np.testing.assert_allclose(found, want, rtol=1e-6, atol=5e-6)


def test_long_pieces_lose_no_digits():
    found = initializers.STFT("imag", None)((4096, 1, 4097), "float32")[:, 0]
    angle = 2 * np.pi * np.outer(np.arange(4096), np.arange(4097)) / 8192
    np.testing.assert_allclose(found, -np.sin(angle), atol=2e-6)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="side should be 'real' or 'imag', not left"):
        initializers.STFT("left")
    with pytest.raises(ValueError, match=r"Scaling is invalid, .* scaling=much"):
        initializers.STFT(scaling="much")
    with pytest.raises(ValueError, match="Invalid window name 'none'"):
        initializers.STFT(window="none")
    with pytest.raises(ValueError, match=r"\[frame_length\]. .* shape=\(6,\)"):
        initializers.STFT(window=WEIGHTS)((5, 1, 5))

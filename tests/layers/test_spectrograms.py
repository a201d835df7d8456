"""Spectrograms: as they are made, in a model, and what they refuse."""

import numpy as np
import pytest

from minikeras import Sequential, layers
from minikeras import backend as K

X = np.random.default_rng(3).normal(size=(2, 64, 1)).astype("float32")


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "stft"])
def test_an_untrained_layer_does_what_keras_does(mode):
    keras = pytest.importorskip("keras")
    args = {"mode": mode, "frame_length": 16, "fft_length": 32}
    want = np.asarray(keras.layers.STFTSpectrogram(**args)(X))
    found = layers.STFTSpectrogram(**args)(X)
    np.testing.assert_allclose(found, want, rtol=2e-4, atol=2e-4)


def test_it_is_the_transform_of_each_piece():
    layer = layers.STFTSpectrogram(
        "stft", frame_length=8, frame_step=4, window=None, expand_dims=True
    )
    real, imag = np.split(layer(X)[..., 0], 2, -1)
    pieces = np.lib.stride_tricks.sliding_window_view(X[..., 0], 8, -1)[:, ::4]
    np.testing.assert_allclose(real + 1j * imag, np.fft.rfft(pieces), atol=1e-5)


def test_a_model_trains_its_kernels():
    model = Sequential(
        [
            layers.STFTSpectrogram(frame_length=16, padding="same"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    model.build((None, 64, 1))
    before = [np.array(w) for w in model.layers[0].get_weights()]
    model.fit(X, np.ones((2, 1)), verbose=0)
    after = model.layers[0].get_weights()
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True))


def test_a_model_hears_in_mel():
    model = Sequential(
        [
            layers.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    first = model.fit(X[..., 0], np.ones((2, 1)), verbose=0).history["loss"][0]
    assert np.isfinite(first)
    assert model.predict(X[..., 0], verbose=0).shape == (2, 1)


def test_shapes_with_unknown_sizes():
    mel = layers.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=3)
    assert mel.compute_output_shape((None, None)) == (None, 3, None)
    # Keras 3.15 says 9 here, of which there are 8 pieces.
    assert mel.compute_output_shape((None, 63)) == (None, 3, 8)
    assert mel(X[:, :63, 0]).shape == (2, 3, 8)
    layer = layers.STFTSpectrogram(frame_length=16, frame_step=4)
    assert layer.compute_output_shape((None, None, 2)) == (None, None, 18)
    assert layer(K.placeholder((None, 64, 2))).shape == (None, 13, 18)


def test_lists_and_integers_are_signals():
    mel = layers.MelSpectrogram(fft_length=8, sequence_stride=4, num_mel_bins=2)
    signal = [3, -1, 4, 1, -5, 9, 2, -6]
    np.testing.assert_array_equal(mel(signal), mel(np.array(signal, "float32")))
    assert mel(np.array(signal, "float16")).dtype == "float32"


def test_silence_has_the_least_level():
    mel = layers.MelSpectrogram(fft_length=8, sequence_stride=4, num_mel_bins=2)
    np.testing.assert_allclose(mel(np.zeros(16, "float32")), -100)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bands_are_those_of_keras(dtype):
    keras = pytest.importorskip("keras")
    args = (7, 33, 8000, 100.0, 3900.0)
    want = keras.layers.MelSpectrogram().linear_to_mel_weight_matrix(*args)
    found = layers.MelSpectrogram().linear_to_mel_weight_matrix(*args, dtype=dtype)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.asarray(want), atol=2e-5)


REFUSED = {
    "steps": ({"frame_step": 9}, "frame_step=9, frame_length=8"),
    "length": ({"fft_length": 4}, "fft_length=4, frame_length=8"),
    "mode": ({"mode": "loud"}, "must be one of log, magnitude, psd, .* mode=loud"),
    "scaling": ({"scaling": "l2"}, "Scaling is invalid, .* scaling=l2"),
    "padding": ({"padding": "causal"}, "Padding is invalid, .* padding=causal"),
    "window": ({"window": "glass"}, "Invalid window name 'glass'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arguments_that_do_not_fit_are_refused(name):
    arguments, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        layers.STFTSpectrogram(**{"frame_length": 8} | arguments)


def test_what_else_is_refused():
    with pytest.warns(UserWarning, match="power of two. Received fft_length=12"):
        layers.STFTSpectrogram(frame_length=8, fft_length=12)
    with pytest.raises(TypeError, match="Received: input type=int32"):
        layers.STFTSpectrogram(frame_length=8)(np.zeros((2, 9, 1), "int32"))
    with pytest.raises(ValueError, match=r"`sequence_length`=9, `fft_length`=8"):
        layers.MelSpectrogram(fft_length=8, sequence_length=9)

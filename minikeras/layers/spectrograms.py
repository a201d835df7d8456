"""Sounds as images: the strength of each frequency, piece by piece."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras.initializers import STFT
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.preprocessing.data_layer import DataLayer

__all__ = ["MelSpectrogram", "STFTSpectrogram"]


# -- by convolution --------------------------------------------------------------------


def _power(real: Any, imag: Any) -> Any:
    return K.square(real) + K.square(imag)


def _density(real: Any, imag: Any) -> Any:
    """Return the power, that of the mirrored frequencies included."""
    power = _power(real, imag)
    return power + K.pad(power[..., 1:-1], ((0, 0), (0, 0), (1, 1)))


def _magnitude(real: Any, imag: Any) -> Any:
    return K.sqrt(K.maximum(_power(real, imag), K.epsilon()))


def _log(real: Any, imag: Any) -> Any:
    return K.log(K.maximum(_magnitude(real, imag), K.epsilon()))


# What is shown of a transform, by its real and imaginary parts.
MODES: dict[str, Callable[[Any, Any], Any]] = {
    "log": _log,
    "magnitude": _magnitude,
    "psd": _density,
    "real": lambda real, imag: real,
    "imag": lambda real, imag: imag,
    "angle": lambda real, imag: K.arctan2(imag, real),
    "stft": lambda real, imag: K.concatenate([real, imag], -1),
}


class STFTSpectrogram(Layer):
    """Short-time Fourier transforms of signals, as convolutions that can be trained.

    Args:
        mode: what to return: ``"magnitude"``, its logarithm (``"log"``), the power
            (``"psd"``), the parts (``"real"``, ``"imag"``, or ``"stft"``, one after the
            other) or the ``"angle"``, in radians.
        frame_length: steps in a piece.
        frame_step: from one piece's start to the next one's; half a piece by default.
        fft_length: twice the number of frequencies, less two; by default the power of
            two that is not below `frame_length`.
        window: a name that `backend.get_window` knows, the weights, or None.
        periodic: whether the window's next period would begin after the last weight.
        scaling: "density", "spectrum" or None: by which norm the window is divided.
        padding: "valid", or "same" for a piece at each `frame_step` steps.
        expand_dims: whether to return images.
        data_format: where the channels are.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, pieces, channels · frequencies), or images: (batch, pieces,
            frequencies, channels); channels first: (batch, channels · frequencies,
            pieces), (batch, channels, pieces, frequencies)

    Raises:
        ValueError: if an argument does not fit.
        TypeError: if it is called on other than floating-point numbers.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fft_length = fft_length
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = K.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)
        self.real_kernel = self.imag_kernel = None
        self._check_lengths()
        self._check_words()

    def _check_lengths(self) -> None:
        step, length, n = self.frame_step, self.frame_length, self.fft_length
        if step is not None and not 1 <= step <= length:
            raise ValueError(
                "`frame_step` should be a positive integer not greater than "
                f"`frame_length`. Received frame_step={step}, frame_length={length}"
            )
        if n is not None and n < length:
            raise ValueError(
                "`fft_length` should be not less than `frame_length`. "
                f"Received fft_length={n}, frame_length={length}"
            )
        if n is not None and n & (n - 1):
            warnings.warn(
                "`fft_length` is recommended to be a power of two. "
                f"Received fft_length={n}",
                stacklevel=4,
            )

    def _check_words(self) -> None:
        if self.mode not in tuple(MODES):
            raise ValueError(
                f"Output mode is invalid, it must be one of {', '.join(MODES)}. "
                f"Received: mode={self.mode}"
            )
        if self.padding not in ("valid", "same"):
            raise ValueError(
                "Padding is invalid, it should be 'valid', 'same'. "
                f"Received: padding={self.padding}"
            )
        self._waves("real")  # checks the rest

    def _waves(self, side: str) -> STFT:
        return STFT(side, self.window, self.scaling, self.periodic)

    def build(self, input_shape: Any) -> None:
        n = self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))
        shape = (self.frame_length, 1, n // 2 + 1)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(
                shape, self._waves("real"), name="real_kernel"
            )
        if self.mode != "real":
            self.imag_kernel = self.add_weight(
                shape, self._waves("imag"), name="imag_kernel"
            )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        if K.dtype(inputs) not in ("float16", "float32", "float64"):
            raise TypeError(
                "Invalid input type. Expected `float16`, `float32` or `float64`. "
                f"Received: input type={K.dtype(inputs)}"
            )
        first = self.data_format == "channels_first"
        x = inputs if first else K.swapaxes(inputs, 1, 2)
        _, channels, steps = K.sizes_of(x)
        signals = K.reshape(x, (-1, steps, 1))
        parts = [
            None if kernel is None else self._transformed(signals, kernel)
            for kernel in (self.real_kernel, self.imag_kernel)
        ]
        y = MODES[self.mode](*parts)
        _, pieces, bins = K.sizes_of(y)
        return self._arranged(K.reshape(y, (-1, channels, pieces, bins)))

    def _transformed(self, signals: K.Tensor, kernel: K.Variable) -> K.Tensor:
        step = self.frame_step or self.frame_length // 2
        waves = K.cast(kernel, signals.dtype)
        return K.conv(signals, waves, step, self.padding, "channels_last")

    def _arranged(self, images: K.Tensor) -> K.Tensor:
        """Return images of (batch, channels, pieces, bins) as `data_format` says."""
        first = self.data_format == "channels_first"
        if self.expand_dims:
            return images if first else K.transpose(images, (0, 2, 3, 1))
        _, channels, pieces, bins = K.sizes_of(images)
        if first:
            rows = K.transpose(images, (0, 1, 3, 2))
            return K.reshape(rows, (-1, channels * bins, pieces))
        rows = K.transpose(images, (0, 2, 1, 3))
        return K.reshape(rows, (-1, pieces, channels * bins))


# -- by Fourier transforms -------------------------------------------------------------


def _mel(frequency: Any) -> Any:
    """Return a frequency in Hz on the mel scale."""
    return 1127.0 * K.log(1.0 + frequency / 700.0)


class MelSpectrogram(DataLayer):
    """The strength of bands of frequencies, as wide as the ear tells them apart.

    A short-time Fourier transform, whose frequencies are summed up in triangles, evenly
    spaced on the mel scale: ``1127 ln(1 + f / 700 Hz)``.

    Args:
        fft_length: samples in a piece.
        sequence_stride: samples from one piece's start to the next one's.
        sequence_length: samples in the window; `fft_length` by default.
        window: "hann", "hamming", the weights, or None for no window.
        sampling_rate: samples in a second.
        num_mel_bins: the number of bands.
        min_freq: the lower end of the first band, in Hz.
        max_freq: the upper end of the last band, in Hz; half the sampling rate by
            default.
        power_to_db: whether to return decibels.
        top_db: by how many of them the weakest lies below the strongest at most.
        mag_exp: the power of the magnitude that is summed up: 2 for energy.
        min_power: sums below it are raised to it.
        ref_power: what counts as 0 decibels.

    Shapes:
        inputs: (samples), or (batch, samples)
        returns: (num_mel_bins, pieces), or (batch, num_mel_bins, pieces)

    Raises:
        ValueError: if the window is longer than a piece.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power
        if self.fft_length < self.sequence_length:
            raise ValueError(
                "`fft_length` must be greater than or equal to `sequence_length`. "
                f"Received: `sequence_length`={self.sequence_length}, "
                f"`fft_length`={fft_length}."
            )

    def call(self, inputs: K.Tensor) -> K.Tensor:
        kind = "float64" if self.compute_dtype == "float64" else "float32"
        real, imag = K.stft(
            K.cast(inputs, kind),
            self.sequence_length,
            self.sequence_stride,
            self.fft_length,
            self.window,
        )
        strength = K.power(_power(real, imag), self.mag_exp / 2)
        bands = K.dot(strength, self._bands(kind))
        if self.power_to_db:
            bands = self._decibels(bands)
        return K.cast(K.swapaxes(bands, -1, -2), self.compute_dtype)

    def _bands(self, dtype: str) -> Any:
        return self.linear_to_mel_weight_matrix(
            self.num_mel_bins,
            self.fft_length // 2 + 1,
            self.sampling_rate,
            self.min_freq,
            self.max_freq,
            dtype,
        )

    def _decibels(self, power: K.Tensor) -> K.Tensor:
        reference = math.log10(max(abs(self.ref_power), self.min_power))
        levels = 10.0 * (K.log10(K.maximum(power, self.min_power)) - reference)
        return K.maximum(levels, K.max(levels) - self.top_db)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: str = "float32",
    ) -> Any:
        """Return what each frequency counts for in each band: triangles of height 1.

        Args:
            num_mel_bins: the number of bands.
            num_spectrogram_bins: how many frequencies there are, from 0 on.
            sampling_rate: twice the highest of them, in Hz.
            lower_edge_hertz: where the first band begins.
            upper_edge_hertz: where the last band ends.
            dtype: of the weights.

        Shapes:
            returns: (num_spectrogram_bins, num_mel_bins)

        Source: Young et al., The HTK Book, section 5.4: the frequency 0 is left out.
        """
        ends = K.cast([lower_edge_hertz, upper_edge_hertz], dtype)
        first, last = K.unstack(_mel(ends))
        edges = K.linspace(first, last, num_mel_bins + 2)
        lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
        frequencies = K.linspace(
            K.cast(0.0, dtype), sampling_rate / 2, num_spectrogram_bins
        )
        mel = K.expand_dims(_mel(frequencies[1:]), -1)
        rising, falling = (
            (mel - lower) / (center - lower),
            (upper - mel) / (upper - center),
        )
        weights = K.maximum(K.minimum(rising, falling), 0.0)
        return K.pad(weights, ((1, 0), (0, 0)))

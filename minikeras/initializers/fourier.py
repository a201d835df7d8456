"""The kernel with which a convolution is a Fourier transform of short pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.initializers.constant import Initializer

__all__ = ["STFT"]


class STFT(Initializer):
    """The waves of a discrete Fourier transform, times a window.

    ``kernel[n, 0, k] = window[n] cos(2πkn / N) / scale``, or minus the sine, where N is
    twice the number of frequencies less one. It is meant for `STFTSpectrogram`.

    Args:
        side: "real" for the cosines, "imag" for the sines.
        window: a name that `backend.get_window` knows, the weights themselves, or None
            for no window.
        scaling: "density" divides by the window's L2 norm, "spectrum" by its L1 norm,
            None by nothing.
        periodic: whether the window's next period would begin after the last weight.

    Raises:
        ValueError: if there is no such side, window or scaling.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if isinstance(window, str):
            K.get_window(window, 1)
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. "
                f"Received scaling={scaling}"
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return the kernel, of shape (frame_length, 1, frequencies).

        Raises:
            ValueError: if the window is not that long.
        """
        length, _, bins = shape
        kind = K.standardize_dtype(dtype)
        wide = "float64" if kind == "float64" else "float32"
        period = max(1, 2 * (bins - 1))
        # Whole turns are left out while numbers are exact.
        turns = K.arange(length)[:, None] * K.arange(bins) % period
        angle = K.cast(turns, wide) * (2 * math.pi / period)
        waves = K.cos(angle) if self.side == "real" else -K.sin(angle)
        if self.window is not None:
            waves = waves * K.expand_dims(self._weights(length, wide), -1)
        return K.cast(K.expand_dims(waves, 1), kind)

    def _weights(self, length: int, kind: str) -> Any:
        """Return the scaled window."""
        if isinstance(self.window, str):
            window = K.get_window(self.window, length, self.periodic, kind)
        else:
            window = K.convert_to_tensor(self.window, kind)
        if K.known_shape(window) != (length,):
            raise ValueError(
                "The shape of `window` must be equal to [frame_length]. "
                f"Received: window shape={window.shape}"
            )
        if self.scaling == "density":
            return window / K.sqrt(K.sum(K.square(window)))
        if self.scaling == "spectrum":
            return window / K.sum(K.abs(window))
        return window

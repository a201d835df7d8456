"""AWQ: what meets large inputs is made larger before it is rounded."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.quantizers.calibrating import Calibrator
from minikeras.quantizers.configs import AWQConfig
from minikeras.quantizers.groups import (
    compute_quantization_parameters,
    dequantize_with_sz_map,
    quantize_with_sz_map,
)

__all__ = ["AWQ", "awq_quantize_matrix", "awq_search_optimal_scales"]


def awq_search_optimal_scales(
    weights: Any,
    activation_magnitudes: Any,
    *,
    num_grid_points: int = 20,
    group_size: int = -1,
) -> Any:
    """Return by how much to multiply the weights of each input before rounding.

    Of ``s = m^r``, for r from 0 to 1 and the largest inputs m, those with the least
    mean of ``(m (w - round(w s) / s))^2``.

    Args:
        weights: the transposed kernel.
        activation_magnitudes: m.
        num_grid_points: how many steps r takes.
        group_size: how many inputs share a scale; -1 for all.

    Shapes:
        weights: (outputs, inputs)
        activation_magnitudes: (inputs,)
        returns: (inputs,)

    Source: Lin et al. 2024, arXiv:2306.00978, section 3.2.
    """
    w = np.asarray(K.convert_to_numpy(weights))
    largest = np.asarray(K.convert_to_numpy(activation_magnitudes)).astype("float32")
    largest = np.where(largest < 1e-8, np.float32(1), largest)
    best, least = np.ones_like(largest), np.inf
    for i in range(num_grid_points + 1):
        scales = np.maximum(largest ** np.float32(i / num_grid_points), 1e-4)
        middle = np.sqrt(scales.max() * scales.min())
        scales = (scales / np.maximum(middle, 1e-8)).astype("float32")
        integers, scale, zero, places = _rounded(w * scales, group_size)
        found = dequantize_with_sz_map(integers, scale, zero, places)
        error = (w - np.asarray(K.convert_to_numpy(found)) / scales) * largest
        loss = float(np.mean(error**2))
        if loss < least:
            best, least = scales, loss
    return best


def awq_quantize_matrix(
    weights_transpose: Any,
    activation_magnitudes: Any,
    *,
    num_grid_points: int = 20,
    group_size: int = -1,
) -> tuple[Any, Any, Any, Any, Any]:
    """Return integers, scales, zero points, factors of inputs, and inputs' groups.

    Args:
        weights_transpose: the transposed kernel.
        activation_magnitudes: the largest value of each input.
        num_grid_points: see `awq_search_optimal_scales`.
        group_size: how many inputs share a scale; -1 for all.

    Shapes:
        weights_transpose: (outputs, inputs)
        returns: (outputs, inputs), (outputs, groups), (outputs, groups), (inputs,),
            (inputs,)
    """
    factors = awq_search_optimal_scales(
        weights_transpose,
        activation_magnitudes,
        num_grid_points=num_grid_points,
        group_size=group_size,
    )
    w = np.asarray(K.convert_to_numpy(weights_transpose)) * factors
    integers, scale, zero, places = _rounded(w, group_size)
    return integers, scale, zero, factors, places.astype("float32")


def _rounded(w: Any, group_size: int) -> tuple[Any, Any, Any, Any]:
    """Return 4-bit integers, scales, zero points, and the groups of columns."""
    scale, zero, most = compute_quantization_parameters(
        w, bits=4, per_channel=True, group_size=group_size
    )
    count = w.shape[1]
    places = np.arange(count) // (count if group_size == -1 else group_size)
    return quantize_with_sz_map(w, scale, zero, places, most), scale, zero, places


class AWQ(Calibrator):
    """Quantizes the kernel of one layer, given the largest values of its inputs.

    Args:
        layer: a `Dense` or an `EinsumDense`.
        config: what to do.

    Attributes:
        activation_magnitudes: the largest absolute value of each input.
        num_samples: of how many.

    Raises:
        TypeError: if it is no such layer.
    """

    name = "AWQ"

    def __init__(self, layer: Any, config: AWQConfig | None = None) -> None:
        super().__init__(layer, config or AWQConfig(dataset=None, tokenizer=None))
        self.activation_magnitudes: Any = np.zeros((self.rows,), "float32")

    def update_activation_magnitudes(self, input_batch: Any) -> None:
        """Take inputs into account.

        Args:
            input_batch: (..., features).

        Raises:
            ValueError: if there are none.
        """
        x = self.samples(input_batch)
        largest = np.abs(x).max(axis=0)
        self.activation_magnitudes = np.maximum(self.activation_magnitudes, largest)
        self.num_samples += len(x)

    see = update_activation_magnitudes

    def quantize_layer(self) -> None:
        """Put the quantized kernel in the place of the layer's."""
        found = awq_quantize_matrix(
            self.matrix().T,
            self.activation_magnitudes,
            num_grid_points=self.config.num_grid_points,
            group_size=self.config.group_size,
        )
        self.original_layer.calibrate(*found)

    finish = quantize_layer

    def free(self) -> None:
        """Forget the layer, and what was learned of its inputs."""
        super().free()
        del self.activation_magnitudes

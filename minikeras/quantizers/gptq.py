"""GPTQ: a column at a time is rounded, and the columns left make up for the error."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.quantizers.calibrating import Calibrator
from minikeras.quantizers.configs import GPTQConfig
from minikeras.quantizers.groups import (
    compute_quantization_parameters,
    dequantize_with_zero_point,
    quantize_with_zero_point,
)

__all__ = ["GPTQ", "gptq_quantize_matrix"]


def gptq_quantize_matrix(
    weights_transpose: Any,
    inv_hessian: Any,
    *,
    blocksize: int = 128,
    group_size: int = -1,
    activation_order: bool = False,
    order_metric: Any = None,
    compute_scale_zero: Callable[..., Any] = compute_quantization_parameters,
) -> tuple[Any, Any, Any, Any]:
    """Return integers, scales, zero points, and the place of each input's group.

    Having rounded column j of W to q, with the inverse H of the Hessian:
    ``e = (W_j - q) / H_jj``, and ``W_k -= e H_jk`` for all later columns k; for those
    of later blocks not at once, but a block at a time.

    Args:
        weights_transpose: W, the transposed kernel.
        inv_hessian: H.
        blocksize: columns in a block.
        group_size: how many inputs share a scale; -1 for all.
        activation_order: whether columns are rounded by `order_metric`, largest first.
        order_metric: a number for each column; ``1 / H_jj`` by default.
        compute_scale_zero: from columns to scales, zero points and the largest level.

    Shapes:
        weights_transpose: (outputs, inputs)
        inv_hessian: (inputs, inputs)
        returns: (outputs, inputs), (outputs, groups), (outputs, groups), (inputs,)

    Source: Frantar et al. 2023, arXiv:2210.17323, algorithm 1; as in Keras, by the
    inverse itself instead of its Cholesky factor.
    """
    weights = np.array(K.convert_to_numpy(weights_transpose))
    inverse = np.asarray(K.convert_to_numpy(inv_hessian))
    count = weights.shape[1]
    order = np.arange(count)
    if activation_order:
        metric = (
            1 / (inverse.diagonal() + 1e-12) if order_metric is None else order_metric
        )
        metric = np.asarray(K.convert_to_numpy(metric))
        order = _stable_permutation(np.where(np.isfinite(metric), metric, 0))
    weights, inverse = weights[:, order], inverse[np.ix_(order, order)]
    group = count if group_size == -1 else group_size
    groups: list[Any] = []
    integers = np.zeros(weights.shape, "int32")
    for start in range(0, count, blocksize):
        block = slice(start, min(start + blocksize, count))
        errors = _round_block(
            weights, inverse, block, integers, group, groups, compute_scale_zero
        )
        weights[:, block.stop :] -= errors @ inverse[block, block.stop :]
    back = np.argsort(order)
    scale, zero = (np.concatenate([g[i] for g in groups], axis=1) for i in range(2))
    places = (np.arange(count) / group).astype("float32")
    return integers[:, back], scale, zero, places[back]


def _round_block(
    weights: Any,
    inverse: Any,
    block: slice,
    integers: Any,
    group: int,
    groups: list[Any],
    parameters: Callable[..., Any],
) -> Any:
    """Round the columns of a block into `integers`; return their errors.

    A group's scales are those of its columns as they are when it is entered, with what
    blocks before have added to them.
    """
    own = weights[:, block].copy()
    h = inverse[block, block]
    errors = np.zeros_like(own)
    for i, j in enumerate(range(block.start, block.stop)):
        if j % group == 0 or not groups:
            first = j // group * group
            found = parameters(weights[:, first : first + group])
            groups.append([np.asarray(K.convert_to_numpy(x)) for x in found])
        scale, zero, most = groups[-1]
        column = quantize_with_zero_point(own[:, i : i + 1], scale, zero, most)
        integers[:, j] = np.asarray(K.convert_to_numpy(column))[:, 0]
        rounded = K.convert_to_numpy(dequantize_with_zero_point(column, scale, zero))
        errors[:, i] = (own[:, i] - rounded[:, 0]) / h[i, i]
        own[:, i + 1 :] -= np.outer(errors[:, i], h[i, i + 1 :])
    return errors


def _stable_permutation(metric: Any) -> Any:
    """Return the order of numbers from large to small; equal ones stay in order."""
    return np.argsort(-np.asarray(K.convert_to_numpy(metric)), kind="stable")


class GPTQ(Calibrator):
    """Quantizes the kernel of one layer, given enough of its inputs.

    Args:
        layer: a `Dense` or an `EinsumDense`.
        config: what to do.

    Attributes:
        hessian: of half the squared error of an output by a column of the kernel.
        num_samples: how many inputs it is made of.

    Raises:
        TypeError: if it is no such layer.
    """

    name = "GPTQ"

    def __init__(self, layer: Any, config: GPTQConfig | None = None) -> None:
        super().__init__(layer, config or GPTQConfig(dataset=None, tokenizer=None))
        self.hessian: Any = np.zeros((self.rows, self.rows), "float32")

    def update_hessian_with_batch(self, input_batch: Any) -> None:
        """Take inputs into account.

        Args:
            input_batch: (..., features).

        Raises:
            ValueError: if there are none, or they do not fit the layer.
        """
        x = self.samples(input_batch)
        if x.shape[-1] != len(self.hessian):
            raise ValueError(
                f"Hessian dimensions ({len(self.hessian)}) do not match input features "
                f"({x.shape[-1]})."
            )
        total = self.num_samples + len(x)
        gram = x.T @ x
        self.hessian = self.hessian * np.float32(self.num_samples / total)
        self.hessian += np.float32(2 / total) * (gram + gram.T) / 2
        self.num_samples = total

    see = update_hessian_with_batch

    def quantize_and_correct_layer(self, blocksize: int = 128) -> None:
        """Put the quantized kernel in the place of the layer's.

        Args:
            blocksize: columns whose errors are made up for at once.
        """
        hessian = np.array(K.convert_to_numpy(self.hessian))
        diagonal = hessian.diagonal()
        dead = diagonal == 0  # inputs that are always 0
        diagonal = np.where(dead, np.float32(1), diagonal)
        damping = np.float32(self.config.hessian_damping) * diagonal.mean()
        np.fill_diagonal(hessian, diagonal + damping)
        integers, scale, zero, places = gptq_quantize_matrix(
            self.matrix().T,
            np.linalg.inv(hessian),
            blocksize=blocksize,
            group_size=self.config.group_size,
            activation_order=self.config.activation_order,
            order_metric=hessian.diagonal(),
            compute_scale_zero=partial(
                compute_quantization_parameters,
                bits=self.config.weight_bits,
                symmetric=self.config.symmetric,
                per_channel=self.config.per_channel,
                group_size=self.config.group_size,
            ),
        )
        self.original_layer.calibrate(integers, scale, zero, places)

    finish = quantize_and_correct_layer

    def free(self) -> None:
        """Forget the layer, and what was learned of its inputs."""
        super().free()
        del self.hessian

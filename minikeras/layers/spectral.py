"""Weights divided by how much they can stretch a vector."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras import initializers
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.wrapping import Wrapper

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value in training.

    That value is estimated by power iteration, which goes on from call to call:

        v = normalize(u Wᵀ), u = normalize(v W), σ = v W uᵀ, W' = W / σ

    Args:
        layer: a layer with a `kernel`, or with `embeddings`.
        power_iterations: how often u and v are refined in each call; above 0.

    Raises:
        ValueError: if `power_iterations` is not above 0, or the layer has no such
            weight.

    Source: Miyato et al. 2018, arXiv:1802.05957, algorithm 1.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.kernel = self._weight()
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
        )
        if hasattr(self.layer, "kernel"):
            self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def _weight(self) -> K.Variable:
        for name in ("kernel", "embeddings"):
            if hasattr(self.layer, name):
                return getattr(self.layer, name)
        raise ValueError(
            f"{type(self.layer).__name__} object has no attribute 'kernel' nor "
            "'embeddings'"
        )

    def call(self, inputs: Any, training: Any = None) -> Any:
        if training:
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        y = self.layer(inputs)
        return K.cast(y, inputs.dtype) if K.is_float_dtype(inputs.dtype) else y

    def normalized_weights(self) -> tuple[Any, Any]:
        """Return u and the kernel as the next step has them; zeros stay as they are."""
        kernel, u, v = self.kernel, self.vector_u, None
        w = K.reshape(kernel, (-1, kernel.shape[-1]))
        for _ in range(self.power_iterations):
            v = K.l2_normalize(K.dot(u, K.transpose(w)))
            u = K.l2_normalize(K.dot(v, w))
        u, v = K.stop_gradient((u, v))
        sigma = K.sum(K.dot(v, w) * u)
        zero = K.all(K.equal(kernel, 0))
        sigma = K.where(zero, K.ones_like(sigma), sigma)
        u = K.where(zero, self.vector_u, u)
        return K.cast(u, self.vector_u.dtype), K.cast(kernel / sigma, kernel.dtype)

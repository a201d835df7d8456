"""Layers that only architectures have: of scaled and of dropped branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import ops, random
from minikeras.initializers import Constant
from minikeras.layers import Layer

__all__ = ["CustomScaleLayer", "LayerScale", "StochasticDepth"]


class StochasticDepth(Layer):
    """Drop a branch now and then: zero for whole samples, the others scaled up.

    Args:
        drop_path_rate: share of samples for which the branch is dropped in training.

    Source: Huang et al. 2016, arXiv:1603.09382.
    """

    def __init__(self, drop_path_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training:
            return x
        keep = 1 - self.drop_path_rate
        shape = (ops.shape(x)[0], *(1,) * (len(x.shape) - 1))
        return x / keep * ops.floor(keep + random.uniform(shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "drop_path_rate": self.drop_path_rate}


class LayerScale(Layer):
    """Scale each channel by a weight of its own.

    Args:
        init_values: what the weights start from, near zero.
        projection_dim: number of channels.

    Source: Touvron et al. 2021, arXiv:2103.17239.
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(
            shape=(self.projection_dim,), initializer=Constant(self.init_values)
        )

    def call(self, x: Any) -> Any:
        return x * self.gamma

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "init_values": self.init_values,
            "projection_dim": self.projection_dim,
        }


class CustomScaleLayer(Layer):
    """Add a branch, scaled: ``inputs[0] + scale * inputs[1]``.

    Args:
        scale: of the branch; below 1 it keeps deep networks stable.
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Sequence[Any]) -> Any:
        return inputs[0] + inputs[1] * self.scale

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}

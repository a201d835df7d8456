"""An embedding that can be walked both ways: from numbers to vectors, and back."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.adapters import Reversible, Table
from minikeras.layers.core import Embedding
from minikeras.layers.masks import with_mask

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(Reversible, Embedding):
    """A vector for each of a range of integers, and from vectors back to logits.

    Args:
        input_dim: how many integers there are, from 0 up; above 0.
        output_dim: size of a vector; above 0.
        tie_weights: whether the way back uses the same table, transposed.
        embeddings_initializer: how the vectors start.
        embeddings_regularizer: a penalty on them.
        embeddings_constraint: a projection of them after each update.
        mask_zero: whether 0 means that there is nothing, and is masked.
        reverse_dtype: in which the way back is computed; the layer's by default.
        logit_soft_cap: bound c of the logits, which become ``c tanh(logits / c)``.

    Shapes:
        inputs: (batch, ...), integers; in reverse (batch, ..., output_dim)
        returns: (batch, ..., output_dim); in reverse (batch, ..., input_dim)

    Source: Press, Wolf 2016, arXiv:1608.05859.
    """

    form = Table()
    embeddings_initializer: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, inputs: K.Tensor, reverse: bool = False) -> K.Tensor:
        if not reverse:
            return with_mask(super().call(inputs), super().compute_mask(inputs))
        tied = self.tie_weights
        table = K.transpose(self.embeddings) if tied else self.reverse_table
        kind, cap = self.reverse_dtype or self.compute_dtype, self.logit_soft_cap
        logits = K.dot(K.cast(inputs, kind), K.cast(table, kind))
        return logits if cap is None else K.tanh(logits / cap) * cap

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> None:
        """Return None: whether there is a mask depends on the way that is walked."""

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """Return the shape of the output for a given shape of the input."""
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return (*input_shape, self.output_dim)

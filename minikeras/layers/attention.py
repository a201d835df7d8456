"""Attention without projections: scores are dot products, or sums.

What has a query, keys and values comes as a list. `MultiHeadAttention`, which projects
them first, is in ``multi_head.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.masks import positions_apart

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """Values averaged by how well their keys match a query: ``softmax(q kT) v``.

    It is called on a list, ``[query, value]`` or ``[query, value, key]``; without a key
    the value serves as one. Masks come in such a list too: where that of the query does
    not hold the output is 0, where that of the value does not hold it is not seen.

    Args:
        use_scale: whether a weight scales the scores.
        score_mode: ``"dot"`` for products of query and key, ``"concat"`` for
            ``sum(tanh(query + key))`` times a weight.
        dropout: the share of scores dropped in training, in [0, 1].
        seed: of the dropout.

    Shapes:
        query: (batch, targets, channels)
        value, key: (batch, sources, channels)
        returns: (batch, targets, channels); with `return_attention_scores` also the
            scores, (batch, targets, sources)

    Raises:
        ValueError: if there is no such mode, or inputs or masks are no such list.

    Source: Luong, Pham, Manning 2015, arXiv:1508.04025, section 3.1.
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. Expected one of {'dot', "
                f"'concat'}}. Received: score_mode={score_mode}"
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.scale: Any = None
        if dropout > 0:
            self.seed_generator = K.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        self.check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            name = "concat_score_weight"
            self.concat_score_weight = self.add_weight((), "ones", name=name)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self.check(inputs, mask)
        query, value, key = (*inputs, inputs[1])[:3]
        logits = self.logits(query, key)
        seen = _seen(logits, mask and mask[1], use_causal_mask)
        if seen is not None:
            low = 65504.0 if logits.dtype == "float16" else 1e9
            logits = K.where(seen, logits, logits - low)
        scores = K.softmax(logits)
        if self.dropout > 0:
            scores = K.in_train_phase(lambda: self.thinned(scores), scores, training)
        y = K.matmul(scores, value)
        if mask and mask[0] is not None:
            y = K.where(K.expand_dims(K.cast(mask[0], "bool"), -1), y, 0)
        return (y, scores) if return_attention_scores else y

    def logits(self, query: K.Tensor, key: K.Tensor) -> K.Tensor:
        """Return how well each key matches each query."""
        if self.score_mode == "dot":
            logits = K.matmul(query, key, transpose_b=True)
            return logits if self.scale is None else logits * self.scale
        sums = _pairwise_sums(query, key)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * K.sum(K.tanh(sums), -1)

    def thinned(self, scores: K.Tensor) -> K.Tensor:
        """Return the scores with dropout."""
        return K.dropout(scores, self.dropout, None, self.seed_generator)

    def check(self, inputs: Any, mask: Any = None) -> None:
        """Demand lists of two or three.

        Raises:
            ValueError: if they are none.
        """
        name = type(self).__name__
        asked = "namely [query, value] or [query, value, key]"
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} layer must be called on a list of inputs, {asked}. "
                f"Received: inputs={inputs}."
            )
        if len(inputs) not in (2, 3):
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, {asked}. "
                f"Received length: {len(inputs)}."
            )
        if mask is not None and not isinstance(mask, list):
            raise ValueError(
                f"{name} layer mask must be a list, namely [query_mask, value_mask]. "
                f"Received: mask={mask}."
            )
        if mask is not None and len(mask) not in (2, 3):
            raise ValueError(
                f"{name} layer accepts mask list of length 2 or 3. Received: "
                f"inputs={inputs}, mask={mask}."
            )

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return the mask of the query."""
        self.check(inputs, mask)
        return mask and mask[0]

    def compute_output_shape(self, input_shape: Sequence[Any]) -> tuple[Any, ...]:
        """Return the shape of the query, with the last size of the value."""
        query, value, *_ = input_shape
        return (*query[:-1], value[-1])


def _seen(logits: K.Tensor, mask: Any, causal: bool) -> Any:
    """Return which keys a query may see, None if it may see all."""
    if mask is not None:
        mask = K.cast(mask, "bool")
        mask = K.expand_dims(mask, -2) if K.ndim(mask) == 2 else mask
    if not causal:
        return mask
    earlier = K.greater_equal(positions_apart(logits, -2, logits, -1), 0)
    return earlier if mask is None else K.logical_and(mask, earlier)


def _pairwise_sums(query: K.Tensor, key: K.Tensor) -> K.Tensor:
    """Return the sum of each query with each key."""
    return K.expand_dims(query, -2) + K.expand_dims(key, -3)


class AdditiveAttention(Attention):
    """Attention whose scores are ``sum(scale * tanh(query + key))``.

    Args:
        use_scale: whether there is a weight `scale`, one number for each channel.
        dropout: see `Attention`, and so for the shapes.

    Source: Bahdanau, Cho, Bengio 2014, arXiv:1409.0473.
    """

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self.check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), name="scale")

    def logits(self, query: K.Tensor, key: K.Tensor) -> K.Tensor:
        terms = K.tanh(_pairwise_sums(query, key))
        return K.sum(terms if self.scale is None else self.scale * terms, -1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["score_mode"]
        return config

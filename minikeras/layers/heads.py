"""Attention in several heads: queries, keys and values are projected, then compared.

A projection is one product of matrices: all steps of all samples, by all channels of
all heads. Heads then come before the steps by a view, and so each head is compared in a
product of its own; what the heads have found is projected back in one product again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from minikeras import backend as K
from minikeras import regularizers
from minikeras.layers.activation import Softmax
from minikeras.layers.base import Layer
from minikeras.layers.einsum_dense import EinsumDense
from minikeras.layers.masks import positions_apart, without_mask
from minikeras.layers.regularization import Dropout

__all__ = ["Heads", "checked_key"]

Shape = Sequence[int | None]


class Heads(Layer):
    """Base of attention in heads.

    Subclasses set `_sizes`: the numbers of heads of queries and of values, and of the
    channels that a head compares and those that it returns. They may override
    `_compute_attention`, which sees what has been projected.
    """

    _sizes: tuple[int, int, int, int]
    _output_shape: tuple[int, ...] | None = None

    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.seed = seed
        self.sliding_window: int | None = None
        self.attention_axes: tuple[int, ...] | None = None

    def penalize_projections(self, activity_regularizer: Any) -> None:
        """Keep a penalty: on what each projection returns, not on the output."""
        self._activity_regularizer = regularizers.get(activity_regularizer)

    def look(self, sliding_window: int | None, flash_attention: bool | None) -> None:
        """Keep how far queries see, and whether the scores are out of reach.

        Raises:
            ValueError: if the window has no size, or there is to be dropout of scores
                that are out of reach.
        """
        whole = isinstance(sliding_window, int) and sliding_window > 0
        if sliding_window is not None and not whole:
            raise ValueError(
                "`sliding_window` must be `None` or a positive integer. Received: "
                f"sliding_window={sliding_window}"
            )
        flash_attention = flash_attention or K.is_flash_attention_enabled()
        if flash_attention and self.dropout > 0.0:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. Please set "
                "dropout to 0.0 to use flash attention."
            )
        self.sliding_window = sliding_window
        self._flash_attention = flash_attention

    def build(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        key_shape = checked_key(value_shape, key_shape)
        heads, groups, channels, found = self._sizes
        self._query_dense = self._to_heads("query", query_shape, heads, channels)
        self._key_dense = self._to_heads("key", key_shape, groups, channels)
        if self.use_gate:
            gate = ("gate", query_shape, heads, found, "sigmoid")
            self._gate_dense = self._to_heads(*gate)
        self._value_dense = self._to_heads("value", value_shape, groups, found)
        self._build_attention(len(query_shape))
        self._output_dense = self._from_heads(query_shape, heads, found)

    def _to_heads(
        self, name: str, shape: Shape, heads: int, channels: int, activation: Any = None
    ) -> Layer:
        """Return a projection from features to channels of heads."""
        axes = ascii_lowercase[: len(shape) - 1]
        equation, sizes = f"{axes}F,FHC->{axes}HC", (*shape[1:-1], heads, channels)
        return self._dense(equation, sizes, "HC", shape, name, activation)

    def _from_heads(self, query_shape: Shape, heads: int, channels: int) -> Layer:
        """Return a projection from channels of heads to the output."""
        own = self._output_shape or query_shape[-1:]
        axes = ascii_lowercase[: len(query_shape) - 1]
        out = ascii_uppercase[-len(own) :]
        given, sizes = (*query_shape[:-1], heads, channels), (*query_shape[1:-1], *own)
        equation = f"{axes}HC,HC{out}->{axes}{out}"
        return self._dense(equation, sizes, out, given, "attention_output")

    def _dense(
        self,
        equation: str,
        output_shape: Shape,
        bias_axes: str,
        input_shape: Shape,
        name: str,
        activation: Any = None,
    ) -> Layer:
        dense = EinsumDense(
            equation,
            output_shape,
            activation,
            bias_axes if self.use_bias else None,
            _with_own_seed(self.kernel_initializer),
            _with_own_seed(self.bias_initializer),
            self.kernel_regularizer,
            self.bias_regularizer,
            self.kernel_constraint,
            self.bias_constraint,
            activity_regularizer=self._activity_regularizer,
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build(input_shape)
        return dense

    def _build_attention(self, rank: int) -> None:
        """Make what compares heads, for inputs of this rank.

        Axes of queries have small letters; those of keys have the same, but large ones
        where a query attends to them.
        """
        given = self.attention_axes
        axes = range(1, rank - 1) if given is None else [i % rank for i in given]
        self.attention_axes = tuple(axes)
        query = ascii_lowercase[: rank + 1]
        key = "".join(k.upper() if i in axes else k for i, k in enumerate(query))
        common = "".join(k for k in query[:-1] if k in key)
        attending, attended = ("".join(x[i] for i in axes) for x in (query, key))
        scores = common + attending + attended
        self._compare = f"{query},{key}->{scores}"
        self._combine = f"{scores},{key}->{query}"
        over = tuple(range(-len(attended), 0))
        self._softmax = Softmax(over, dtype=self.dtype_policy)
        self._dropout_layer = None
        if self.dropout > 0:
            self._dropout_layer = Dropout(
                self.dropout, seed=self.seed, dtype=self.dtype_policy
            )

    query_dense = property(lambda self: self._query_dense, doc="Projects queries.")
    key_dense = property(lambda self: self._key_dense, doc="Projects keys.")
    value_dense = property(lambda self: self._value_dense, doc="Projects values.")
    output_dense = property(lambda self: self._output_dense, doc="Projects the result.")

    def call(
        self,
        query: K.Tensor,
        value: K.Tensor,
        key: K.Tensor | None = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        mask = self._compute_attention_mask(
            query,
            value,
            self._mask_of_query(query, query_mask),
            value_mask,
            key_mask,
            attention_mask,
            use_causal_mask,
        )
        key = value if key is None else key
        query, key, value = map(without_mask, (query, key, value))
        y, scores = self._compute_attention(
            self._query_dense(query),
            self._for_every_head(self._key_dense(key)),
            self._for_every_head(self._value_dense(value)),
            mask,
            training,
            return_attention_scores,
        )
        y = self._output_dense(y * self._gate_dense(query) if self.use_gate else y)
        return (y, scores) if return_attention_scores else y

    def _mask_of_query(self, query: K.Tensor, given: Any) -> Any:
        return given

    def _for_every_head(self, x: K.Tensor) -> K.Tensor:
        heads, groups, *_ = self._sizes
        return x if heads == groups else K.repeat_elements(x, heads // groups, -2)

    def _compute_attention_mask(
        self,
        query: K.Tensor,
        value: K.Tensor,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return which keys each query may see, by all masks; None if all."""
        masks = [] if attention_mask is None else [attention_mask]
        for mask, axis in ((query_mask, -1), (value_mask, -2), (key_mask, -2)):
            if mask is not None:
                masks.append(K.expand_dims(mask, axis))
        if use_causal_mask:
            masks.append(K.greater_equal(positions_apart(query, 1, value, 1), 0))
        if self.sliding_window is not None:
            away = K.abs(positions_apart(query, 1, value, 1))
            masks.append(K.less(away, self.sliding_window))
        kept = [K.cast(mask, "bool") for mask in masks]
        return functools.reduce(K.logical_and, kept) if kept else None

    def _compute_attention(
        self,
        query: K.Tensor,
        key: K.Tensor,
        value: K.Tensor,
        attention_mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
    ) -> tuple[K.Tensor, K.Tensor | None]:
        """Return what the heads find, and their scores, if these are computed.

        Shapes:
            query: (batch, targets, heads, channels)
            key, value: (batch, sources, heads, channels)
            attention_mask: (batch, targets, sources)
            returns: (batch, targets, heads, channels), and (batch, heads, targets,
                sources) or None
        """
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Please disable flash attention to access attention scores."
            )
        scale = 1.0 / math.sqrt(self._sizes[2])
        if not (self.dropout or return_attention_scores or K.rank(query) != 4):
            mask = self._with_axis_of_heads(attention_mask, 4)
            y = K.dot_product_attention(query, key, value, mask=mask, scale=scale)
            return y, None
        logits = K.einsum(self._compare, query * scale, key)
        scores = kept = self._masked_softmax(logits, attention_mask)
        if self._dropout_layer is not None:
            kept = self._dropout_layer(scores, training=training)
        return K.einsum(self._combine, kept, value), scores

    def _masked_softmax(self, scores: K.Tensor, attention_mask: Any = None) -> K.Tensor:
        mask = self._with_axis_of_heads(attention_mask, K.rank(scores))
        return self._softmax(scores, mask=mask)

    def _with_axis_of_heads(self, mask: Any, rank: int) -> Any:
        """Return a mask with axes of size 1 before those that are attended."""
        compared = 2 * len(self.attention_axes or ())
        if mask is None:
            return None
        return K.expand_dims(mask, range(K.rank(mask) - compared, rank - compared))

    def get_config(self) -> dict[str, Any]:
        penalty = regularizers.serialize(self._activity_regularizer)
        return {**super().get_config(), "activity_regularizer": penalty}


def checked_key(value_shape: Shape, key_shape: Shape | None) -> Shape:
    """Return the shape of the key: that of the value if there is none.

    Raises:
        ValueError: if they differ in more than the number of features.
    """
    found = value_shape if key_shape is None else key_shape
    if tuple(value_shape[1:-1]) != tuple(found[1:-1]):
        raise ValueError(
            "All dimensions of `value` and `key`, except the last one, must be equal. "
            f"Received: value_shape={value_shape} and key_shape={found}"
        )
    return found


def _with_own_seed(initializer: Any) -> Any:
    """Return an initializer like this one, which draws other numbers."""
    return type(initializer).from_config(initializer.get_config())

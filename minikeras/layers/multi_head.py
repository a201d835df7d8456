"""Attention layers with projections: in several heads, all alike or in groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.heads import Heads, checked_key
from minikeras.layers.masks import mask_of

__all__ = ["GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]

Shape = Sequence[int | None]


class MultiHeadAttention(Heads):
    """Attention in several heads, each of which compares in a space of its own.

    For each head, ``softmax(q kT / sqrt(key_dim)) v``, where q, k and v are projections
    of `query`, `key` and `value`; what all heads find is projected once more.

    Args:
        num_heads: how many heads; above 0.
        key_dim: the channels in which a head compares; above 0.
        value_dim: the channels that a head finds; `key_dim` by default.
        dropout: the share of scores dropped in training, in [0, 1].
        use_bias: whether the projections have a bias.
        output_shape: sizes of the output after its steps; by default the features of
            the query.
        attention_axes: the axes of the steps; by default all but the batch and the
            features.
        sliding_window: if given, a query sees only keys that are less far away.
        flash_attention: accepted; it makes no difference but that, as in Keras, there
            can be neither dropout nor scores then.
        kernel_initializer: how the kernels start.
        bias_initializer: how the biases start.
        kernel_regularizer: a penalty on the kernels.
        bias_regularizer: a penalty on the biases.
        activity_regularizer: a penalty on what each projection returns.
        kernel_constraint: a projection of the kernels after each update.
        bias_constraint: a projection of the biases after each update.
        use_gate: whether what the heads find is multiplied by the sigmoid of one more
            projection of the query.
        seed: of the dropout.

    Shapes:
        query: (batch, targets, features)
        value, key: (batch, sources, features); by default the value is the key
        attention_mask: (batch, targets, sources), which keys a query may see; those
            masks count too that the inputs carry
        returns: (batch, targets, features); with `return_attention_scores` also the
            scores, (batch, heads, targets, sources)

    Raises:
        ValueError: if an argument is out of its range.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2; the gate: Qiu et al.
    2025, arXiv:2505.06708.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout, use_bias, use_gate, seed, **kwargs)
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.penalize_projections(activity_regularizer)
        self.look(sliding_window, flash_attention)
        self.num_heads = _count(num_heads, "num_heads")
        self.key_dim = _count(key_dim, "key_dim")
        self.value_dim = key_dim
        if value_dim is not None:
            self.value_dim = _count(value_dim, "value_dim", " or `None`")
        self._sizes = (num_heads, num_heads, key_dim, self.value_dim)
        self._output_shape = _listed("output_shape", output_shape)
        self.attention_axes = _listed("attention_axes", attention_axes)

    def compute_output_shape(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> tuple[int | None, ...]:
        """Return the shape of the query, with the last size of the output."""
        checked_key(value_shape, key_shape)
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def _mask_of_query(self, query: K.Tensor, given: Any) -> Any:
        return mask_of(query)  # alone, as in Keras

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": self._output_shape}


def _count(value: Any, name: str, otherwise: str = "") -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(
            f"Received an invalid value for argument `{name}`, expected a positive "
            f"integer{otherwise}. Received: {name}={value}"
        )
    return value


_NOT_LISTED = {
    "output_shape": "Invalid `output_shape`: {}. When specified, the `output_shape` "
    "should be of type tuple, list, or int.",
    "attention_axes": "`attention_axes` must be an int, list, or tuple. Received: "
    "attention_axes={}",
}


def _listed(name: str, value: Any) -> tuple[int, ...] | None:
    """Return an argument that may be one integer or several as several, or None."""
    if isinstance(value, int):
        return (value,)
    if value and not isinstance(value, (list, tuple)):
        raise ValueError(_NOT_LISTED[name].format(value))
    return tuple(value) if value else None


class GroupedQueryAttention(Heads):
    """Attention in several heads, groups of which share keys and values.

    Args:
        head_dim: the channels in which a head compares, and which it finds.
        num_query_heads: how many heads.
        num_key_value_heads: how many groups, a divisor of the number of heads.
        dropout: see `MultiHeadAttention`, and so for all that follow, and the shapes.

    Raises:
        ValueError: if groups do not divide heads.

    Source: Ainslie et al. 2023, arXiv:2305.13245.
    """

    public_name = "GroupQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout, use_bias, use_gate, seed, **kwargs)
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.penalize_projections(activity_regularizer)
        self.look(sliding_window, flash_attention)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`."
            )
        self.head_dim = head_dim
        self.num_query_heads = num_query_heads
        self.num_key_value_heads = num_key_value_heads
        self._sizes = (num_query_heads, num_key_value_heads, head_dim, head_dim)

    def compute_output_shape(
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> tuple[int | None, ...]:
        """Return the shape of the query.

        Raises:
            ValueError: if query and value differ in features, or value and key in more.
        """
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal, "
                f"but are {query_shape[-1]}, {value_shape[-1]}. Received: "
                f"query_shape={query_shape}, value_shape={value_shape}"
            )
        checked_key(value_shape, key_shape)
        return tuple(query_shape)


GroupQueryAttention = GroupedQueryAttention

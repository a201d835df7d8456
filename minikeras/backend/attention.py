"""Attention: values averaged by how well their keys match a query."""

from __future__ import annotations

import math
from typing import Any

from minikeras.backend.introspection import known_shape, result_type
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["dot_product_attention"]

# The logit of a key that is not seen: finite, so that of none but such all count alike.
_UNSEEN = -1e30


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Return the values, averaged by how well their keys match each query.

    ``softmax(scale * query keyT + bias) value``, for each head; the softmax is computed
    in float32 at least.

    Args:
        query: what is looked for.
        key: what it is compared with.
        value: what is averaged.
        bias: added to the logits.
        mask: which keys a query may see, of booleans. A query that may see none sees
            all of them alike.
        scale: of the logits; by default 1 / √channels.
        is_causal: whether a query sees only the keys up to its own position.
        flash_attention: accepted; it makes no difference here.
        attn_logits_soft_cap: if given, c of ``c * tanh(logits / c)``.

    Shapes:
        query: (batch, targets, heads, channels)
        key, value: (batch, sources, groups, channels), where groups divide heads
        mask, bias: (batch, heads, targets, sources), or what broadcasts to that
        returns: (batch, targets, heads, channels)

    Raises:
        ValueError: if query, key or value have not four axes.

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.
    """
    shapes = [known_shape(x) for x in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. Received: "
            f"query.shape={shapes[0]}, key.shape={shapes[1]}, value.shape={shapes[2]}."
        )
    heads, groups = shapes[0][2], shapes[1][2]
    if heads is not None and groups is not None and heads != groups:
        key, value = (engine.repeat(x, heads // groups, 2) for x in (key, value))
    kind = result_type(*(x.dtype for x in (query, key, value)))
    wide = result_type(kind, "float32")
    # Of query and logits it is mostly the query that is the smaller one to scale.
    scaled = engine.multiply(engine.cast(query, wide), _scale(scale, query, wide))
    logits = engine.einsum("btnh,bsnh->bnts", scaled, engine.cast(key, wide))
    if attn_logits_soft_cap is not None:
        cap = attn_logits_soft_cap
        logits = engine.multiply(cap, engine.tanh(engine.divide(logits, cap)))
    if bias is not None:
        logits = engine.add(logits, engine.cast(bias, wide))
    share = engine.softmax(_masked(logits, mask, is_causal))
    values = engine.cast(value, kind)
    return engine.einsum("bnts,bsnh->btnh", engine.cast(share, kind), values)


def _scale(scale: float | None, query: Any, dtype: str) -> Any:
    channels = query.shape[-1]
    if scale is None and channels is None:
        return engine.rsqrt(engine.cast(engine.shape(query)[-1], dtype))
    return 1.0 / math.sqrt(channels) if scale is None else scale


def _masked(logits: Any, mask: Any, is_causal: bool) -> Any:
    """Return `logits` without those of the keys that a query may not see."""
    if is_causal:
        targets, sources = (engine.arange(engine.shape(logits)[i]) for i in (-2, -1))
        seen = engine.greater_equal(engine.expand_dims(targets, -1), sources)
        logits = engine.where(seen, logits, _UNSEEN)
    if mask is not None:
        logits = engine.where(engine.cast(mask, "bool"), logits, _UNSEEN)
    return logits

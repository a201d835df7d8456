"""Gradients cut down to a largest norm, each by itself or all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["clip_by_global_norm", "clip_by_norm", "global_norm"]


def clip_by_norm(gradient: Any, norm: float) -> Any:
    """Return `gradient`, shortened to `norm` if it is longer."""
    length = K.sqrt(K.sum(K.square(gradient)))
    return gradient * norm / K.maximum(length, norm)


def global_norm(gradients: Sequence[Any]) -> Any:
    """Return the length of all `gradients` taken as one vector."""
    return K.sqrt(sum(K.sum(K.square(g)) for g in gradients))


def clip_by_global_norm(gradients: Sequence[Any], norm: float) -> list[Any]:
    """Return `gradients`, all shortened alike so that their global norm is `norm`.

    They stay as they are if it is less; where it is not finite, all become NaN.
    """
    length = global_norm(gradients)
    scale = norm * K.minimum(1.0 / length, 1.0 / norm) + (length - length)
    return [g * K.cast(scale, g.dtype) for g in gradients]

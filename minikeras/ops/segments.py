"""Reductions of rows by number, under Keras 3's names."""

from __future__ import annotations

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]

segment_max = eager(K.segment_max)
segment_min = eager(K.segment_min)
segment_prod = eager(K.segment_prod)
segment_sum = eager(K.segment_sum)

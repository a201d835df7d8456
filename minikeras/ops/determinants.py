"""Determinants, which Keras counts among NumPy's functions and those of mathematics."""

from __future__ import annotations

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager

__all__ = ["logdet", "slogdet", "trace"]

logdet = eager(K.logdet)
slogdet = eager(K.slogdet)
trace = eager(engine.trace)

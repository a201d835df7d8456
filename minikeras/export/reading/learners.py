"""What scikit-learn's exporter adds of the domain ai.onnx.ml, where it is numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.reading.elementwise import rank
from minikeras.export.reading.program import Step, enter

__all__: list[str] = []


@enter("Scaler")
def scaler(n: Step, x: Any) -> Any:
    """y = (x - offset) scale."""
    x = ops.cast(x, "float32")
    offset, scale = (np.asarray(n.get(k), np.float32) for k in ("offset", "scale"))
    return (x - offset) * scale


@enter("ArrayFeatureExtractor")
def array_feature_extractor(n: Step, x: Any, places: Any) -> Any:
    """y = x at places along its last axis."""
    if rank(x) == 1:
        x = ops.expand_dims(x, 0)
    return ops.take(x, ops.reshape(places, [-1]), -1)


@enter("LinearRegressor")
def linear_regressor(n: Step, x: Any) -> Any:
    """y = x wT + b."""
    return _scores(n, x, n.get("targets", 1), n.get("intercepts"))


def _scores(n: Step, x: Any, count: int, intercepts: Any) -> Any:
    w = np.asarray(n.get("coefficients"), np.float32).reshape(count, -1)
    b = np.asarray(intercepts or [0.0] * count, np.float32)
    return _transformed(n, ops.matmul(ops.cast(x, "float32"), w.T) + b)


def _transformed(n: Step, y: Any) -> Any:
    kind = n.get("post_transform", "NONE")
    if kind == "SOFTMAX":
        return ops.softmax(y, -1)
    if kind == "LOGISTIC":
        return ops.sigmoid(y)
    if kind != "NONE":
        raise UnsupportedError(f"post_transform {kind!r}")
    return y


@enter("LinearClassifier")
def linear_classifier(n: Step, x: Any) -> Any:
    """Return the class of the largest score, and all scores."""
    labels = n.get("classlabels_ints")
    if not labels:
        raise UnsupportedError("classes that are text")
    scores = _scores(n, x, len(labels), n.get("intercepts"))
    best = ops.argmax(scores, -1)
    return ops.take(np.asarray(labels, np.int64), best), scores


@enter("Normalizer")
def normalizer(n: Step, x: Any) -> Any:
    """y = x / its norm along the last axis."""
    norms = {
        "MAX": lambda v: ops.max(v, -1, True),
        "L1": lambda v: ops.sum(ops.absolute(v), -1, True),
        "L2": lambda v: ops.sqrt(ops.sum(v * v, -1, True)),
    }
    norm = norms[n.get("norm", "MAX")](x)
    return x / ops.where(ops.equal(norm, 0), ops.ones_like(norm), norm)

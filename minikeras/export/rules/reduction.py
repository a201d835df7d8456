"""Sums and other reductions, softmax, sorting."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.graph import Node
from minikeras.export.emission import Emission, Ref, UnsupportedError
from minikeras.export.registry import RULES, axes_of, rank, rule, scalar
from minikeras.export.rules.elementwise import truth

__all__: list[str] = []

REDUCTIONS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
}


def _reduction(kind: str, e: Emission, node: Node, x: Ref) -> Ref:
    op: Any = node.op
    dtype = node.outputs[0].dtype
    if node.inputs[0].dtype != dtype:  # short integers and truth values add up wider
        x = e.cast(x, dtype)
    return e.reduce(kind, x, axes_of(node), op.keepdims)


RULES.update({name: partial(_reduction, kind) for name, kind in REDUCTIONS.items()})


def _quantifier(kind: str, e: Emission, node: Node, x: Ref) -> Ref:
    op: Any = node.op
    numbers = e.cast(truth(e, node, 0, x), "int32")
    return e.cast(e.reduce(kind, numbers, axes_of(node), op.keepdims), "bool")


RULES.update(
    all=partial(_quantifier, "ReduceMin"), any=partial(_quantifier, "ReduceMax")
)


@rule("var")
def var(e: Emission, node: Node, x: Ref) -> Ref:
    """y = mean of (x - mean of x)²."""
    op: Any = node.op
    apart = e("Sub", x, e.reduce("ReduceMean", x, axes_of(node)))
    return e.reduce("ReduceMean", e("Mul", apart, apart), axes_of(node), op.keepdims)


@rule("standardize")
def standardize(e: Emission, node: Node, x: Ref) -> tuple[Ref, Ref]:
    """y = (x - mean of x) r, with r = 1 / √(variance of x + epsilon); and this r."""
    op: Any = node.op
    axes = axes_of(node)
    apart = e("Sub", x, e.reduce("ReduceMean", x, axes)) if op.centered else x
    variance = e.reduce("ReduceMean", e("Mul", apart, apart), axes)
    root = e("Sqrt", e("Add", variance, scalar(op.epsilon, node)))
    r = e("Reciprocal", root)
    return e("Mul", apart, r), r


@rule("logsumexp")
def logsumexp(e: Emission, node: Node, x: Ref) -> Ref:
    """y = max + ln of the sum of e^(x - max)."""
    op: Any = node.op
    axes = axes_of(node)
    top = e.reduce("ReduceMax", x, axes)
    total = e.reduce("ReduceSum", e("Exp", e("Sub", x, top)), axes)
    y = e("Add", e("Log", total), top)
    return y if op.keepdims else e.squeeze(y, axes)


@rule("softmax")
def softmax(e: Emission, node: Node, x: Ref) -> Ref:
    """y = e^x / sum of e^x."""
    axes = axes_of(node)
    if len(axes) == 1:
        return e("Softmax", x, axis=axes[0])
    powers = e("Exp", e("Sub", x, e.reduce("ReduceMax", x, axes)))
    return e("Div", powers, e.reduce("ReduceSum", powers, axes))


@rule("log_softmax")
def log_softmax(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x - ln sum of e^x."""
    axes = axes_of(node)
    if len(axes) == 1:
        return e("LogSoftmax", x, axis=axes[0])
    apart = e("Sub", x, e.reduce("ReduceMax", x, axes))
    total = e.reduce("ReduceSum", e("Exp", apart), axes)
    return e("Sub", apart, e("Log", total))


# -- places ----------------------------------------------------------------------------


def _extreme_place(kind: str, e: Emission, node: Node, x: Ref) -> Ref:
    keepdims: bool = node.op.keepdims  # type: ignore[attr-defined]
    axes = axes_of(node)
    if len(axes) == 1:
        y = e(kind, x, axis=axes[0], keepdims=int(keepdims))
    else:
        y = e(kind, e.reshape(x, [-1]), axis=0, keepdims=0)
        y = e.reshape(y, [1] * len(axes) if keepdims else [])
    return e.cast(y, node.outputs[0].dtype)


RULES.update(
    argmax=partial(_extreme_place, "ArgMax"), argmin=partial(_extreme_place, "ArgMin")
)


def _sorted(e: Emission, node: Node, x: Ref) -> list[str]:
    """Return values and places in ascending order."""
    op: Any = node.op
    axis = shapes.axis_of(op.axis, rank(node.inputs[0]))
    count = e.cut(e.shape(x), [axis], [axis + 1], [0])
    return e("TopK", x, count, outputs=2, axis=axis, largest=0, sorted=1)


@rule("sort")
def sort(e: Emission, node: Node, x: Ref) -> Ref:
    """y = x in ascending order."""
    return _sorted(e, node, x)[0]


@rule("argsort")
def argsort(e: Emission, node: Node, x: Ref) -> Ref:
    """y = the places of x's elements in ascending order."""
    return e.cast(_sorted(e, node, x)[1], node.outputs[0].dtype)


@rule("top_k")
def top_k(e: Emission, node: Node, x: Ref) -> tuple[Ref, Ref]:
    """Return the k largest elements, in falling order, and their places."""
    op: Any = node.op
    values, places = e("TopK", x, e.vector([op.k]), outputs=2, axis=-1)
    return values, e.cast(places, node.outputs[1].dtype)


@rule("searchsorted")
def searchsorted(e: Emission, node: Node, x: Ref, values: Ref) -> Ref:
    """y = how many elements of x are below each value, or not above it."""
    op: Any = node.op
    kind = "Greater" if op.side == "left" else "GreaterOrEqual"
    last = rank(node.inputs[1])
    below = e(kind, e.unsqueeze(values, [last]), x)
    counts = e.reduce("ReduceSum", e.cast(below, "int32"), [last], False)
    return e.cast(counts, node.outputs[0].dtype)


@rule("class_counts")
def class_counts(e: Emission, node: Node, x: Ref, weights: Ref) -> Ref:
    """y[..., d] = sum of weights[..., i] over the i where x[..., i] = d."""
    op: Any = node.op
    last = rank(node.inputs[0])
    classes = np.arange(op.depth, dtype=node.inputs[0].dtype.as_numpy_dtype)
    found = e("Equal", e.unsqueeze(x, [last]), classes)
    dtype = node.outputs[0].dtype
    terms = e("Mul", e.cast(found, dtype), e.unsqueeze(e.cast(weights, dtype), [last]))
    return e.reduce("ReduceSum", terms, [last - 1], False)


@rule("cumsum")
def cumsum(e: Emission, node: Node, x: Ref, *others: Ref) -> Ref:
    """y[i] = x[0] + ... + x[i]."""
    op: Any = node.op
    axes, n = axes_of(node), rank(node.inputs[0])
    flags = {"reverse": int(op.reverse), "exclusive": int(op.exclusive)}
    if len(axes) == 1:
        return e("CumSum", x, np.asarray(axes[0], np.int64), **flags)
    if len(axes) < n:
        raise UnsupportedError("a cumulative sum over some axes as one")
    flat = e("CumSum", e.reshape(x, [-1]), np.asarray(0, np.int64), **flags)
    return e.reshape(flat, e.shape(x)) if rank(node.outputs[0]) == n else flat

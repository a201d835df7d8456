"""Fourier transforms, as products with waves: complex numbers are two tensors here."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.engine.graph import Node
from minikeras.export.emission import Emission, Parts, Ref, whole
from minikeras.export.registry import rule

__all__: list[str] = []


@rule("extract_sequences")
def extract_sequences(e: Emission, node: Node, x: Ref) -> Ref:
    """y[..., i, j] = x[..., stride i + j]."""
    op: Any = node.op
    axis = len(node.inputs[0].spec.known) - 1
    count = node.outputs[0].spec.known[-2]
    starts: Ref = e.vector(np.arange(count or 0) * op.stride)
    if count is None:
        size = e.reshape(e.cut(e.shape(x), [axis], [axis + 1], [0]), [])
        end = e("Sub", size, e.vector(op.length - 1))
        starts = e("Range", e.vector(0), end, e.vector(op.stride))
    places = e("Add", e.unsqueeze(starts, [1]), e.vector(np.arange(op.length)))
    return e("Gather", x, places, axis=axis)


@rule("rfft")
def rfft(e: Emission, node: Node, x: Ref) -> Ref:
    """y[k] = sum over n of x[n] exp(-2πi kn/N), for k up to N/2."""
    op: Any = node.op
    (n,) = whole(node.inputs[0].spec.known[-1:], "a Fourier transform")
    waves = np.fft.rfft(np.eye(n), axis=-1)
    if op.shares:
        waves = waves * (2 - (np.arange(n // 2 + 1) * 2 % n == 0))
    dtype = node.inputs[0].dtype.as_numpy_dtype
    parts = (waves.real.astype(dtype), waves.imag.astype(dtype))
    return Parts(*(e("MatMul", x, part) for part in parts))


@rule("real")
def real(e: Emission, node: Node, x: Ref) -> Ref:
    """y = Re x."""
    return x.real if isinstance(x, Parts) else x


@rule("imag")
def imag(e: Emission, node: Node, x: Ref) -> Ref:
    """y = Im x."""
    return x.imag if isinstance(x, Parts) else e("Sub", x, x)


@rule("complex")
def complex_(e: Emission, node: Node, x: Ref, y: Ref) -> Ref:
    """z = x + iy."""
    return Parts(x, y)

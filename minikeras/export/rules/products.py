"""Products of matrices, and the sizes that products along labeled axes need."""

from __future__ import annotations

from typing import Any

from minikeras.engine.graph import Node
from minikeras.export.emission import Emission, Ref
from minikeras.export.registry import rank, rule

__all__: list[str] = []


@rule("matmul")
def matmul(e: Emission, node: Node, a: Ref, b: Ref) -> Ref:
    """c[..., i, k] = sum over j of a[..., i, j] * b[..., j, k]."""
    op: Any = node.op
    first, second = (
        e.transpose(x, _swapped(rank(own))) if turned else x
        for x, own, turned in zip(
            (a, b), node.inputs, (op.transpose_a, op.transpose_b), strict=True
        )
    )
    return e("MatMul", first, second)


def _swapped(n: int) -> list[int]:
    return [*range(n - 2), n - 1, n - 2]


@rule("label_sizes")
def label_sizes(e: Emission, node: Node, *xs: Ref) -> Ref:
    """z[i] = the product of the sizes of the axes that have labels in groups[i]."""
    op: Any = node.op
    sizes: dict[str, Ref] = {}
    for labels, x in zip(op.terms, xs, strict=True):
        shape = e.shape(x)
        for i, k in enumerate(labels):
            size = e.cut(shape, [i], [i + 1], [0])
            sizes[k] = e("Max", sizes[k], size) if k in sizes else size
    found: list[Ref] = []
    for group in op.groups:
        total: Ref = e.vector([1])
        for k in group:
            total = e("Mul", total, sizes[k])
        found.append(total)
    return e.cast(e.concat(found, 0), node.outputs[0].dtype)

"""What Einstein's notation says of equations and operands that do not fit."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session
from tests.engine.ops.test_linalg import placeholders


@pytest.mark.parametrize(
    "equation, shapes, message",
    [
        ("ij,jk->ik", [(2, 3), (4, 5)], "3 against 4, along 'j' of ij,jk;"),
        ("ij,jk->ik", [(2, 3)], "2 terms for 1 operands"),
        ("ij,jk->ik", [(2, 3), (3,)], "'jk' labels 2 axes"),
        ("ij->ik", [(2, 3)], "cannot be read"),
        ("ij->ii", [(2, 3)], "cannot be read"),
        ("i1->i", [(2, 3)], "cannot be read"),
        ("...ijk->ij", [(2, 3)], "labels more axes than 2"),
        ("...i->...", [None], "rank of .* must be known"),
    ],
)
def test_an_equation_that_does_not_fit_is_named(equation, shapes, message):
    with Graph().as_default(), pytest.raises(ShapeError, match=message):
        ops.einsum(equation, *placeholders(*shapes))


def test_tensordot_needs_as_many_axes_on_either_side():
    x = np.zeros((2, 3))
    with pytest.raises(ShapeError, match="2 axes against 1"):
        ops.tensordot(x, x, ((0, 1), (0,)))
    with pytest.raises(ShapeError, match="axis 2 is out of bounds"):
        ops.tensordot(x, x, ((0,), (2,)))
    with pytest.raises(ShapeError, match="axis -3 is out of bounds"):
        ops.tensordot(x, x, 3)


def test_sizes_that_only_the_run_tells_are_compared_before_it_starts():
    with Graph().as_default() as graph:
        xs = placeholders((None, None, None), (None, None, None))
        y = ops.einsum("ijk,ijl->kl", *xs)  # 2 · 6 and 3 · 4 are as many terms
        values = np.zeros((2, 6, 1), "float32"), np.zeros((3, 4, 1), "float32")
        with pytest.raises(ShapeError, match="2 against 3, along 'i' of ijk,ijl"):
            Session(graph=graph).run(y, dict(zip(xs, values, strict=True)))


VIEWS = {"label_sizes", "transpose", "reshape", "reshape_like", "sum_like"}


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("...x,xy->...y", [(None, 5, 8), (8, 6)]),
        ("abc,cde->abde", [(None, 5, 8), (8, 2, 3)]),
        ("abcd,cde->abe", [(None, 5, 2, 3), (2, 3, 8)]),
        ("aecd,abcd->acbe", [(None, 5, 2, 3), (None, 7, 2, 3)]),
        ("acbe,aecd->abcd", [(None, 2, 7, 5), (None, 5, 2, 3)]),
    ],
)
def test_attention_is_made_of_products_and_views(equation, shapes):
    with Graph().as_default() as graph:
        xs = placeholders(*shapes)
        y = ops.einsum(equation, *xs)
        gradients(y, xs, ops.placeholder("float32", y.shape))
        made = [n.op.name for n in graph.nodes if n.inputs]
    assert made.count("matmul") == 3
    assert set(made) - VIEWS == {"matmul"}


def test_a_product_comes_out_in_the_order_that_is_asked_for():
    with Graph().as_default():
        key, query = placeholders((None, 5, 2, 3), (None, 7, 2, 3))
        scores = ops.einsum("aecd,abcd->acbe", key, query)
    assert scores.op.op.name == "matmul"

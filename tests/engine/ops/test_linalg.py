"""What a product says of operands that do not fit, and what its gradient costs."""

import pytest

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph


def placeholders(*shapes):
    return [ops.placeholder("float32", shape) for shape in shapes]


@pytest.mark.parametrize(
    "a, b, flags, message",
    [
        ((2, 3), (5, 4), {}, "inner sizes differ, 3 against 5"),
        ((2, 3), (5, 3), {"transpose_a": True}, r"2 against 5.*, transpose_a"),
        ((2, 3), (5, 4), {"transpose_b": True}, r"3 against 4.*, transpose_b"),
        ((2, 5, 3), (4, 3, 6), {}, r"\(2,\) and \(4,\) do not broadcast"),
        ((), (3, 3), {}, "two axes or more"),
    ],
)
def test_matrices_that_do_not_fit_are_named(a, b, flags, message):
    with Graph().as_default(), pytest.raises(ShapeError, match=message):
        ops.matmul(*placeholders(a, b), **flags)


def test_sizes_known_only_at_run_time_are_let_through():
    with Graph().as_default():
        a, b = placeholders((None, None), (5, 4))
        assert ops.matmul(a, b).shape == (None, 4)
        assert ops.matmul(a, ops.placeholder("float32")).shape is None


def test_gradients_of_matrices_are_two_products_and_no_copies():
    with Graph().as_default() as graph:
        a, b = placeholders((None, 3), (3, 4))
        c = ops.matmul(a, b)
        before = len(graph.nodes)
        gradients(c, [a, b], placeholders((None, 4)))
        made = [n.op for n in graph.nodes[before + 1 :]]
    assert [op.name for op in made if op.name != "sum_like"] == ["matmul"] * 2
    flags = [(op.transpose_a, op.transpose_b) for op in made if op.name == "matmul"]
    assert flags == [(False, True), (True, False)]


def test_a_matrix_shared_by_many_rows_gets_its_gradient_from_one_product():
    with Graph().as_default() as graph:
        x, w = placeholders((None, None, 3), (3, 4))
        (by_w,) = gradients(ops.matmul(x, w), w)
        assert by_w.op.op.name == "matmul"
        assert by_w.shape == (3, 4)
        assert not any(y.shape == (None, 3, 4) for n in graph.nodes for y in n.outputs)

"""What Einstein's notation says of equations and operands that do not fit."""

import numpy as np
import pytest

from minikeras.engine import ops
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Graph
from tests.engine.ops.test_linalg import placeholders


@pytest.mark.parametrize(
    "equation, shapes, message",
    [
        ("ij,jk->ik", [(2, 3), (4, 5)], "3 against 4, along 'j' of ij,jk->ik"),
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
    with pytest.raises(ShapeError, match="axis 2 does not exist"):
        ops.tensordot(x, x, ((0,), (2,)))
    with pytest.raises(ShapeError, match="axis -3 does not exist"):
        ops.tensordot(x, x, 3)

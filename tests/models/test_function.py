"""Functions made of graphs: on arrays, on tensors, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import Function, KerasTensor, layers, ops

ONES = np.ones((2, 3), "float32")


@pytest.fixture
def parts():
    a, b = KerasTensor((2, 3), name="a"), KerasTensor((2, 3), name="b")
    total = ops.add(a, b)
    return a, b, [total * 3, total**2]


def test_it_computes_on_arrays_and_on_tensors(parts):
    a, b, outputs = parts
    function = Function([a, b], outputs, name="both")
    assert (function.name, function.inputs) == ("both", [a, b])
    for y, value in zip(function([ONES, ONES]), (6, 4), strict=True):
        np.testing.assert_array_equal(y, value * ONES)
    c, d = KerasTensor((2, 3)), KerasTensor((2, 3))
    again = Function({"c": c, "d": d}, {"y": function([c, d])[1]})
    np.testing.assert_array_equal(again({"c": ONES, "d": 2 * ONES})["y"], 9 * ONES)


def test_shapes_are_found_for_other_inputs():
    x = KerasTensor((None, 3), "float16")
    function = Function(x, x**2)
    assert function.compute_output_shape((7, 3)) == (7, 3)
    spec = function.compute_output_spec(KerasTensor((4, 3), "float16"))
    assert (spec.shape, spec.dtype) == ((4, 3), "float16")
    assert function(KerasTensor((4, 3))).shape == (4, 3)


def test_it_may_begin_in_the_middle():
    x = layers.Input((3,))
    middle = layers.Dense(3, name="before")(x) + 1
    end = layers.Dense(2, kernel_initializer="ones", name="after")(middle**2)
    function = Function(middle, end)
    names = [op.name for op in function.operations]
    assert "before" not in names
    assert "after" in names
    np.testing.assert_array_equal(function(2 * ONES), np.full((2, 2), 12.0))


def test_what_does_not_fit_is_refused(parts):
    a, b, outputs = parts
    function = Function([a, b], outputs)
    with pytest.raises(ValueError, match="invalid input structure"):
        function(ONES)
    for wrong in (np.ones((2, 3, 3)), np.ones((4, 3))):
        with pytest.raises(ValueError, match=r"incompatible inputs\. For input 'a'"):
            function([wrong, ONES])
    with pytest.raises(ValueError, match="`inputs` argument cannot be empty"):
        Function([], outputs)
    with pytest.raises(ValueError, match="`outputs` argument cannot be empty"):
        Function(a, [])
    with pytest.raises(ValueError, match=r"path `y\.1` is not connected to `inputs`"):
        Function(a, {"y": [a * 2, a + b]})
    with pytest.raises(NotImplementedError, match="cannot be written to a file"):
        function.get_config()

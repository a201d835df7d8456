"""Arithmetic on static shapes, and what specs say."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikeras.engine import dtypes, shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.spec import Spec, TensorShape

SIZES = st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3).map(tuple)


def outcome(function, *args):
    try:
        return function(*args)
    except ValueError:
        return ValueError


@given(SIZES, SIZES)
def test_known_shapes_broadcast_as_in_numpy(a, b):
    assert outcome(shapes.broadcast, a, b) == outcome(np.broadcast_shapes, a, b)


@given(SIZES, SIZES, st.data())
def test_unknown_sizes_allow_what_some_known_ones_would(a, b, data):
    hidden = [
        tuple(None if data.draw(st.booleans()) else n for n in shape)
        for shape in (a, b)
    ]
    found, known = (
        outcome(np.broadcast_shapes, a, b),
        outcome(shapes.broadcast, *hidden),
    )
    if found is not ValueError:
        assert Spec(known, dtypes.floatx()).admits(found)
        sure = [n for n in itertools.chain(*hidden) if n is None]
        assert sure or known == found


def test_broadcasting_three_shapes_and_unknown_ranks():
    assert shapes.broadcast((2, 1), (3,), (1, 1, 1)) == (1, 2, 3)
    assert shapes.broadcast((2, 1), None) is None
    assert shapes.broadcast((None, 1), (1, None)) == (None, None)
    assert shapes.broadcast((None,), (3,)) == (3,)
    assert shapes.broadcast() == ()
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(4, 3\).*2 against 4"):
        shapes.broadcast((2, 3), (4, 3))


def test_merging_two_descriptions():
    assert shapes.merge(None, (2, None)) == (2, None)
    assert shapes.merge((2, None), None) == (2, None)
    assert shapes.merge((2, None), (None, 3)) == (2, 3)
    for other in ((3, 3), (2,), ()):
        with pytest.raises(ShapeError, match="contradict"):
            shapes.merge((2, 3), other)


def test_products():
    assert shapes.product(()) == 1
    assert shapes.product((2, 3)) == 6
    assert shapes.product((2, None)) is None
    assert shapes.product((None, 0)) == 0


def test_axes():
    assert shapes.axis_of(-1, 3) == 2
    assert shapes.axes_of(None, 2) == (0, 1)
    assert shapes.axes_of((-1, 0), 3) == (0, 2)
    assert shapes.axes_of(1, 3) == (1,)
    assert shapes.axes_of((), 3) == ()
    for axis, rank in ((2, 2), (-3, 2), (0, 0)):
        with pytest.raises(ShapeError, match=f"axis {axis} is out of bounds"):
            shapes.axis_of(axis, rank)
    with pytest.raises(ShapeError, match="twice"):
        shapes.axes_of((0, -2), 2)


def test_compatible_and_show():
    assert shapes.compatible(None, 3)
    assert shapes.compatible(3, 3)
    assert not shapes.compatible(2, 3)
    assert shapes.show(None) == "<unknown>"
    assert shapes.show(TensorShape((None, 3))) == "(None, 3)"


def test_what_a_spec_admits():
    spec = Spec((None, 3), dtypes.floatx())
    assert spec.admits((5, 3))
    assert not spec.admits((5, 4))
    assert not spec.admits((3,))
    assert Spec(None, dtypes.floatx()).admits((1, 2, 3))
    assert (spec.rank, spec.known) == (2, (None, 3))
    with pytest.raises(ShapeError, match="known rank"):
        _ = Spec(None, dtypes.floatx()).known

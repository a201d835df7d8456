"""The walk from `Dense.call` to the kernel: four hops, each of which fits on a screen.

Whoever puts a decorator or a layer of indirection in between sees these tests fail.
"""

import inspect
import sys
import traceback

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine import devices
from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.executor import execute
from minikeras.engine.ops.linalg import MatMul
from minikeras.layers import Dense, Input

SCREEN = 40  # lines


def frames_of(error, first):
    """Return the names of the functions in a traceback, from `first` on."""
    names = [frame.name for frame in traceback.extract_tb(error.tb)]
    return names[names.index(first) :]


def test_a_wrong_size_fails_five_frames_below_call():
    layer = Dense(3)
    layer.build((None, 4))
    layer.input_spec = None  # which would say so before `call`
    with pytest.raises(ShapeError, match="5") as error:
        layer(Input((5,)))
    assert frames_of(error, "call") == ["call", "dot", "matmul", "__call__", "infer"]


def test_the_same_on_arrays():
    layer = Dense(3)
    layer.build((None, 4))
    layer.input_spec = None
    with pytest.raises(ShapeError) as error:
        layer(np.ones((2, 5), "float32"))
    assert frames_of(error, "call") == ["call", "dot", "matmul", "__call__", "infer"]


class Watched:
    """The array library, with a note of who calls its matrix product."""

    def __init__(self, library):
        self.library = library
        self.callers = []

    def __getattr__(self, name):
        return getattr(self.library, name)

    def matmul(self, *arrays):
        frame = sys._getframe(1)
        self.callers.append((frame.f_code, frame.f_back.f_code))
        return self.library.matmul(*arrays)


def test_the_walk_ends_in_the_array_librarys_product(monkeypatch):
    layer = Dense(3, use_bias=False)
    layer.build((None, 4))
    watched = Watched(devices.xp)
    monkeypatch.setattr(devices, "xp", watched)
    x = np.ones((2, 4), "float32")
    y = layer(x)
    assert watched.callers == [(MatMul.kernel.__code__, execute.__code__)]
    np.testing.assert_allclose(y, x @ layer.kernel.numpy(), rtol=1e-6)


HOPS = [Dense.call, K.dot, engine.matmul, MatMul.infer, MatMul.kernel, MatMul.vjp]


@pytest.mark.parametrize("hop", HOPS, ids=lambda hop: hop.__qualname__)
def test_every_hop_fits_on_a_screen(hop):
    assert len(inspect.getsource(hop).splitlines()) <= SCREEN

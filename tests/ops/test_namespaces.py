"""What is in ``ops.linalg``, ``ops.numpy`` and ``ops.nn`` is what Keras has there."""

import importlib

import pytest

from minikeras import ops

ROOMS = ["linalg", "nn", "numpy"]


def names(module):
    return {name for name in dir(module) if not name.startswith("_")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_namespace_has_the_names_of_keras(room):
    import keras

    assert names(getattr(ops, room)) == names(getattr(keras.ops, room))


@pytest.mark.parametrize("room", ROOMS)
def test_a_namespace_has_the_functions_of_ops(room):
    module = importlib.import_module(f"minikeras.ops.{room}")
    assert module is getattr(ops, room)
    for name in names(module):
        assert getattr(module, name) is getattr(ops, name)


def test_a_namespace_has_nothing_else():
    with pytest.raises(AttributeError, match=r"minikeras\.ops\.numpy.*relu"):
        ops.numpy.relu  # noqa: B018

"""Symbolic tensors by Keras's name: what they tell, and what they refuse."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from minikeras import KerasTensor, ops
from minikeras import backend as K
from minikeras.layers import Dense, Input


def test_it_has_a_shape_a_dtype_and_a_name() -> None:
    x = KerasTensor([None, np.int64(3)], dtype="int32", sparse=True, name="x")
    assert (x.shape, x.dtype, x.name, x.ndim) == ((None, 3), "int32", "x", 2)
    assert (x.sparse, x.ragged, x.ragged_rank) == (True, False, None)
    shown = "shape=(None, 3), dtype=int32, sparse=True, ragged=False, name=x"
    assert repr(x) == str(x) == f"<KerasTensor {shown}>"
    with pytest.raises(ValueError, match="`sparse=True` and `ragged=True`"):
        KerasTensor((3,), sparse=True, ragged=True)
    for name in ("shape", "dtype", "sparse", "ragged"):
        with pytest.raises(AttributeError, match=f"`{name}` attribute of KerasTensor"):
            setattr(x, name, None)


def test_every_tensor_is_one() -> None:
    x = Input((3,), name="features")
    assert x.name == "features"
    for tensor in (x, x + 1, Dense(2)(x), K.placeholder((2,))):
        assert isinstance(tensor, KerasTensor)
        assert K.is_keras_tensor(tensor)
    for other in (np.ones(3), K.Variable(1.0), 3, None):
        assert not isinstance(other, KerasTensor)
        assert not K.is_keras_tensor(other)
    assert K.any_symbolic_tensors([1, {"a": x}])
    assert not K.any_symbolic_tensors([1], {"a": np.ones(2)})


BINARY = "add sub mul truediv floordiv mod pow lt le gt ge"


@pytest.mark.parametrize("name", BINARY.split())
def test_operators_have_kerass_shapes_and_dtypes(name: str) -> None:
    import keras

    function = getattr(operator, name)
    for dtypes in (("float32", "int32"), ("int32", "int32"), ("float16", "float32")):
        both = [
            function(module.KerasTensor((None, 3), a), module.KerasTensor((4, 1, 3), b))
            for module, (a, b) in ((keras, dtypes), (K, dtypes))
        ]
        assert {(tuple(y.shape), str(y.dtype)) for y in both} == {
            (tuple(both[0].shape), str(both[0].dtype))
        }


def test_other_operators_and_methods() -> None:
    x, vector = KerasTensor((None, 3)), KerasTensor((3,))
    assert (x @ vector).shape == (None,)
    assert (vector @ KerasTensor((3, 4))).shape == (4,)
    assert (x[:, 1].shape, x[..., None].shape) == ((None,), (None, 3, 1))
    assert round(x).shape == abs(-x).shape == (None, 3)
    assert x.reshape((-1, 1)).shape == (None, 1)
    assert KerasTensor((1, 6, 1)).squeeze().shape == (6,)
    assert KerasTensor((1, 6, 1)).squeeze(axis=0).shape == (6, 1)
    assert ops.add(x, 1).shape == (None, 3)


def test_it_has_no_value() -> None:
    x = KerasTensor((3, 2))
    for convert in (np.array, int, float):
        with pytest.raises(ValueError, match="doesn't have any actual numerical value"):
            convert(x)
    with pytest.raises(TypeError, match="cannot be used as a boolean"):
        bool(x)
    with pytest.raises(NotImplementedError):
        iter(x)


def test_specs_of_outputs() -> None:
    v = K.Variable(np.zeros(3, "float32"))

    def step(x, scale, flag):
        assert flag == "on"
        v.assign_add(x[0] * scale)
        return {"y": x[:, None], "none": None, "n": K.cast(scale, "int32")}

    spec = K.compute_output_spec(step, KerasTensor((None, 3)), np.float32(2), flag="on")
    assert (spec["y"].shape, spec["n"].dtype, spec["none"]) == (
        (None, 1, 3),
        "int32",
        None,
    )
    np.testing.assert_array_equal(v.numpy(), np.zeros(3))


@pytest.mark.parametrize(
    "shape, message",
    [
        (None, "Undefined shapes"),
        (42, "Cannot convert '42' to a shape"),
        ((3, "5"), "Found invalid dimension '5'"),
        ((3, 5.0), "Found invalid dimension '5.0'"),
        ((3, object()), "Found invalid dimension"),
        ((3, -5), "Negative dimensions"),
    ],
)
def test_what_is_no_shape_is_refused(shape: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KerasTensor(shape)

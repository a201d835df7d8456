"""Kinds of number: names, weak Python scalars, promotion as in Keras."""

import itertools
import sys

import ml_dtypes
import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine import dtypes
from minikeras.engine.errors import DTypeError

NAMES = (
    "bool",
    *("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64", "bfloat16"),
)


@pytest.mark.parametrize("a, b", [*itertools.product(NAMES, NAMES)])
def test_two_types_meet_where_keras_says(a, b):
    keras = pytest.importorskip("keras")
    # JAX without 64-bit numbers answers with 32 bits where an operand has 64.
    if "64" in a + b:
        assert dtypes.result_type(a, b) == least_upper_bound(a, b)
    else:
        assert dtypes.result_type(a, b) == keras.backend.result_type(a, b)


@pytest.mark.parametrize("scalar, name", [*itertools.product((int, float), NAMES)])
def test_a_python_number_gives_way_as_in_keras(scalar, name):
    keras = pytest.importorskip("keras")
    if "64" not in name:
        expected = keras.backend.result_type(name, scalar)
        assert dtypes.result_type(name, scalar) == expected


def least_upper_bound(a, b):
    """Return what JAX documents, for numbers of 64 bits."""
    a, b = sorted((a, b), key=lambda n: ("float" in n, "uint" not in n, width(n)))
    if "float" in b or a == b or a == "bool":
        if "float" not in a:
            return b
        return b if width(a) < width(b) else a
    if "uint" in a and "uint" not in b:
        return f"int{min(64, max(2 * width(a), width(b)))}"
    return b


def width(name):
    return int("".join(c for c in name if c.isdigit()) or 1)


def test_python_numbers_alone():
    assert dtypes.result_type(int, int) == "int32"
    assert dtypes.result_type(int, float) == "float32"
    assert dtypes.result_type("bool", int) == "int32"
    assert dtypes.result_type("bool", "bool") == "bool"
    assert dtypes.result_type("int64", float) == "float32"
    assert dtypes.result_type("complex64", "float64") == "complex128"


def test_strings_and_numbers_do_not_meet():
    assert dtypes.result_type("string", "string") == "string"
    with pytest.raises(DTypeError, match="do not mix"):
        dtypes.result_type("string", "float32")


def test_promotion_is_commutative_and_associative():
    kinds = [name for name in NAMES if name != "bfloat16"]
    meet = dtypes.result_type
    for a, b, c in itertools.product(kinds, repeat=3):
        assert meet(a, b) == meet(b, a)
        assert meet(meet(a, b), c) == meet(a, meet(b, c))


@pytest.mark.parametrize(
    "value, name",
    [
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("int", "int32"),
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        (str, "string"),
        (np.float64, "float64"),
        (np.dtype("uint8"), "uint8"),
        ("<f8", None),
        ("int32_ref", "int32"),
        ("<dtype: 'int64'>", "int64"),
        (np.dtype("<U5"), "string"),
        ("nonsense", None),
        (3.5, None),
    ],
)
def test_names_of_types(value, name):
    if name is None:
        with pytest.raises(DTypeError, match="is not a dtype"):
            dtypes.as_dtype(value)
    else:
        assert dtypes.as_dtype(value) == name


def test_what_a_type_says_of_itself():
    assert tf.float32 == "float32" == np.dtype("float32")
    assert tf.float32.is_floating
    assert tf.float32.is_differentiable
    assert not tf.float32.is_integer
    assert tf.int8.is_integer
    assert tf.bool.is_bool
    assert tf.complex64.is_complex
    assert tf.float64.size == 8
    assert tf.float64.as_numpy_dtype == np.float64
    assert tf.float32.base_dtype is tf.float32
    assert tf.float32.name == "float32"
    assert f"{tf.float32}" == "float32"
    assert repr(tf.float32) == "<dtype: 'float32'>"
    assert np.zeros(2, tf.int32).dtype == np.int32


def test_constants_get_the_default_types():
    with tf.Graph().as_default():
        assert tf.constant(1).dtype == "int32"
        assert tf.constant(2**40).dtype == "int64"
        assert tf.constant(1.0).dtype == "float32"
        assert tf.constant([1, 2.0]).dtype == "float32"
        assert tf.constant(np.float64(1)).dtype == "float64"
        assert tf.constant([np.float64(1), 2.0]).dtype == "float64"
        assert tf.constant(True).dtype == "bool"
        assert tf.constant(1j).dtype == "complex128"
        assert tf.constant("a").dtype == "string"
        assert tf.constant(1, tf.float16).dtype == "float16"
        assert tf.constant([1, 2], shape=(2, 1)).shape == (2, 1)
        assert tf.constant(7, shape=(2, 2)).shape == (2, 2)
        with pytest.raises(DTypeError, match="not made of numbers"):
            tf.constant(object())
        with pytest.raises(ValueError, match="do not fill"):
            tf.constant([1, 2, 3], shape=(2, 2))


def test_a_default_float_that_is_set():
    assert dtypes.floatx() == "float32"
    dtypes.set_floatx("float64")
    try:
        with tf.Graph().as_default():
            assert tf.constant(1.0).dtype == "float64"
            assert (tf.constant(1) / 2).dtype == "float64"
            assert dtypes.result_type(int, float) == "float64"
    finally:
        dtypes.set_floatx("float32")
    with pytest.raises(DTypeError, match="floatx must be one of"):
        dtypes.set_floatx("int32")


def test_beside_a_tensor_arrays_and_numbers_are_weak():
    with tf.Graph().as_default():
        half = tf.constant([1.0], "float16")
        whole = tf.constant([1])
        assert (half + 1.0).dtype == "float16"
        assert (half + np.ones(1)).dtype == "float16"
        assert (whole + 1).dtype == "int32"
        assert (whole + 1.5).dtype == "float32"
        assert (whole + np.int64(1)).dtype == "int32"
        assert (whole + tf.constant([1], "int64")).dtype == "int64"
        assert (whole + half).dtype == "float16"
        assert (whole / whole).dtype == "float32"


def test_gradients_flow_back_through_promotion():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant([2.0], "float16")
        y = tf.constant([3.0], "float64")
        slopes = tf.gradients(x * y, [x, y])
        assert [g.dtype for g in slopes] == ["float16", "float64"]
        np.testing.assert_array_equal(session.run(slopes), [[3], [2]])


def test_bfloat16_is_that_of_ml_dtypes():
    assert dtypes.as_dtype("bfloat16").as_numpy_dtype == np.dtype(ml_dtypes.bfloat16)


def test_without_ml_dtypes_bfloat16_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    dtypes._numpy.cache_clear()
    with pytest.raises(DTypeError, match=r"pip install 'minikeras\[bfloat16\]'"):
        _ = dtypes.as_dtype("bfloat16").as_numpy_dtype

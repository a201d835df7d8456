"""What K says of values: shapes, dtypes, kinds; and conversions."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine import devices
from minikeras.engine.errors import ShapeError

X = np.arange(6, dtype="float32").reshape(2, 3)


def test_static_shapes():
    assert K.int_shape(K.placeholder((None, 3))) == (None, 3)
    assert K.int_shape(K.variable(X)) == (2, 3)
    assert K.int_shape(X) == (2, 3)
    assert K.int_shape(K.placeholder()) is None
    assert type(K.int_shape(K.placeholder((2,)))) is tuple
    assert K.ndim(K.placeholder(ndim=4)) == 4
    assert K.ndim(K.placeholder()) is None
    assert K.ndim(3) == 0
    assert K.count_params(K.variable(X)) == 6
    assert K.get_variable_shape(K.variable(X)) == K.known_shape(X) == (2, 3)
    assert K.rank(X) == 2
    with pytest.raises(ShapeError, match="must be known"):
        K.rank(K.placeholder())


def test_run_time_shapes():
    x = K.placeholder((None, 3))
    assert K.function([x], [K.shape(x), K.size(x)])([X])[1] == 6
    np.testing.assert_array_equal(K.shape(X), [2, 3])


def test_dtypes():
    assert K.dtype(K.placeholder((2,), dtype="float16")) == "float16"
    assert K.dtype(K.variable(X)) == "float32"
    assert K.dtype(np.zeros(2, "int8")) == "int8"
    assert K.dtype(1.5) == "float32"
    assert type(K.dtype(K.variable(X))) is str
    assert K.is_float_dtype("bfloat16")
    assert not K.is_float_dtype("int32")
    assert K.is_int_dtype("uint8")
    assert not K.is_int_dtype("bool")


@pytest.mark.parametrize(
    "given, name",
    [(None, "float32"), ("int", "int32"), (np.float64, "float64"), (bool, "bool")],
)
def test_dtypes_in_any_form_have_one_name(given, name):
    assert K.standardize_dtype(given) == name


def test_an_unknown_dtype_is_a_value_error():
    with pytest.raises(ValueError, match="Invalid dtype: float31"):
        K.standardize_dtype("float31")


def test_dtypes_that_do_not_meet():
    with pytest.raises(ValueError, match="no implicit conversions from float8"):
        K.result_type("float8_e4m3fn", "bfloat16")
    with pytest.raises(ValueError, match="Invalid dtype: foo"):
        K.result_type("foo", "float32")


@pytest.mark.parametrize(
    "kinds", [("int32", float), ("bool", "uint8"), (int,), (None, "int8"), ()]
)
def test_result_type_is_that_of_keras(kinds):
    import keras

    assert K.result_type(*kinds) == keras.backend.result_type(*kinds)


def test_limits_of_numbers():
    assert K.limits("uint8") == (0, 255)
    assert K.limits("bool") == (0, 1)
    low, high = K.limits("float16")
    assert (low, high) == (-65504, 65504)


def test_kinds():
    x, v = K.placeholder((2,)), K.variable(X)
    assert K.is_placeholder(x)
    assert not K.is_placeholder(x + 1)
    assert not K.is_placeholder(X)
    assert K.is_tensor(x)
    assert K.is_tensor(devices.xp.zeros(2))
    assert not K.is_tensor(v)
    assert not K.is_tensor(3.0)
    assert K.is_symbolic(v)
    assert not K.is_symbolic(X)
    assert not K.is_sparse(x)
    assert K.to_dense(x) is x


def test_conversions():
    assert K.convert_to_tensor([1, 2]).dtype == "int32"
    assert K.convert_to_tensor([1.0, 2]).dtype == "float32"
    assert K.convert_to_tensor(X, "float16").dtype == "float16"
    x = K.placeholder((2,))
    assert K.convert_to_tensor(x) is x
    assert K.convert_to_tensor(x, "float16").dtype == "float16"
    assert K.is_tensor(K.convert_to_tensor(K.variable(X)))
    assert K.cast_to_floatx([1, 2]).dtype == "float32"
    assert type(K.convert_to_numpy(K.variable(X) + 1)) is np.ndarray


# -- starting points -------------------------------------------------------------------


def test_placeholders():
    assert K.placeholder((2, None)).shape == (2, None)
    assert K.placeholder(ndim=2).shape == (None, None)
    assert K.placeholder(shape=(2,), dtype="int32").dtype == "int32"
    assert K.placeholder((2,), name="in").name.startswith("in")


def test_constants_are_lazy():
    x = K.constant([[1, 2]])
    assert x.dtype == "float32"
    assert K.constant(3, "int32", (2, 2)).shape == (2, 2)
    np.testing.assert_array_equal(K.eval(x), [[1, 2]])
    np.testing.assert_array_equal(K.eval(K.constant(3, shape=(2,))), [3, 3])


def test_zeros_of_a_shape_known_only_at_run_time():
    x = K.placeholder((None, 3))
    y = K.zeros((K.shape(x)[0], 5))
    assert y.shape == (None, 5)
    assert K.function([x], [y])([X])[0].shape == (2, 5)


def test_moving_averages():
    x = K.variable([1.0, 2.0])
    f = K.function([], [x], updates=[K.moving_average_update(x, [3.0, 0.0], 0.75)])
    np.testing.assert_allclose(f([])[0], [1.5, 1.5])
    np.testing.assert_allclose(K.eval(x), [1.5, 1.5])


def test_counters():
    K.reset_uids()
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid("conv")] == [1, 2, 1]
    K.reset_uids()
    assert K.get_uid("dense") == 1
    K.manual_variable_initialization(True)


# -- errors ----------------------------------------------------------------------------


def test_the_batch_is_not_contracted():
    with pytest.raises(ShapeError, match="the batch"):
        K.batch_dot(np.zeros((2, 3)), np.zeros((2, 3)), axes=0)


def test_sizes_that_are_contracted_must_agree():
    with pytest.raises(ShapeError):
        K.batch_dot(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ShapeError, match="3 against 4"):
        K.dot(np.zeros((2, 3)), np.zeros((4, 4)))


def test_repeat_takes_a_matrix():
    with pytest.raises(ShapeError, match="3 axes"):
        K.repeat(np.zeros((2, 3, 4)), 2)


def test_pooling_has_two_modes():
    with pytest.raises(ValueError, match="sum"):
        K.pool2d(np.zeros((1, 4, 4, 1)), (2, 2), pool_mode="sum")


@pytest.mark.parametrize("from_logits", [False, True])
def test_targets_must_fit_outputs(from_logits):
    y = np.full((2, 3), 0.5, "float32")
    with pytest.raises(ShapeError):
        K.categorical_crossentropy(y[:, :2], y, from_logits)
    with pytest.raises(ShapeError):
        K.binary_crossentropy(y[:1], y, from_logits)
    with pytest.raises(ShapeError):
        K.sparse_categorical_crossentropy(np.zeros(5, "int32"), y, from_logits)


def test_data_formats_are_two():
    with pytest.raises(ValueError, match="channels_middle"):
        K.conv2d(
            np.zeros((1, 4, 4, 1)),
            np.zeros((2, 2, 1, 1)),
            data_format="channels_middle",
        )


def test_every_symbolic_tensor_is_a_keras_tensor() -> None:
    from minikeras.layers import Dense, Input

    x = Input((3,))
    assert K.is_keras_tensor(x)
    assert K.is_keras_tensor(Dense(2)(x))
    assert K.is_keras_tensor(K.placeholder(shape=(3,)))
    assert not K.is_keras_tensor(K.variable(1.0))
    assert not K.is_keras_tensor(np.ones(3))


def test_indices_of_a_floating_dtype_become_integers():
    whole = np.array([1, 2], "int8")
    assert K.as_integers(whole) is whole
    found = K.as_integers(np.array([3.0, -1.0], "float32"))
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found, [3, -1])
    assert K.as_integers(K.placeholder((None,))).dtype == "int32"

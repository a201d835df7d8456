"""Every function against Keras 3 on JAX: on arrays, on variables, on tensors."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import ops
from minikeras.engine import devices, tree
from minikeras.engine.graph import Tensor
from tests.ops import cases, cases_signal

CASES = [*cases.CASES, *cases_signal.CASES]

every_case = pytest.mark.parametrize("case", CASES, ids=map(str, CASES))

# Tested by themselves in test_control.py, as their arguments are functions.
OF_FUNCTIONS = {"cond", "fori_loop", "map", "scan", "switch", "vectorized_map"}
OF_FUNCTIONS |= {"while_loop"}
# ... and in test_transforms.py.
OF_FUNCTIONS |= {"associative_scan", "custom_gradient", "jvp", "vectorize"}
# ... and in test_linalg.py, as its vectors may have any sign.
OF_FUNCTIONS |= {"eig"}
# Tested in test_conversions.
CONVERSIONS = {"convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size"}
# Keras 3.15's is wrong where more than one element is positive; many orders part.
BETTER = {"argpartition", "sparsemax"}


def public():
    return {
        name for name in dir(ops) if callable(getattr(ops, name)) and name[0] != "_"
    }


def is_tensor(x):
    return isinstance(x, np.ndarray)


def replaced(case, replace):
    return tree.map_structure(
        lambda x: replace(x) if is_tensor(x) else x, (case.args, dict(case.kwargs))
    )


def call(case, args, kwargs):
    return tree.flatten(getattr(ops, case.name)(*args, **kwargs))


@pytest.fixture(scope="module")
def expected():
    """What Keras returns, by case."""
    import keras

    results = {}

    def get(case):
        if id(case) not in results:
            found = getattr(keras.ops, case.name)(*case.args, **case.kwargs)
            results[id(case)] = [np.asarray(x) for x in keras.tree.flatten(found)]
        return results[id(case)]

    return get


def check(found, wanted, case):
    assert len(found) == len(wanted)
    for value, want in zip(map(devices.to_host, found), wanted, strict=True):
        assert np.shape(value) == want.shape
        assert value.dtype == want.dtype
        assert_close(value, want, case.tolerance)


def assert_close(value, want, tolerance):
    if want.dtype.kind in "fVc":
        wide = "complex128" if want.dtype.kind == "c" else "float64"
        value, want = value.astype(wide), want.astype(wide)
        np.testing.assert_allclose(value, want, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(value, want)


@every_case
def test_arrays_give_what_keras_gives(case, expected):
    found = call(case, case.args, case.kwargs)
    assert not any(isinstance(x, Tensor) for x in found)
    check(found, expected(case), case)


@every_case
def test_variables_count_as_their_values(case, expected):
    args, kwargs = replaced(case, lambda x: K.Variable(x, dtype=x.dtype))
    check(call(case, args, kwargs), expected(case), case)


@every_case
@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_tensors_give_what_keras_gives(case, unknown, expected):
    if not case.lazy or (unknown and not case.unknown):
        pytest.skip("needs to know more")
    arrays = [x for x in tree.flatten((case.args, case.kwargs)) if is_tensor(x)]
    if not arrays:
        pytest.skip("has nothing to feed")
    inputs = []

    def stand_in(x):
        shape = (None,) * x.ndim if unknown else x.shape
        inputs.append(K.placeholder(shape, dtype=x.dtype))
        return inputs[-1]

    args, kwargs = replaced(case, stand_in)
    outputs = call(case, args, kwargs)
    assert all(isinstance(y, Tensor) for y in outputs)
    found = K.function(inputs, outputs)(arrays)
    check(found, expected(case), case)
    for y, value in zip(outputs, found, strict=True):
        assert y.dtype == value.dtype
        assert y.spec.admits(np.shape(value))


def test_every_function_has_a_case():
    tested = {case.name for case in CASES} | OF_FUNCTIONS | CONVERSIONS | BETTER
    assert public() - tested - {"eager"} == {"empty"}


def parameters(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in found]


@pytest.mark.parametrize("name", sorted(public() - {"eager"}))
def test_arguments_are_those_of_keras(name):
    import keras

    assert parameters(getattr(ops, name)) == parameters(getattr(keras.ops, name))


# -- where Keras is no oracle ----------------------------------------------------------


def test_empty_has_the_shape_and_dtype_asked_for():
    assert ops.empty((2, 3), "float16").shape == (2, 3)
    assert ops.empty((2, 3), "float16").dtype == "float16"


@pytest.mark.parametrize("axis", [0, -1, None])
def test_argpartition_puts_one_element_in_its_place(axis, rng):
    x = rng.normal(size=(5, 6))
    for kth in (0, 2, -1):
        places = ops.argpartition(x, kth, axis)
        assert places.dtype == "int32"
        lines = x.ravel() if axis is None else x
        found = np.take_along_axis(lines, places, axis or 0)
        at = np.take(found, [kth], axis or 0)
        np.testing.assert_array_equal(
            at, np.take(np.sort(lines, axis or 0), [kth], axis or 0)
        )
        before = np.take(found, range(kth % found.shape[axis or 0]), axis or 0)
        assert (before <= at).all()
    with pytest.raises(ValueError, match="out of bounds"):
        ops.argpartition(x, 40, axis)


def test_adaptive_windows_of_one_element():
    # Keras 3.15 rounds 3 / 7 * 7 up, and reads beyond the end.
    x = np.arange(7.0).reshape(1, 7, 1)
    np.testing.assert_array_equal(ops.adaptive_average_pool(x, 7), x)
    np.testing.assert_array_equal(ops.adaptive_max_pool(x, 7), x)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis, rng):
    x = rng.normal(size=(4, 5, 6))
    p = ops.sparsemax(x, axis)
    assert (p >= 0).all()
    assert (p == 0).any()
    np.testing.assert_allclose(p.sum(axis), 1)
    # Optimality: where p is positive x - p is one number, and nowhere is it larger.
    moved = np.moveaxis(x - p, axis, -1)
    on = np.moveaxis(p > 0, axis, -1)
    tau = np.where(on, moved, -np.inf).max(-1, keepdims=True)
    np.testing.assert_allclose(np.where(on, moved, tau), np.broadcast_to(tau, on.shape))
    assert (moved <= tau + 1e-12).all()


def test_attention_caps_its_logits(rng):
    q, k, v = (rng.normal(size=(1, 3, 1, 2)) * 4 for _ in range(3))
    logits = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(2)
    weights = np.exp(0.5 * np.tanh(logits / 0.5))
    weights /= weights.sum(-1, keepdims=True)
    want = np.einsum("bnts,bsnh->btnh", weights, v)
    found = ops.dot_product_attention(q, k, v, attn_logits_soft_cap=0.5)
    np.testing.assert_allclose(found, want)


def test_blocks_of_pixels_are_larger_than_one():
    for function in (ops.depth_to_space, ops.space_to_depth):
        with pytest.raises(ValueError, match="`block_size` must be at least 2"):
            function(np.zeros((1, 2, 2, 4)), 1)


def test_classes_may_be_given_as_floats():
    found = ops.multi_hot(np.array([[0.0, 2.0]]), num_tokens=3)
    np.testing.assert_array_equal(found, [[1, 0, 1]])


def test_quantile_names_the_methods_it_knows():
    with pytest.raises(ValueError, match="linear, lower"):
        ops.quantile(np.zeros(3), 0.5, method="cubic")


def test_a_border_has_a_value_in_constant_mode_alone():
    with pytest.raises(ValueError, match="reflect"):
        ops.pad(np.zeros(3), 1, "reflect", 5.0)


def test_updates_replace_or_add():
    with pytest.raises(ValueError, match="Received: reduction=mean"):
        ops.scatter_update(np.zeros(3), [[1]], [1.0], reduction="mean")


def test_replicas_are_not_synchronized():
    with pytest.raises(NotImplementedError):
        ops.moments(np.zeros(3), 0, synchronized=True)


def test_a_number_of_segments_can_be_found_out():
    sums = ops.segment_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    np.testing.assert_array_equal(sums, [5, 0, 2])


# -- conversions -----------------------------------------------------------------------


def test_conversions():
    x = K.placeholder((None, 3), dtype="float16")
    assert ops.dtype(x) == "float16"
    assert ops.dtype(np.zeros(2, "int8")) == "int8"
    assert ops.size(np.zeros((2, 3))) == 6
    assert ops.ndim(x) == 2
    assert ops.ndim([[1, 2]]) == 2
    assert ops.is_tensor(x)
    assert ops.is_tensor(devices.xp.zeros(2))
    assert not ops.is_tensor([1.0])
    assert ops.shape(np.zeros((2, 3))) == (2, 3)
    batch, width = ops.shape(x)
    assert width == 3
    assert K.function([x], [batch])([np.zeros((5, 3))]) == [5]
    between_layers = ops.shape(K.KerasTensor((None, 3)))
    assert between_layers == (None, 3)  # as in Keras


def test_convert_to_numpy_computes_what_is_lazy():
    x = K.variable([1.0, 2.0])
    assert type(ops.convert_to_numpy(x)) is np.ndarray
    np.testing.assert_array_equal(ops.convert_to_numpy(x + 1), [2, 3])
    np.testing.assert_array_equal(ops.convert_to_numpy([1, 2]), [1, 2])


def test_a_variable_among_tensors_is_read_in_each_run():
    v, x = K.variable([1.0, 2.0]), K.placeholder((2,))
    f = K.function([x], [ops.add(x, v)])
    np.testing.assert_array_equal(f([[0, 0]])[0], [1, 2])
    v.assign([5.0, 6.0])
    np.testing.assert_array_equal(f([[0, 0]])[0], [5, 6])


def test_a_variable_is_symbolic_in_a_traced_function():
    v = K.variable([1.0, 2.0])

    @K.function
    def f(x):
        v.assign(ops.add(v, x))
        return ops.multiply(v, 2)

    np.testing.assert_array_equal(f(np.float32([1, 1])), [4, 6])
    np.testing.assert_array_equal(f(np.float32([1, 1])), [6, 8])
    np.testing.assert_array_equal(ops.square(v), [9, 16])

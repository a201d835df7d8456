"""Variables of K: lazy in expressions, set at once outside a trace, recorded within."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine.graph import Tensor


def test_an_expression_of_variables_is_lazy_until_it_is_forced() -> None:
    v = K.variable([[1.0, 2.0], [3.0, 4.0]])
    product = K.dot(v, v)
    assert isinstance(product, Tensor)
    np.testing.assert_array_equal(K.eval(product), [[7, 10], [15, 22]])
    K.set_value(v, np.eye(2))
    np.testing.assert_array_equal(K.eval(product), np.eye(2))


def test_arrays_alone_are_computed_at_once() -> None:
    product = K.dot(np.ones((2, 3), "float32"), np.ones((3, 4), "float32"))
    assert isinstance(product, np.ndarray)
    np.testing.assert_array_equal(product, np.full((2, 4), 3.0))


def test_a_variable_is_floatx_unless_told_otherwise() -> None:
    assert K.variable(np.ones(2, "float64")).dtype == "float32"
    assert K.variable([1, 2]).dtype == "float32"
    assert K.variable([1, 2], dtype="int64").dtype == "int64"
    assert K.Variable(np.ones(2, "float64")).dtype == "float64"


def test_assignment_outside_a_trace_takes_effect_at_once() -> None:
    v = K.Variable(np.zeros(2, "float32"))
    v.assign([1.0, 2.0])
    v.assign_add([10.0, 10.0])
    v.assign_sub(1.0 + v * 0.0)
    np.testing.assert_array_equal(v.numpy(), [10.0, 11.0])
    np.testing.assert_array_equal(np.asarray(v), v.value)


def test_assignment_outside_a_trace_leaves_no_nodes_behind() -> None:
    v = K.Variable(np.zeros(2, "float32"))
    graph = K.get_session().graph
    before = len(graph.nodes)
    for _ in range(3):
        v.assign_add(np.ones(2))
        v.assign_sub(0.5)
    assert len(graph.nodes) == before
    np.testing.assert_array_equal(v.numpy(), [1.5, 1.5])


def test_assignment_in_a_trace_takes_effect_when_the_function_runs() -> None:
    v = K.Variable(np.float32(1.0))

    @K.function
    def double_twice() -> tuple[Tensor, Tensor]:
        first = v.assign(v * 2.0) * 1.0
        v.assign(v * 2.0)
        return first, v * 1.0

    assert v.numpy() == 1.0
    assert double_twice() == (2.0, 4.0)
    assert v.numpy() == 4.0
    assert double_twice() == (8.0, 16.0)


def test_what_a_caller_gets_is_his_own() -> None:
    start = np.zeros(3, "float32")
    v = K.Variable(start)
    start[0] = 5.0
    taken = v.numpy()
    taken[1] = 7.0
    np.testing.assert_array_equal(v.numpy(), np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        v.value[0] = 1.0


def test_a_wrong_shape_is_refused_and_changes_nothing() -> None:
    v = K.Variable(np.zeros((2, 3), "float32"), name="w")
    with pytest.raises(ValueError, match=r"shape=\(2, 3\).*shape=\(3, 2\).*w"):
        v.assign(np.ones((3, 2)))
    np.testing.assert_array_equal(v.numpy(), np.zeros((2, 3)))


def test_updates_are_carried_out_by_a_function() -> None:
    v, w = K.variable(1.0), K.variable(10.0)
    x = K.placeholder(shape=())
    step = K.function(
        [x],
        [x * 2.0],
        updates=[K.update_add(v, x), K.update_sub(w, x), K.update(v, v * 1.0)],
    )
    assert step([3.0]) == [6.0]
    assert K.batch_get_value([v, w]) == [4.0, 7.0]


def test_several_values_are_set_at_once() -> None:
    a, b = K.variable(0.0), K.variable([0.0, 0.0])
    K.batch_set_value([(a, 1.0), (b, [2.0, 3.0])])
    np.testing.assert_array_equal(K.batch_get_value([a, b])[1], [2.0, 3.0])


def test_paths_say_where_a_variable_was_made() -> None:
    with K.name_scope("outer"), K.name_scope("inner"):
        v = K.Variable(np.zeros(1), name="kernel")
    assert v.path == "outer/inner/kernel"
    assert v.name == "kernel"
    assert "path=outer/inner/kernel, shape=(1,), dtype=float64" in repr(v)
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        K.Variable(np.zeros(1), name="a/b")


def test_a_variable_from_a_function_needs_a_shape() -> None:
    made = K.Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=(2,))
    np.testing.assert_array_equal(made.numpy(), [2.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        K.Variable(lambda shape, dtype: np.ones(shape))
    with pytest.raises(ValueError, match="needs an initializer"):
        K.Variable(None)


def test_a_variable_made_inside_a_trace_is_real() -> None:
    made: list[K.Variable] = []

    @K.function
    def f(x: Tensor) -> Tensor:
        if not made:
            made.append(K.Variable(np.full(2, 3.0, "float32")))
        return x * made[0]

    np.testing.assert_array_equal(f(np.ones(2, "float32")), [3.0, 3.0])
    np.testing.assert_array_equal(made[0].numpy(), [3.0, 3.0])


# -- as Keras 3 has them ---------------------------------------------------------------

LOGICAL = ("and_", "or_", "xor")
OPERATORS = "add sub mul truediv floordiv mod pow matmul lt le gt ge eq ne"


@pytest.mark.parametrize("name", [*OPERATORS.split(), *LOGICAL])
def test_an_expression_of_keras_variables_is_an_array(name: str) -> None:
    import operator

    import keras

    function = getattr(operator, name)
    for kind in ("int32", "float32"):
        a = np.array([0 if name in LOGICAL else 1, 2, 5], kind)
        b = np.array([4, 2, 3], kind)
        for pair in ((lambda v, w: (v, w)), (lambda v, w: (w, v))):
            ours = function(*pair(K.Variable(a), K.Variable(b)))
            theirs = function(*pair(keras.Variable(a), keras.Variable(b)))
            assert isinstance(ours, (np.ndarray, np.generic))
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)
            assert ours.dtype == np.asarray(theirs).dtype
        for other in (2, b):
            ours, theirs = (
                module.Variable(np.arange(3, dtype=kind)) for module in (K, keras)
            )
            if name != "matmul" or other is b:
                np.testing.assert_allclose(
                    function(ours, other), function(theirs, other), rtol=1e-6
                )


def test_beside_a_tensor_a_variable_is_read_anew() -> None:
    v = K.Variable(np.float32(2.0))
    x = K.placeholder(shape=())
    both = K.function([x], [v * x, x - v])
    assert both([3.0]) == [6.0, 1.0]
    v.assign(5.0)
    assert both([3.0]) == [15.0, -2.0]


def test_other_operators_of_a_variable() -> None:
    v = K.Variable([[-1.5, 2.5]])
    np.testing.assert_array_equal(-v, [[1.5, -2.5]])
    np.testing.assert_array_equal(+v, [[-1.5, 2.5]])
    np.testing.assert_array_equal(abs(v), [[1.5, 2.5]])
    np.testing.assert_array_equal(round(v), [[-2.0, 2.0]])
    np.testing.assert_array_equal(v[0, 1:], [2.5])
    np.testing.assert_array_equal(~K.Variable([True, False]), [False, True])
    assert (int(K.Variable(-1.1)), float(K.Variable(2.5))) == (-1, 2.5)
    for convert in (int, float):
        with pytest.raises(TypeError, match="Only scalar arrays"):
            convert(v)
    with pytest.raises(TypeError, match="cannot be used as a boolean"):
        bool(K.Variable(1.0))
    assert v in {v: 1}
    assert K.Variable([[-1.5, 2.5]]) not in {v: 1}


def test_arguments_are_checked_in_keras_words() -> None:
    for wrong in ({"aggregation": "max"}, {"synchronization": "never"}):
        name = next(iter(wrong))
        with pytest.raises(ValueError, match=f"Invalid value for argument `{name}`"):
            K.Variable(0.0, **wrong)
    with pytest.raises(ValueError, match="`name` must be a string"):
        K.Variable(0.0, name=3)
    with pytest.raises(ValueError, match="fully-defined"):
        K.Variable("zeros", shape=(None, 2))
    v = K.Variable(0.0, aggregation=None, synchronization=None)
    assert (v.aggregation, v.synchronization) == ("none", "none")
    for name in ("regularizer", "constraint"):
        setattr(v, name, abs)
        with pytest.raises(ValueError, match=f"Invalid value for attribute `{name}`"):
            setattr(v, name, "not callable")
        assert getattr(v, name) is abs
    with pytest.raises(TypeError, match="must be a boolean"):
        v.overwrite_with_gradient = "true"


def test_autocast_is_for_floats() -> None:
    v, n = K.Variable([1.0, 2.0]), K.Variable([1, 2])
    own = K.Variable([1.0], autocast=False)
    with K.AutocastScope("float16") as scope:
        assert (v.dtype, v.value.dtype, (v + 1).dtype) == ("float16",) * 3
        assert (n.dtype, own.dtype, own.value.dtype) == ("int32", "float32", "float32")
        v.assign(np.ones(2, "float16"))
        assert scope.maybe_cast(np.ones(2, "float32")).dtype == "float16"
        with K.AutocastScope(None):
            assert v.dtype == "float32"
    assert v.value.dtype == "float32"
    with pytest.raises(ValueError, match="floating-point target dtype"):
        K.AutocastScope("int32")

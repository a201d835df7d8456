"""Functions of functions against Keras on JAX: on arrays and on tensors."""

import operator

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models, ops, saving
from minikeras.engine import tree
from minikeras.engine.graph import Tensor
from tests.ops.test_control import both, check

X = np.random.default_rng(4).normal(size=(7, 3)).astype("float32")
MATRICES = np.random.default_rng(5).normal(size=(5, 1, 2, 3)).astype("float32")


# -- associative_scan ------------------------------------------------------------------


@pytest.mark.parametrize("length", range(9))
@pytest.mark.parametrize("reverse", [False, True])
def test_sums_of_all_beginnings(length, reverse):
    x = np.arange(2.0 * length, dtype="float32").reshape(length, 2)
    y = ops.associative_scan(operator.add, x, reverse=reverse)
    want = np.cumsum(x[::-1], 0)[::-1] if reverse else np.cumsum(x, 0)
    np.testing.assert_allclose(y, want)
    assert y.dtype == x.dtype


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_joined_need_not_commute(axis, reverse):
    """The state of a linear recurrence; its factors and terms in one dict."""

    def join(first, second):
        return {
            "factor": second["factor"] * first["factor"],
            "term": second["factor"] * first["term"] + second["term"],
        }

    def call(ops, x, y):
        elems = {"factor": x, "term": y}
        return ops.associative_scan(join, elems, reverse=reverse, axis=axis)

    check(call, X, X[::-1].copy())
    from_the_end = ops.associative_scan(join, {"factor": X, "term": X}, reverse, -1)
    same = ops.associative_scan(join, {"factor": X, "term": X}, reverse, 1)
    np.testing.assert_array_equal(from_the_end["term"], same["term"])


def test_a_known_length_needs_few_steps():
    calls = []

    def join(a, b):
        calls.append(len(a))
        return a + b

    ops.associative_scan(join, np.arange(1000))
    assert len(calls) < 20


@pytest.mark.parametrize("shape", [(None, 6), (5, None), (1, 4), (2, 4), (3, 4)])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_shape_stays(shape, axis):
    x = K.placeholder(shape)
    assert ops.associative_scan(operator.add, x, axis=axis).shape == shape


def test_prefixes_have_gradients():
    x = K.placeholder((None, 3))
    known = ops.reshape(x, (7, 3))
    slopes = [
        K.gradients(ops.sum(ops.square(ops.associative_scan(operator.mul, y))), x)[0]
        for y in (x, known)
    ]
    one, other = K.function([x], slopes)([X])
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    step = np.zeros_like(X)
    step[2, 1] = 1e-3
    up, down = (np.sum(np.cumprod(X + s, 0)[:, 1] ** 2) for s in (step, -step))
    np.testing.assert_allclose(one[2, 1], (up - down) / 2e-3, rtol=1e-2)


def test_prefixes_of_different_lengths_do_not_go_together():
    with pytest.raises(ValueError, match="same first dimension"):
        ops.associative_scan(lambda a, b: a, (X, X[:2]))
    pair = K.placeholder((None, 5)), K.placeholder((None, 4))
    with pytest.raises(ValueError, match="same first dimension"):
        ops.associative_scan(lambda a, b: a, pair, axis=1)
    with pytest.raises(TypeError, match="callable"):
        ops.associative_scan(3, X)


# -- vectorize -------------------------------------------------------------------------


def test_scalars_are_looped_over():
    add = ops.vectorize(lambda a, b: a + b)
    np.testing.assert_array_equal(add([1, 2, 3, 4], 2), [3, 4, 5, 6])
    assert add(1, 2) == 3
    check(lambda ops, x, y: ops.vectorize(lambda a, b: a * b)(x, y), X, X[0])


def test_parts_are_looped_over():
    def call(ops, a, b):
        return ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(a, b)

    check(call, MATRICES, X[:4])
    check(call, MATRICES[0, 0], X[0])


def test_several_results():
    def call(ops, x):
        ends = ops.vectorize(
            lambda row: (row[0], row * 2, ops.sum(row)), signature="(n)->(),(n),()"
        )
        return ends(x)

    check(call, X)


def test_some_arguments_are_passed_as_they_are():
    """Keras 3.15 forgets which."""
    power = ops.vectorize(lambda x, p, scale=1: scale * x**p, excluded={1, "scale"})
    np.testing.assert_allclose(power(np.float32([1, 2, 3]), 2, scale=2), [2, 8, 18])
    first = ops.vectorize(lambda x, y: x if y is None else y)
    np.testing.assert_array_equal(first([1, 2], None), [1, 2])


def test_unknown_sizes_are_looped_over():
    x = K.placeholder((None, None, 3, 3))
    trace = ops.vectorize(ops.trace, signature="(d,d)->()")
    assert trace(x).shape == (None, None)
    assert trace(np.eye(4)) == 4


def test_variables_are_looped_over():
    found = ops.vectorize(lambda a: a + 1)(K.Variable(X))
    np.testing.assert_allclose(found, X + 1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.vectorize(3), ValueError, "Expected argument `pyfunc`"),
        (
            lambda: ops.vectorize(len, signature="(m)->n"),
            ValueError,
            "not a valid gufunc signature",
        ),
        (
            lambda: ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(X),
            TypeError,
            "wrong number of positional arguments: expected 2, got 1",
        ),
        (
            lambda: ops.vectorize(ops.matmul, signature="(m,n),(n)->(m)")(X, X[:, :2]),
            ValueError,
            "inconsistent size for core dimension",
        ),
        (
            lambda: ops.vectorize(ops.trace, signature="(n,n)->()")(X[0]),
            ValueError,
            "does not have enough dimensions",
        ),
        (
            lambda: ops.vectorize(ops.exp, signature="(n)->()")(X),
            ValueError,
            "does not match core dimensions",
        ),
        (
            lambda: ops.vectorize(ops.exp, signature="(n)->(),()")(X),
            TypeError,
            "wrong number of output arguments: expected 2, got 1",
        ),
    ],
)
def test_what_cannot_be_vectorized(call, error, words):
    with pytest.raises(error, match=words):
        call()


# -- jvp -------------------------------------------------------------------------------


def test_derivatives_along_a_direction():
    def call(ops, x, y, s, t):
        return ops.jvp(
            lambda a, b: {"p": ops.sin(a) * b, "q": ops.sum(a)}, (x, y), (s, t)
        )

    check(call, X, X + 1, X - 1, X * 2)


def test_derivatives_of_a_function_that_uses_the_point_itself():
    """Only what it is given counts."""

    def call(ops, x, t):
        return ops.jvp(lambda a: a * x, (x,), (t,))

    check(call, X, X + 1)


def test_what_a_function_returns_besides():
    def call(ops, x, t):
        return ops.jvp(
            lambda a: (ops.exp(a), ops.mean(a, axis=-1)), [x], [t], has_aux=True
        )

    check(call, X, X + 1)
    x = K.placeholder((None, 7))
    value, slope, aux = call(ops, x, x)
    assert (value.shape, slope.shape, aux.shape) == ((None, 7), (None, 7), (None,))


def test_derivatives_through_loops_and_matrices():
    def call(ops, x, t):
        def looped(a):
            total, rows = ops.scan(lambda c, r: (c * r, c + r), a[0], a)
            return total, rows, ops.inv(ops.matmul(ops.transpose(a), a))

        return ops.jvp(looped, (x,), (t,))

    def close(a, b):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)

    import keras

    wanted = keras.tree.map_structure(np.asarray, call(keras.ops, X, X + 1))
    for found in both(call, X, X + 1):
        tree.map_structure(close, found, wanted)


def test_what_does_not_depend_on_the_point_does_not_change():
    found = ops.jvp(lambda x: (ops.argmax(x), x[:0], X), (X,), (X,))
    assert found[0][0] == np.argmax(X)
    assert [np.sum(np.abs(t)) for t in found[1]] == [0, 0, 0]
    nothing = ops.jvp(lambda x: ops.argmax(x), (X,), (X,))
    assert nothing[1] == 0


def test_directions_must_fit():
    with pytest.raises(TypeError, match="tuples or lists"):
        ops.jvp(ops.sin, X, X)
    with pytest.raises(TypeError, match="1 primals and 2 tangents"):
        ops.jvp(ops.sin, (X,), (X, X))
    with pytest.raises(ValueError, match="tangent"):
        ops.jvp(ops.sin, (X,), (X[:2],))


# -- custom_gradient -------------------------------------------------------------------


@ops.custom_gradient
def log1pexp(x):
    e = ops.exp(x)

    def grad(*args, upstream=None):
        if upstream is None:
            (upstream,) = args
        return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

    return ops.log(1 + e), grad


def test_a_gradient_by_a_rule():
    x = K.placeholder(())
    y = log1pexp(x)
    (slope,) = K.gradients(y, [x])
    (plain,) = K.gradients(ops.log(1 + ops.exp(x)), [x])
    found = K.function([x], [slope, plain])([np.float32(100)])
    assert found[0] == 1
    assert np.isnan(found[1])


def test_values_by_a_rule_are_there_at_once():
    np.testing.assert_allclose(log1pexp(X), np.log1p(np.exp(X)), rtol=1e-5)
    np.testing.assert_allclose(log1pexp(K.Variable(X)), log1pexp(x=X))
    assert isinstance(log1pexp(K.placeholder((2,))), Tensor)


def test_a_rule_reaches_variables():
    v = K.Variable(2.0)
    with K.symbolic_scope():
        y = log1pexp(v) * 3
        (slope,) = K.gradients(y, [v])
    np.testing.assert_allclose(K.eval(slope), 3 / (1 + np.exp(-2)), rtol=1e-5)


def test_a_rule_for_several_arguments_and_results():
    """The rule is given what the function returns, in the same structure."""

    def make(ops):
        @ops.custom_gradient
        def f(pair, z):
            x, y = pair

            def grad(upstream):
                a, b = upstream["a"], upstream["b"]
                return (a * 2, b * 3), a + b

            return {"a": x * y, "b": z}, grad

        return f

    import jax
    import keras

    def loss(ops, x, y, z):
        found = make(ops)((x, y), z)
        return ops.sum(ops.sin(found["a"]) + found["b"] * x)

    arrays = [X, X + 1, X - 1]
    wanted = jax.grad(lambda *xs: loss(keras.ops, *xs), (0, 1, 2))(*arrays)
    inputs = [K.placeholder((None, 3)) for _ in arrays]
    found = K.function(inputs, K.gradients(loss(ops, *inputs), inputs))(arrays)
    for slope, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(slope, want, rtol=1e-4, atol=1e-6)


# -- rearrange -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "sizes", "shape"),
    [
        ("b c h -> b h c", {}, (None, 8, 6)),
        ("b (h w) c -> (b h) w c", {"h": 2}, (None, 3, 8)),
        ("b c (h w) -> b c h w", {"w": 4}, (None, 6, 2, 4)),
        ("b c h -> (b c h)", {}, (None,)),
    ],
)
def test_a_rearrangement_of_unknown_sizes(pattern, sizes, shape):
    x = np.arange(5 * 48.0, dtype="float32").reshape(5, 6, 8)
    tensor = K.placeholder((None, 6, 8))
    y = ops.rearrange(tensor, pattern, **sizes)
    assert y.shape == shape
    found = K.function([tensor], [y])([x])[0]
    np.testing.assert_array_equal(found, ops.rearrange(x, pattern, **sizes))


@pytest.mark.parametrize(
    ("pattern", "sizes", "words"),
    [
        ("a b", {}, "on either side"),
        ("a b -> a", {}, "names each axis once"),
        ("a a -> a a", {}, "names each axis once"),
        ("a b -> a ...", {}, "names each axis once"),
        ("a b c -> a b c", {}, "of 3 axes"),
        ("(h w) c -> h w c", {}, "only one"),
        ("(h w) c -> h w c", {"h": 2}, "7 cannot be split by 2"),
        ("(h w) c -> h w c", {"h": 2, "w": 3}, "7 cannot be split by 6"),
    ],
)
def test_a_pattern_must_fit(pattern, sizes, words):
    with pytest.raises(ValueError, match=words):
        ops.rearrange(X, pattern, **sizes)


# -- in models -------------------------------------------------------------------------


def doubled(x):
    return x + x


def test_a_mapped_function_is_in_the_config_of_its_model():
    x = layers.Input((10,))
    model = models.Model(x, ops.vectorized_map(doubled, x))
    with saving.custom_object_scope({"doubled": doubled}):
        again = models.Model.from_config(model.get_config())
    given = np.arange(50, dtype="float32").reshape(5, 10)
    np.testing.assert_array_equal(again(given), 2 * given)

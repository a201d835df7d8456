"""TensorFlow 1's functions, called as its programs call them, against NumPy."""

import numpy as np
import pytest
from scipy import special

import minikeras.engine as tf
from minikeras.engine import functions

M = np.array([[1.0, -2.0, 3.0], [4.0, 5.5, -6.0]], "float32")
N = np.array([[2.0, 2.0, -1.0], [0.5, 5.5, 4.0]], "float32")
U = np.abs(M) / 10
I = np.array([[7, -7, 3], [2, 9, 4]], "int32")  # noqa: E741
J = np.array([[2, 2, -2], [3, 4, 5]], "int32")
B = M > 0
C = N > 1

# For each name a function of tf, and what it must return.
CASES = {
    "add": (lambda: tf.add(M, N), M + N),
    "subtract": (lambda: tf.subtract(x=M, y=N), M - N),
    "multiply": (lambda: tf.multiply(M, N), M * N),
    "divide": (lambda: tf.divide(I, J), (I / J).astype("float32")),
    "truediv": (lambda: tf.truediv(M, N), M / N),
    "realdiv": (lambda: tf.realdiv(M, N), M / N),
    "div": (lambda: tf.div(I, J), I // J),
    "div-float": (lambda: tf.div(M, N), M / N),
    "div_no_nan": (lambda: tf.div_no_nan(M, M * 0), M * 0),
    "floordiv": (lambda: tf.floordiv(I, J), I // J),
    "floor_div": (lambda: tf.floor_div(I, J), I // J),
    "mod": (lambda: tf.mod(I, J), I % J),
    "floormod": (lambda: tf.floormod(I, J), I % J),
    "pow": (lambda: tf.pow(U, 2.0), U**2),
    "squared_difference": (lambda: tf.squared_difference(M, N), (M - N) ** 2),
    "maximum": (lambda: tf.maximum(x=M, y=N), np.maximum(M, N)),
    "minimum": (lambda: tf.minimum(M, N), np.minimum(M, N)),
    "add_n": (lambda: tf.add_n(inputs=[M, N, M]), M + N + M),
    "cumsum": (lambda: tf.cumsum(M, axis=1), np.cumsum(M, 1)),
    "cumsum-first": (lambda: tf.cumsum(M), np.cumsum(M, 0)),
    "cumsum-exclusive": (
        lambda: tf.cumsum(M, 1, exclusive=True, reverse=True),
        np.array([[1, 3, 0], [-0.5, -6, 0]], "float32"),
    ),
    "cumprod": (lambda: tf.cumprod(M, axis=1), np.cumprod(M, 1)),
    "abs": (lambda: tf.abs(M), np.abs(M)),
    "negative": (lambda: tf.negative(M), -M),
    "sign": (lambda: tf.sign(M), np.sign(M)),
    "square": (lambda: tf.square(M), M**2),
    "sqrt": (lambda: tf.sqrt(U), np.sqrt(U)),
    "rsqrt": (lambda: tf.rsqrt(U), 1 / np.sqrt(U)),
    "reciprocal": (lambda: tf.reciprocal(M), 1 / M),
    "exp": (lambda: tf.exp(M), np.exp(M)),
    "expm1": (lambda: tf.expm1(U), np.expm1(U)),
    "log": (lambda: tf.log(U), np.log(U)),
    "log1p": (lambda: tf.log1p(U), np.log1p(U)),
    "erf": (lambda: tf.erf(U), special.erf(U)),
    "floor": (lambda: tf.floor(M), np.floor(M)),
    "ceil": (lambda: tf.ceil(M), np.ceil(M)),
    "round": (lambda: tf.round(M), np.round(M)),
    "rint": (lambda: tf.rint(M), np.rint(M)),
    "sin": (lambda: tf.sin(M), np.sin(M)),
    "cos": (lambda: tf.cos(M), np.cos(M)),
    "tan": (lambda: tf.tan(U), np.tan(U)),
    "asin": (lambda: tf.asin(U), np.arcsin(U)),
    "acos": (lambda: tf.acos(U), np.arccos(U)),
    "atan": (lambda: tf.atan(M), np.arctan(M)),
    "atan2": (lambda: tf.atan2(y=M, x=N), np.arctan2(M, N)),
    "sinh": (lambda: tf.sinh(U), np.sinh(U)),
    "cosh": (lambda: tf.cosh(U), np.cosh(U)),
    "tanh": (lambda: tf.tanh(M), np.tanh(M)),
    "asinh": (lambda: tf.asinh(M), np.arcsinh(M)),
    "acosh": (lambda: tf.acosh(U + 1), np.arccosh(U + 1)),
    "atanh": (lambda: tf.atanh(U), np.arctanh(U)),
    "sigmoid": (lambda: tf.sigmoid(M), special.expit(M)),
    "clip_by_value": (
        lambda: tf.clip_by_value(M, clip_value_min=-1.0, clip_value_max=2.0),
        np.clip(M, -1, 2),
    ),
    "equal": (lambda: tf.equal(M, N), M == N),
    "not_equal": (lambda: tf.not_equal(x=M, y=N), M != N),
    "less": (lambda: tf.less(M, N), M < N),
    "less_equal": (lambda: tf.less_equal(M, N), M <= N),
    "greater": (lambda: tf.greater(M, N), M > N),
    "greater_equal": (lambda: tf.greater_equal(M, N), M >= N),
    "logical_and": (lambda: tf.logical_and(B, C), B & C),
    "logical_or": (lambda: tf.logical_or(x=B, y=C), B | C),
    "logical_xor": (lambda: tf.logical_xor(B, C), B ^ C),
    "logical_not": (lambda: tf.logical_not(B), ~B),
    "is_nan": (lambda: tf.is_nan([1.0, np.nan]), np.array([False, True])),
    "is_inf": (lambda: tf.is_inf([1.0, np.inf]), np.array([False, True])),
    "is_finite": (lambda: tf.is_finite([1.0, np.inf]), np.array([True, False])),
    "reduce_sum": (lambda: tf.reduce_sum(M), M.sum()),
    "reduce_sum-old": (
        lambda: tf.reduce_sum(M, reduction_indices=[1], keep_dims=True),
        M.sum(1, keepdims=True),
    ),
    "reduce_sum-axes": (lambda: tf.reduce_sum(input_tensor=M, axis=[0, 1]), M.sum()),
    "reduce_mean": (lambda: tf.reduce_mean(M, 0), M.mean(0)),
    "reduce_mean-whole": (lambda: tf.reduce_mean(I, 1), np.array([1, 5], "int32")),
    "reduce_max": (lambda: tf.reduce_max(M, axis=1, keepdims=True), M.max(1)[:, None]),
    "reduce_min": (lambda: tf.reduce_min(M, axis=-1), M.min(1)),
    "reduce_prod": (lambda: tf.reduce_prod(M, axis=0), M.prod(0)),
    "reduce_all": (lambda: tf.reduce_all(B, axis=0), B.all(0)),
    "reduce_any": (lambda: tf.reduce_any(B, axis=0), B.any(0)),
    "reduce_logsumexp": (lambda: tf.reduce_logsumexp(M, 1), special.logsumexp(M, 1)),
    "count_nonzero": (lambda: tf.count_nonzero(B, 1), B.sum(1)),
    "argmax": (lambda: tf.argmax(M, 1), M.argmax(1)),
    "argmax-old": (lambda: tf.argmax(M, dimension=1), M.argmax(1)),
    "argmax-first": (
        lambda: tf.argmax(M, output_type=tf.int32),
        M.argmax(0).astype("int32"),
    ),
    "argmin": (lambda: tf.argmin(input=M, axis=1), M.argmin(1)),
    "shape": (lambda: tf.shape(M), np.array([2, 3], "int32")),
    "shape-long": (lambda: tf.shape(M, out_type=tf.int64), np.array([2, 3])),
    "size": (lambda: tf.size(M), np.int32(6)),
    "rank": (lambda: tf.rank(M), np.int32(2)),
    "reshape": (lambda: tf.reshape(M, [3, -1]), M.reshape(3, 2)),
    "reshape-named": (lambda: tf.reshape(tensor=M, shape=(6,)), M.reshape(6)),
    "transpose": (lambda: tf.transpose(M), M.T),
    "transpose-perm": (lambda: tf.transpose(a=M, perm=[1, 0]), M.T),
    "expand_dims": (lambda: tf.expand_dims(M, 1), M[:, None]),
    "expand_dims-old": (lambda: tf.expand_dims(M, dim=-1), M[..., None]),
    "squeeze": (lambda: tf.squeeze(M[None, :, None]), M),
    "squeeze-old": (lambda: tf.squeeze(M[None], squeeze_dims=[0]), M),
    "broadcast_to": (lambda: tf.broadcast_to(M[0], (2, 3)), np.stack([M[0]] * 2)),
    "concat": (lambda: tf.concat([M, N], 1), np.concatenate([M, N], 1)),
    "concat-named": (lambda: tf.concat(values=[M, N], axis=0), np.concatenate([M, N])),
    "stack": (lambda: tf.stack([M, N], axis=1), np.stack([M, N], 1)),
    "unstack": (lambda: tf.unstack(M, axis=1), list(M.T)),
    "unstack-num": (lambda: tf.unstack(value=M, num=2), list(M)),
    "split": (lambda: tf.split(M, 3, 1), np.split(M, 3, 1)),
    "split-sizes": (
        lambda: tf.split(value=M, num_or_size_splits=[1, 2], axis=1),
        [M[:, :1], M[:, 1:]],
    ),
    "tile": (lambda: tf.tile(M, multiples=[2, 1]), np.tile(M, (2, 1))),
    "pad": (lambda: tf.pad(M, [[1, 0], [0, 2]]), np.pad(M, [[1, 0], [0, 2]])),
    "pad-reflect": (
        lambda: tf.pad(tensor=M, paddings=[[1, 1], [2, 0]], mode="REFLECT"),
        np.pad(M, [[1, 1], [2, 0]], "reflect"),
    ),
    "pad-constant": (
        lambda: tf.pad(M, [[0, 0], [1, 0]], constant_values=9),
        np.pad(M, [[0, 0], [1, 0]], constant_values=9),
    ),
    "slice": (lambda: tf.slice(M, [0, 1], [2, -1]), M[:, 1:]),
    "slice-named": (lambda: tf.slice(input_=M, begin=[1, 0], size=[1, 2]), M[1:, :2]),
    "strided_slice": (
        lambda: tf.strided_slice(M, [0, 2], [2, 0], [1, -1]),
        M[0:2, 2:0:-1],
    ),
    "gather": (lambda: tf.gather(M, [1, 0, 1]), M[[1, 0, 1]]),
    "gather-axis": (lambda: tf.gather(params=M, indices=[2, 0], axis=1), M[:, [2, 0]]),
    "gather_nd": (lambda: tf.gather_nd(M, [[0, 1], [1, 2]]), M[[0, 1], [1, 2]]),
    "scatter_nd": (
        lambda: tf.scatter_nd([[1], [3], [1]], [1.0, 2.0, 3.0], [5]),
        np.array([0, 4, 0, 2, 0], "float32"),
    ),
    "boolean_mask": (lambda: tf.boolean_mask(M, B), M[B]),
    "reverse": (lambda: tf.reverse(M, axis=[1]), M[:, ::-1]),
    "meshgrid": (lambda: tf.meshgrid(M[0], N[1]), [*np.meshgrid(M[0], N[1])]),
    "segment_sum": (
        lambda: tf.segment_sum(M, [0, 0]),
        M.sum(0, keepdims=True),
    ),
    "unsorted_segment_sum": (
        lambda: tf.unsorted_segment_sum(data=M, segment_ids=[1, 1], num_segments=2),
        np.stack([M[0] * 0, M.sum(0)]),
    ),
    "one_hot": (
        lambda: tf.one_hot([2, 0, -1], 3),
        np.eye(4, 3, dtype="float32")[[2, 0, 3]],
    ),
    "one_hot-values": (
        lambda: tf.one_hot([1], depth=3, on_value=5, off_value=-1, axis=0),
        np.array([[-1], [5], [-1]], "int32"),
    ),
    "one_hot-tensors": (
        lambda: tf.one_hot([1, 0], tf.constant(3), tf.constant(5.0), axis=0),
        np.array([[0, 5], [5, 0], [0, 0]], "float32"),
    ),
    "matmul": (lambda: tf.matmul(M, N, transpose_b=True), M @ N.T),
    "matmul-left": (lambda: tf.matmul(a=M, b=N, transpose_a=True), M.T @ N),
    "tensordot": (lambda: tf.tensordot(M, N, axes=[[1], [1]]), M @ N.T),
    "tensordot-named": (lambda: tf.tensordot(a=M, b=N.T, axes=1), M @ N.T),
    "einsum": (lambda: tf.einsum("ij,kj->ik", M, N), M @ N.T),
    "trace": (lambda: tf.trace(M[:, :2]), np.trace(M[:, :2])),
    "diag": (lambda: tf.diag(M[0]), np.diag(M[0])),
    "diag_part": (lambda: tf.diag_part(M[:, :2]), np.diag(M[:, :2])),
    "qr": (lambda: tf.qr(M), list(np.linalg.qr(M))),
    "sort": (lambda: tf.sort(M, axis=0), np.sort(M, 0)),
    "argsort": (lambda: tf.argsort(M), np.argsort(M, 1).astype("int32")),
    "norm": (lambda: tf.norm(M), np.linalg.norm(M)),
    "norm-axis": (
        lambda: tf.norm(M, axis=1, keep_dims=True),
        np.linalg.norm(M, axis=1, keepdims=True),
    ),
    "norm-1": (lambda: tf.norm(M, ord=1, axis=1), np.abs(M).sum(1)),
    "norm-3": (lambda: tf.norm(M[0], ord=3), np.linalg.norm(M[0], 3)),
    "norm-inf": (lambda: tf.norm(M, ord=np.inf, axis=1), np.abs(M).max(1)),
    "clip_by_norm": (lambda: tf.clip_by_norm(M, 2.0), M * 2 / np.linalg.norm(M)),
    "clip_by_norm-small": (lambda: tf.clip_by_norm(M, 100.0), M),
    "clip_by_norm-axes": (
        lambda: tf.clip_by_norm(M, 4.0, axes=[1]),
        M * np.minimum(1, 4 / np.linalg.norm(M, axis=1, keepdims=True)),
    ),
    "global_norm": (lambda: tf.global_norm([M, None, N]), np.sqrt((M**2 + N**2).sum())),
    "zeros": (lambda: tf.zeros([2, 3]), np.zeros((2, 3), "float32")),
    "zeros-whole": (lambda: tf.zeros((2,), tf.int32), np.zeros(2, "int32")),
    "ones": (lambda: tf.ones(shape=[2], dtype=tf.float64), np.ones(2)),
    "zeros_like": (lambda: tf.zeros_like(I), I * 0),
    "ones_like": (lambda: tf.ones_like(tensor=M), np.ones_like(M)),
    "fill": (lambda: tf.fill([2, 2], 9), np.full((2, 2), 9, "int32")),
    "fill-named": (lambda: tf.fill(dims=[2], value=0.5), np.full(2, 0.5, "float32")),
    "range": (lambda: tf.range(4), np.arange(4, dtype="int32")),
    "range-named": (
        lambda: tf.range(start=3, limit=18, delta=3),
        np.arange(3, 18, 3, dtype="int32"),
    ),
    "linspace": (
        lambda: tf.linspace(1.0, 2.0, 5),
        np.linspace(1, 2, 5, dtype="float32"),
    ),
    "lin_space": (lambda: tf.lin_space(0.0, 1.0, 3), np.array([0, 0.5, 1], "float32")),
    "eye": (lambda: tf.eye(2, 3), np.eye(2, 3, dtype="float32")),
    "eye-batch": (
        lambda: tf.eye(2, batch_shape=[3], dtype=tf.float64),
        np.stack([np.eye(2)] * 3),
    ),
    "where": (lambda: tf.where(B), np.argwhere(B)),
    "where-choice": (lambda: tf.where(B, M, N), np.where(B, M, N)),
    "where-rows": (
        lambda: tf.where([True, False], x=M, y=N),
        np.stack([M[0], N[1]]),
    ),
    "sequence_mask": (
        lambda: tf.sequence_mask([1, 3, 0]),
        np.array([[1, 0, 0], [1, 1, 1], [0, 0, 0]], bool),
    ),
    "sequence_mask-dtype": (
        lambda: tf.sequence_mask([[2]], maxlen=3, dtype=tf.float32),
        np.array([[[1, 1, 0]]], "float32"),
    ),
    "identity": (lambda: tf.identity(M), M),
    "stop_gradient": (lambda: tf.stop_gradient(M), M),
    "cast": (lambda: tf.cast(M, tf.int32), M.astype("int32")),
    "to_float": (lambda: tf.to_float(I), I.astype("float32")),
    "to_double": (lambda: tf.to_double(I), I.astype("float64")),
    "to_int32": (lambda: tf.to_int32(M), M.astype("int32")),
    "to_int64": (lambda: tf.to_int64(M), M.astype("int64")),
    "convert_to_tensor": (
        lambda: tf.convert_to_tensor([1, 2], "float64"),
        np.array([1.0, 2.0]),
    ),
}

ELSEWHERE = {"clip_by_global_norm"}


def test_every_function_has_a_case():
    assert {name.partition("-")[0] for name in CASES} | ELSEWHERE == {
        *functions.__all__
    }


@pytest.mark.parametrize("name", CASES)
def test_a_function_is_lazy_and_right(name):
    call, expected = CASES[name]
    with tf.Graph().as_default(), tf.Session() as session:
        built = call()
        outputs = built if isinstance(built, (list, tuple)) else [built]
        assert all(isinstance(y, tf.Tensor) for y in outputs)
        values = session.run(list(outputs))
    wanted = expected if isinstance(expected, list) else [expected]
    for y, value, right in zip(outputs, values, wanted, strict=True):
        assert value.dtype == np.asarray(right).dtype == y.dtype
        assert y.spec.admits(np.shape(value))
        np.testing.assert_allclose(value, right, rtol=1e-5, atol=1e-6)


def test_functions_take_a_name():
    with tf.Graph().as_default():
        assert tf.where(B, name="found").name == "found:0"
        assert tf.argmax(M, 1, name="best").name == "best:0"
        assert tf.matmul(M, N.T, name="product").name == "product:0"
        assert tf.concat([M, N], 0, "joined").name == "joined:0"
        assert tf.to_float(I, name="real").name == "real:0"
        assert tf.zeros([2], tf.float32, "nothing").name == "nothing:0"
        assert tf.eye(2, batch_shape=[2], name="units").name == "units:0"
        assert tf.div(I, J, name="whole").name == "whole:0"


def test_clip_by_global_norm():
    total = np.sqrt((M**2).sum() + (N**2).sum())
    with tf.Graph().as_default(), tf.Session() as session:
        clipped, norm = tf.clip_by_global_norm([M, None, N], 3.0)
        assert clipped[1] is None
        a, b, length = session.run([clipped[0], clipped[2], norm])
        same, _ = tf.clip_by_global_norm([M], 3.0, use_norm=tf.constant(1.0))
        np.testing.assert_allclose(session.run(same[0]), M, rtol=1e-6)
    assert length == pytest.approx(total)
    np.testing.assert_allclose(a, M * 3 / total, rtol=1e-5)
    np.testing.assert_allclose(b, N * 3 / total, rtol=1e-5)


def test_clip_by_norm_has_a_gradient_at_zero():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder("float", (2,))
        (slope,) = tf.gradients(tf.clip_by_norm(x, 1.0), x)
        np.testing.assert_array_equal(session.run(slope, {x: [0.0, 0.0]}), [1, 1])


def test_shapes_may_be_tensors():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder("float", (None, 2))
        rows = tf.shape(x)[0]
        for y, shape in [
            (tf.zeros([rows, 3]), (None, 3)),
            (tf.ones(tf.stack([rows, 3])), (None, 3)),
            (tf.fill([rows], 2.0), (None,)),
            (tf.reshape(x, [rows * 2]), (None,)),
            (tf.reshape(x, [-1, 2, 1]), (None, 2, 1)),
            (tf.eye(rows), (None, None)),
            (tf.random_normal([rows, 4]), (None, 4)),
            (tf.tile(x, [1, rows]), (None, None)),
            (tf.range(rows), (None,)),
            (tf.one_hot(tf.range(rows), 5), (None, 5)),
        ]:
            assert y.shape == shape, y
            value = session.run(y, {x: np.ones((3, 2))})
            assert y.spec.admits(value.shape)


def test_newaxis_adds_an_axis():
    assert tf.constant([1.0, 2.0])[:, tf.newaxis].shape == (2, 1)

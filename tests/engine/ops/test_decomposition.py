"""Decompositions: what a table of cases cannot say."""

import numpy as np
import pytest

from minikeras.engine import dtypes, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import GradientError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session
from tests.engine.ops.cases_solving import cofactors, det
from tests.oracles.gradcheck import check_gradient, check_second_order


def gradient(function, x, shape=None):
    """Return the gradient of the sum of what `function` gives."""
    with Graph().as_default():
        tensor = ops.placeholder(x.dtype, x.shape if shape is None else shape)
        (slope,) = gradients(ops.sum(function(tensor)), tensor)
        return Session().run(slope, {tensor: x})


# -- what is asked for -----------------------------------------------------------------

SQUARE_ONLY = ["cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "slogdet"]


@pytest.mark.parametrize("name", SQUARE_ONLY)
def test_square_matrices_are_wanted(name):
    with pytest.raises(ShapeError, match=r"square.*\(2, 3\)"):
        getattr(ops, name)(np.ones((2, 3)))


@pytest.mark.parametrize("name", [*SQUARE_ONLY, "qr", "svd", "pinv", "lu_factor"])
def test_matrices_are_wanted(name):
    with pytest.raises(ShapeError, match=r"two axes.*\(3,\)"):
        getattr(ops, name)(np.ones(3))


def test_both_sides_of_a_system_have_as_many_rows():
    with pytest.raises(ShapeError, match="3 rows and b 2"):
        ops.solve(np.ones((3, 3)), np.ones((2, 1)))


def test_a_size_of_a_square_is_known_from_the_other():
    with Graph().as_default():
        x = ops.placeholder("float32", (None, None, 3))
        assert ops.inv(x).shape == (None, 3, 3)
        assert ops.det(x).shape == (None,)
        assert ops.solve(x, ops.placeholder("float32", None)).shape is None


def test_integers_become_floats():
    x = np.array([[2, 1], [1, 3]])
    for found in (ops.det(x), ops.inv(x), ops.cholesky(x), ops.eigh(x)[0]):
        assert found.dtype == dtypes.floatx()


def test_a_matrix_that_is_not_positive_has_no_factor():
    with pytest.raises(ValueError, match="positive definite"):
        ops.cholesky(-np.eye(3))


# -- q r -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 5)])
def test_a_complete_q_of_a_wide_matrix_is_the_only_one(shape, rng):
    x = rng.normal(size=shape)
    for function in (check_gradient, check_second_order):
        function(lambda x: ops.qr(x, "complete"), [x], [0], rng)


def test_a_complete_q_of_a_tall_matrix_is_one_of_many(rng):
    x = rng.normal(size=(2, 5, 3))
    q, r = ops.qr(x, "complete")
    np.testing.assert_allclose(q @ r, x, atol=1e-12)
    np.testing.assert_allclose(q @ q.swapaxes(-1, -2), [np.eye(5)] * 2, atol=1e-12)
    with pytest.raises(GradientError, match="5 rows and 3 columns"):
        gradient(lambda x: ops.qr(x, "complete")[0], x)


# -- singular values -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 5, 3), (3, 5), (4, 4)])
def test_full_singular_vectors_are_bases(shape, rng):
    x = rng.normal(size=shape)
    u, s, vt = ops.svd(x)
    k, t = s.shape[-1], (-2, -1)
    np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vt[..., :k, :], x)
    for basis in (u, vt):
        found = basis @ np.swapaxes(basis, *t)
        eye = np.broadcast_to(np.eye(basis.shape[-1]), found.shape)
        np.testing.assert_allclose(found, eye, atol=1e-12)


def test_full_singular_vectors_of_a_square_have_gradients(rng):
    def unsigned(x):
        u, s, vt = ops.svd(x)
        return u @ vt, s

    check_gradient(unsigned, [rng.normal(size=(3, 3))], [0], rng)


def test_full_singular_vectors_of_a_tall_matrix_have_none(rng):
    x = rng.normal(size=(4, 3))
    values = gradient(lambda x: ops.svd(x)[1], x)
    np.testing.assert_allclose(
        values, gradient(lambda x: ops.svd(x, compute_uv=False), x)
    )
    with pytest.raises(GradientError, match="full_matrices=False"):
        gradient(lambda x: ops.svd(x)[0], x)


def test_equal_eigenvalues_leave_a_gradient_finite():
    slope = gradient(lambda x: ops.eigh(x)[1], np.eye(3))
    np.testing.assert_array_equal(slope, np.zeros((3, 3)))
    trace = gradient(lambda x: ops.eigh(x)[0], np.eye(3))
    np.testing.assert_allclose(trace, np.eye(3), atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eigenvalues_may_be_complex(dtype, rng):
    x = rng.normal(size=(3, 4, 4)).astype(dtype)
    x[0] = np.diag([1, 2, 3, 4])  # though they need not
    w, v = ops.eig(x)
    assert (
        w.dtype == v.dtype == {"float32": "complex64", "float64": "complex128"}[dtype]
    )
    slack = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(x @ v, v * w[:, None], atol=slack)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), 1, rtol=slack)
    # The polynomial that has them as roots is that of the matrix.
    np.testing.assert_allclose(w.sum(-1), np.trace(x, axis1=1, axis2=2), rtol=slack)
    np.testing.assert_allclose(w.prod(-1), det(x), rtol=slack, atol=slack)


def test_eigenvalues_in_a_session_are_complex_too(rng):
    x = rng.normal(size=(2, 3, 3)).astype("float32")
    with Graph().as_default():
        tensor = ops.placeholder("float32", (None, None, 3))
        w, v = ops.eig(tensor)
        assert (w.shape, v.shape) == ((None, 3), (None, 3, 3))
        assert w.dtype == v.dtype == "complex64"
        found = Session().run([w, v], {tensor: x})
    for a, b in zip(found, ops.eig(x), strict=True):
        np.testing.assert_array_equal(a, b)


# -- determinants, inverses ------------------------------------------------------------


def test_the_gradient_of_a_determinant_is_made_of_cofactors(rng):
    x = rng.normal(size=(3, 4, 4))
    x[1, 3] = x[1, 0]  # no inverse
    x[2] = 0
    np.testing.assert_allclose(gradient(ops.det, x), cofactors(x), atol=1e-12)


def test_a_pseudoinverse_of_low_rank(rng):
    rank = rng.normal(size=(5, 2)) @ rng.normal(size=(2, 4))
    y = ops.pinv(rank)
    for a, b in ((rank, y), (y, rank)):
        np.testing.assert_allclose(a @ b @ a, a, atol=1e-12)
        np.testing.assert_allclose(a @ b, (a @ b).T, atol=1e-12)

    def of_rank_two(left, right):
        return ops.pinv(left @ right)

    factors = [rng.normal(size=(5, 2)), rng.normal(size=(2, 4))]
    check_gradient(of_rank_two, factors, [0, 1], rng)


def test_small_singular_values_count_as_none():
    x = np.diag([1.0, 1e-3])
    np.testing.assert_allclose(ops.pinv(x), np.diag([1.0, 1e3]))
    np.testing.assert_allclose(ops.pinv(x, 1e-2), np.diag([1.0, 0.0]), atol=1e-12)
    np.testing.assert_allclose(ops.lstsq(x, np.ones(2), 1e-2), [1, 0], atol=1e-12)


def test_a_system_with_one_matrix_for_many_sides(rng):
    a, b = rng.normal(size=(2, 4, 3, 3)), rng.normal(size=(4, 3, 2))
    np.testing.assert_allclose(a @ ops.solve(a, b), np.stack([b, b]))


def test_a_triangular_system_with_zeros_on_its_diagonal_is_infinite():
    assert np.isinf(ops.solve_triangular(np.array([[0.0]]), np.ones(1))).all()


def test_exchanged_rows_of_a_singular_matrix():
    both, pivots = ops.lu_factor(np.array([[0.0, 1.0], [0.0, 2.0]]))
    np.testing.assert_array_equal(both, [[0, 1], [0, 2]])
    np.testing.assert_array_equal(pivots, [0, 1])

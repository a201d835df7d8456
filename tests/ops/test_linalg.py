"""Functions of matrices: their gradients against JAX's, and what they refuse."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import ops

numbers = np.random.default_rng(11)


def normal(*shape):
    return numbers.normal(size=shape).astype("float32")


def regular(*shape):
    return normal(*shape) + 4 * np.eye(shape[-1], dtype="float32")


def positive(*shape):
    x = normal(*shape)
    return x @ x.swapaxes(-1, -2) + np.eye(shape[-1], dtype="float32")


# -- gradients -------------------------------------------------------------------------


def weighted(call, *args, **kwargs):
    """Return a function that sums what `call` gives, times the same weights each time.

    It is one of the ops of Keras or of ours, which come first.
    """

    def loss(ops, *arrays):
        given = iter(arrays)
        filled = [next(given) if isinstance(x, np.ndarray) else x for x in args]
        found = getattr(ops, call)(*filled, **kwargs)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        parts = [y for y in found if "float" in str(y.dtype)]
        weights = np.random.default_rng(5)
        return sum(
            ops.sum(y * weights.normal(size=tuple(y.shape)).astype("float32"))
            for y in parts
        )

    return loss, [x for x in args if isinstance(x, np.ndarray)]


CALLS = [
    ("cholesky", (positive(2, 3, 3),), {}),
    ("cholesky", (positive(3, 3),), {"upper": True}),
    ("cholesky_inverse", (regular(3, 3),), {}),
    ("det", (regular(2, 3, 3),), {}),
    ("slogdet", (regular(2, 3, 3),), {}),
    ("logdet", (regular(3, 3),), {}),
    ("inv", (regular(2, 3, 3),), {}),
    ("pinv", (normal(4, 3),), {}),
    ("pinv", (normal(2, 3, 5),), {}),
    ("qr", (normal(4, 3),), {}),
    ("qr", (regular(2, 3, 3),), {"mode": "complete"}),
    ("eigh", (positive(2, 3, 3),), {}),
    ("svd", (normal(4, 3),), {"full_matrices": False}),
    ("svd", (normal(2, 3, 4),), {"full_matrices": False}),
    ("svd", (normal(3, 4),), {"compute_uv": False}),
    ("lu_factor", (normal(2, 4, 4),), {}),
    ("lu_factor", (normal(4, 3),), {}),
    ("lu_factor", (normal(3, 5),), {}),
    ("solve", (regular(3, 3), normal(3)), {}),
    ("solve", (regular(2, 3, 3), normal(2, 3, 2)), {}),
    ("solve_triangular", (regular(2, 3, 3), normal(2, 3, 2)), {"lower": True}),
    ("solve_triangular", (regular(3, 3), normal(3)), {}),
    ("lstsq", (normal(5, 3), normal(5, 2)), {}),
    ("norm", (normal(3, 4),), {"ord": "nuc"}),
    ("norm", (normal(2, 3, 4),), {"ord": 2, "axis": (1, 2)}),
    ("norm", (normal(3, 4),), {"ord": -2}),
    ("norm", (normal(3, 4),), {"ord": 3, "axis": 1}),
]
IDS = [f"{name}{[x.shape for x in args]}{kwargs}" for name, args, kwargs in CALLS]


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_gradients_are_those_of_jax(call):
    import jax
    import keras

    name, args, kwargs = call
    loss, arrays = weighted(name, *args, **kwargs)
    places = tuple(range(len(arrays)))
    wanted = jax.grad(lambda *xs: loss(keras.ops, *xs), places)(*arrays)
    inputs = [K.placeholder(a.shape, dtype=a.dtype) for a in arrays]
    found = K.function(inputs, K.gradients(loss(ops, *inputs), inputs))(arrays)
    for slope, want in zip(found, wanted, strict=True):
        scale = np.abs(want).max()
        np.testing.assert_allclose(slope, want, rtol=2e-3, atol=2e-4 * scale)


def test_gradients_of_full_singular_values_are_there():
    """JAX has none; those of the values alone are what they always are."""
    x = K.placeholder((3, 4))
    found = [
        K.function([x], K.gradients(ops.sum(s), [x]))([np.eye(3, 4) * [4, 2, 1, 1]])[0]
        for s in (ops.svd(x)[1], ops.svd(x, compute_uv=False))
    ]
    for slope in found:
        np.testing.assert_allclose(slope, np.eye(3, 4), atol=1e-6)


EIGEN_INPUTS = [
    numbers.normal(size=(3, 3)),
    numbers.normal(size=(2, 4, 4)),
    numbers.normal(size=(3, 3)) + 1j * numbers.normal(size=(3, 3)),
]


@pytest.mark.parametrize("x", EIGEN_INPUTS, ids=["one", "batch", "complex"])
def test_eigenvectors_change_as_numpys_do(x):
    """JAX has no gradient of them; so they are moved a little, in three directions."""
    w_weights, v_weights = (
        numbers.normal(size=s) + 1j * numbers.normal(size=s)
        for s in (x.shape[:-1], x.shape)
    )

    def loss(w, v):
        return (w * w_weights).real.sum() + (v**3 * v_weights).real.sum()

    given = K.placeholder(x.shape, dtype=x.dtype.name)
    w, v = ops.eig(given)
    total = K.sum(ops.real(w * w_weights)) + K.sum(ops.real(v * v * v * v_weights))
    (slope,) = K.function([given], K.gradients(total, [given]))([x])
    for _ in range(3):
        step = 1e-6 * numbers.normal(size=x.shape)
        step = step * (1 + 0.7j) if x.dtype.kind == "c" else step
        moved = loss(*np.linalg.eig(x + step)) - loss(*np.linalg.eig(x - step))
        np.testing.assert_allclose(2 * np.sum(slope * step).real, moved, rtol=1e-5)


# -- what is better here ---------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4)])
def test_eigenvalues_are_those_of_keras(shape):
    """Their vectors are so up to factors."""
    import keras

    x = normal(*shape)
    (w, v), (want, vectors) = ops.eig(x), map(np.asarray, keras.ops.eig(x))
    assert w.dtype == v.dtype == want.dtype == vectors.dtype
    np.testing.assert_allclose(w, want, rtol=1e-4, atol=1e-5)
    same = np.abs(np.sum(v.conj() * vectors, -2))
    np.testing.assert_allclose(same, np.ones(shape[:-1]), rtol=1e-4)


def test_inverses_by_factors_come_in_batches_too():
    """Keras 3.15 on JAX transposes the batch, too."""
    x = positive(2, 3, 3)
    for upper in (False, True):
        found = ops.cholesky_inverse(ops.cholesky(x, upper), upper)
        np.testing.assert_allclose(found, np.linalg.inv(x), rtol=1e-3, atol=1e-4)


def test_the_sign_of_a_batch_is_one_of_each():
    """Keras 3.15 infers a scalar."""
    sign, size = ops.slogdet(K.placeholder((2, 4, 3, 3)))
    assert sign.shape == size.shape == (2, 4)


def test_vectors_and_matrices_with_one_matrix_for_each():
    """As Keras documents it; JAX has given up vectors in a batch."""
    a, b = regular(2, 3, 3), normal(2, 3)
    for found in (ops.solve(a, b), ops.solve_triangular(a, b, lower=True)):
        assert found.shape == (2, 3)
    np.testing.assert_allclose(
        np.einsum("bij,bj->bi", a, ops.solve(a, b)), b, rtol=1e-4, atol=1e-5
    )


# -- what is refused -------------------------------------------------------------------

SQUARE_ONLY = ["cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv"]
ALL = [*SQUARE_ONLY, "lu_factor", "matrix_rank", "pinv", "svd"]


@pytest.mark.parametrize("name", ALL)
def test_matrices_are_wanted(name):
    for x in (normal(3), K.placeholder((None,))):
        with pytest.raises(ValueError, match="rank >= 2"):
            getattr(ops, name)(x)


@pytest.mark.parametrize("name", SQUARE_ONLY)
def test_square_matrices_are_wanted(name):
    # As in Keras, None counts as another size than 20.
    for x in (normal(2, 3), K.placeholder((None, 20, 15)), K.placeholder((None, 20))):
        with pytest.raises(ValueError, match="Expected a square matrix"):
            getattr(ops, name)(x)


@pytest.mark.parametrize("name", ["solve", "solve_triangular"])
def test_systems_are_wanted(name):
    call = getattr(ops, name)
    with pytest.raises(ValueError, match="square"):
        call(normal(3, 2), normal(3))
    with pytest.raises(ValueError, match="rank >= 1"):
        call(normal(3, 3), np.float32(1))
    with pytest.raises(ValueError, match="Incompatible shapes"):
        call(normal(3, 3), normal(2, 1))
    with pytest.raises(ValueError, match="Incompatible shapes"):
        call(K.placeholder((None, 20, 20)), K.placeholder((None, None, 5)))


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ((3, 2, 2), (3,), "a to have rank 2"),
        ((3, 2), (3, 1, 1), "b to have rank 1 or 2"),
        ((3, 2), (2,), r"b.shape\[0\]"),
    ],
)
def test_one_system_of_least_squares_is_wanted(a, b, words):
    with pytest.raises(ValueError, match=words):
        ops.lstsq(normal(*a), normal(*b))


def test_a_factor_needs_a_positive_definite_matrix():
    with pytest.raises(ValueError, match="positive definite"):
        ops.cholesky(-np.eye(3))


def test_there_are_two_modes():
    with pytest.raises(ValueError, match=r"Expected one of .'reduced', 'complete'"):
        ops.qr(normal(3, 3), "raw")


@pytest.mark.parametrize(
    ("shape", "kwargs", "words"),
    [
        ((3,), {"ord": "fro"}, "vector norm.*fro"),
        ((3, 4), {"ord": "nuc", "axis": 1}, "vector norm.*nuc"),
        ((3, 4), {"ord": 0}, "matrix norm.*0"),
        ((3, 4), {"ord": 3, "axis": (0, 1)}, "matrix norm.*3"),
        ((3, 4), {"ord": "abc"}, "matrix norm.*abc"),
        ((3, 4, 5), {"ord": 2}, "number of axes"),
        ((3,), {"axis": 1}, "axis 1"),
        ((3,), {"axis": (0, 1), "ord": 2}, "axis 1|axes|destination"),
    ],
)
def test_some_norms_do_not_exist(shape, kwargs, words):
    with pytest.raises(ValueError, match=words):
        ops.norm(normal(*shape), **kwargs)


def test_vectors_in_a_plane_have_a_number_as_their_product():
    """NumPy 2 warns of those, and Keras on JAX takes them."""
    a, b = normal(5, 2), normal(4, 1, 2)
    want = a[:, 0] * b[..., 1] - a[:, 1] * b[..., 0]
    np.testing.assert_allclose(ops.cross(a, b), want, rtol=1e-6)
    assert ops.cross(K.placeholder((None, 1, 3, 2)), b).shape == (None, 4, 3)


def test_products_want_vectors_that_fit():
    with pytest.raises(ValueError, match="either 2 or 3"):
        ops.cross(normal(3), normal(4))
    with pytest.raises(ValueError, match="last dimension"):
        ops.inner(normal(5, 3), normal(4))
    for order in ("a", -1, 2.5):
        with pytest.raises(ValueError, match="must be an int >= 1"):
            ops.normalize(normal(3), order=order)

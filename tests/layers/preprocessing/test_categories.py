"""Categories, bins and hashes: shapes, dtypes, learning, gradients, mistakes."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(), (5,), (4, 1), (4, 3), (2, 4, 3)])
def test_vectors_are_those_of_numpy(mode, shape):
    x = np.random.default_rng(1).integers(0, 6, shape)
    rows = np.atleast_1d(x)
    hot = np.eye(6)[rows]
    if mode == "one_hot":
        wanted = hot[..., 0, :] if rows.ndim > 1 and rows.shape[-1] == 1 else hot
    else:
        wanted = hot.sum(-2) if mode == "count" else hot.max(-2)
    layer = layers.CategoryEncoding(6, mode)
    found = layer(x)
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, wanted)
    if shape:  # Keras says so too, but for three axes computes something else
        assert layer.compute_output_shape(shape) == wanted.shape


def test_integers_that_are_no_category_count_nowhere():
    found = layers.CategoryEncoding(3, "count")(np.array([[-1, 0, 3, 0]]))
    assert found.tolist() == [[2, 0, 0]]


def test_weights_say_how_much_an_integer_counts_and_can_be_learned():
    layer = layers.CategoryEncoding(3, "count")
    weights = np.array([[0.5, 2.0, 0.25]])
    np.testing.assert_allclose(
        layer([[2, 0, 2]], count_weights=weights), [[2, 0, 0.75]]
    )
    w = K.placeholder((1, 3))
    y = layer(K.constant([[2, 0, 2]], dtype="int32"), count_weights=w)
    slope = K.function([w], K.gradients(K.sum(y * [[1.0, 10.0, 100.0]]), [w]))
    np.testing.assert_array_equal(slope([weights])[0], [[100, 1, 100]])


def test_bins_begin_at_their_bounds():
    bounds = [0.0, 0.5, 1.0]
    x = np.array([[-1.0, 0.0], [0.49, 0.5], [1.0, 7.0]])
    layer = layers.Discretization(bounds)
    np.testing.assert_array_equal(layer(x), np.digitize(x, bounds))
    assert layer(x).dtype == "int32"
    assert layers.Discretization(bounds, output_mode="one_hot")(x).shape == (3, 2, 4)


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(5,), (4, 1), (4, 3), (2, 4, 3)])
def test_bins_are_encoded_as_in_keras(mode, shape):
    import keras

    x = np.random.default_rng(1).normal(size=shape)
    bounds = [-1.0, 0.0, 1.0]
    found = layers.Discretization(bounds, output_mode=mode)
    wanted = np.asarray(keras.layers.Discretization(bounds, output_mode=mode)(x))
    np.testing.assert_array_equal(found(x), wanted)
    assert found.compute_output_shape(shape) == wanted.shape
    symbolic = found(layers.Input(shape[1:]))
    assert tuple(symbolic.shape)[1:] == wanted.shape[1:] or len(shape) == 1


def test_bounds_are_learned_from_batches_too():
    x = np.random.default_rng(2).normal(size=4000)
    layer = layers.Discretization(num_bins=4)
    symbolic = layers.Input((1,))
    model = models.Model(symbolic, layer(symbolic))
    with pytest.raises(Exception, match="call `adapt"):
        model.predict(x[:, None], verbose=0)
    for data in (x, list(np.split(x, 4)), (part for part in np.split(x, 4))):
        layer.adapt(data)
        quartiles = np.quantile(x, [0.25, 0.5, 0.75])
        np.testing.assert_allclose(layer.bin_boundaries, quartiles, atol=0.05)
    counts = np.bincount(model.predict(x[:, None], verbose=0)[:, 0])
    assert counts.min() > 900
    again = layers.Discretization.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), layer(x))


def test_crosses_keep_the_shape_of_their_columns():
    layer = layers.HashedCrossing(10)
    assert layer((1, "a")).shape == ()
    assert layer((np.array([1, 2]), np.array(["a", "b"]))).shape == (2,)
    columns = layers.Input((1,), dtype="int32"), layers.Input((1,), dtype="string")
    assert layer(columns).shape == (None, 1)
    assert layers.HashedCrossing(10, "one_hot")(columns).shape == (None, 10)


SOME = np.array([1, 2])

WRONG = [
    (lambda: layers.CategoryEncoding(), "num_tokens must be set"),
    (lambda: layers.CategoryEncoding(0), "`num_tokens` must be >= 1"),
    (lambda: layers.CategoryEncoding(3, "int"), "Unknown arg for output_mode: int"),
    (lambda: layers.CategoryEncoding(3, sparse=True), "`sparse=True`"),
    (
        lambda: layers.CategoryEncoding(3)([1], count_weights=[1.0]),
        "`count_weights` is not used",
    ),
    (lambda: layers.Discretization(), "set either `num_bins` or `bin_boundaries`"),
    (lambda: layers.Discretization([0.0], 3), "should not be set"),
    (lambda: layers.Discretization(num_bins=-1), "greater than or equal to 0"),
    (lambda: layers.Discretization(num_bins=2, output_mode="hot"), "Allowed values"),
    (lambda: layers.Discretization(num_bins=2)([1.0]), "or call `adapt(dataset)`"),
    (lambda: layers.Discretization([0.0]).adapt([1.0]), "use `num_bins` instead"),
    (lambda: layers.Hashing(0), "cannot be `None` or non-positive"),
    (lambda: layers.Hashing(2, dtype="float32"), "should be an integer type"),
    (lambda: layers.Hashing(2, output_mode="hot"), "Expected one of"),
    (lambda: layers.Hashing(2, sparse=True), "`sparse` may only be true"),
    (lambda: layers.Hashing(2, salt=[1]), "a tuple of size 2 integers"),
    (lambda: layers.HashedCrossing(2, "count"), "Allowed values are"),
    (lambda: layers.HashedCrossing(2)(SOME), "should be called on a list"),
    (lambda: layers.HashedCrossing(2)([SOME]), "at least two inputs"),
    (lambda: layers.HashedCrossing(2)([SOME, SOME[:1]]), "should have equal shape"),
    (lambda: layers.HashedCrossing(2)([SOME[None]] * 2), "should have shape"),
    (lambda: layers.HashedCrossing(2)([SOME, SOME / 2]), "integer or string dtype"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[m for _, m in WRONG])
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is looked at below
        make()
    assert message in str(caught.value)

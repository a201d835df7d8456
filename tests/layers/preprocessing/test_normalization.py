"""Normalization against Keras: what is learned, from what, and what is made of it."""

import numpy as np
import pytest

from minikeras import layers, models

X = np.random.default_rng(3).normal(5.0, 3.0, (24, 4, 3)).astype("float32")


def keras_layer(**kwargs):
    import keras

    return keras.layers.Normalization(**kwargs)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), (-1, 1), None, ()])
@pytest.mark.parametrize("invert", [False, True])
def test_values_and_statistics_are_those_of_keras(axis, invert):
    ours = layers.Normalization(axis=axis, invert=invert)
    theirs = keras_layer(axis=axis, invert=invert)
    for layer in (ours, theirs):
        layer.adapt(X)
    np.testing.assert_allclose(ours(X), theirs(X), rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-5)
    np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-5)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert ours.trainable_weights == []


@pytest.mark.parametrize(
    ("mean", "variance", "axis"),
    [(2.0, 4.0, -1), (2.0, 4.0, None), ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], -1)],
)
def test_statistics_can_be_given(mean, variance, axis):
    arguments = {"mean": mean, "variance": variance, "axis": axis}
    ours, theirs = layers.Normalization(**arguments), keras_layer(**arguments)
    np.testing.assert_allclose(ours(X), theirs(X), rtol=1e-6)
    np.testing.assert_array_equal(ours.mean, theirs.mean)
    assert ours.get_config()["mean"] == theirs.get_config()["mean"]
    again = layers.Normalization.from_config(ours.get_config())
    np.testing.assert_array_equal(again(X), ours(X))


def batches():
    yield from np.split(X, [5, 7])


class Indexed:
    """A dataset without an iterator, as Keras's PyDataset is."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[6 * i : 6 * i + 6], np.zeros(6)


@pytest.mark.parametrize(
    "data",
    [batches, lambda: [*batches()], lambda: ((x, None) for x in batches()), Indexed],
    ids=["generator", "list", "with targets", "indexed"],
)
def test_batches_are_learned_from_as_their_whole_is(data):
    layer = layers.Normalization()
    layer.adapt(data())
    np.testing.assert_allclose(layer.mean[0, 0], X.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(layer.variance[0, 0], X.var((0, 1)), rtol=1e-5)


def test_a_small_spread_around_a_large_mean_is_kept():
    x = 1e6 + np.arange(100.0)[:, None]
    layer = layers.Normalization(dtype="float64")
    layer.adapt(x)
    np.testing.assert_allclose(layer(x).std(), 1.0, rtol=1e-4)


def test_what_is_learned_later_counts_in_models():
    layer = layers.Normalization()
    model = models.Sequential([layers.Input((4, 3)), layer])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)
    layer.adapt(X)
    np.testing.assert_allclose(model.predict(X, verbose=0), layer(X), rtol=1e-6)


WRONG = [
    (lambda: layers.Normalization(mean=0.5), "both `mean` and `variance` must be set"),
    (
        lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]),
        "must have the same shape",
    ),
    (
        lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]),
        "The rank of `mean` must be",
    ),
    (lambda: layers.Normalization(axis=3).build((2, 2)), "in the range [-ndim, ndim)"),
    (lambda: layers.Normalization(axis=1).build((None, None)), "must have a known"),
    (lambda: layers.Normalization().adapt([]), "an empty iterable"),
    (lambda: layers.Normalization().adapt([X, X[..., :2]]), "an incompatible shape"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[m for _, m in WRONG])
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is looked at below
        make()
    assert message in str(caught.value)


def test_what_yields_no_arrays_is_refused():
    for data in (3.0, ["a", "b"]):
        with pytest.raises(TypeError, match="adapt"):
            layers.Normalization().adapt(data)


def test_images_are_rescaled_by_channel():
    from minikeras import config

    x, scale, offset = np.ones((2, 3, 4, 4)), [1.0, 2.0, 3.0], [0.0, 1.0, 2.0]
    layer = layers.Rescaling(np.array(scale), offset)
    again = layers.Rescaling.from_config(layer.get_config())
    wanted = np.array([1.0, 3.0, 5.0])
    np.testing.assert_array_equal(again(np.moveaxis(x, 1, -1))[0, 0, 0], wanted)
    config.set_image_data_format("channels_first")
    try:
        np.testing.assert_array_equal(layer(x)[0, :, 0, 0], wanted)
    finally:
        config.set_image_data_format("channels_last")

"""Batch normalization's moving averages and masks; statistics taken from data."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers


def test_moving_averages_follow_keras_over_several_steps(rng):
    import keras

    batches = rng.normal(2.0, 3.0, size=(4, 8, 5)).astype("float32")
    pair = [room.BatchNormalization(momentum=0.8) for room in (layers, keras.layers)]
    for x in batches:
        for layer in pair:
            layer(x, training=True)
    for own, theirs in zip(pair[0].weights, pair[1].weights, strict=True):
        np.testing.assert_allclose(own.numpy(), np.asarray(theirs), rtol=2e-5)


def test_averages_move_in_each_run_of_a_traced_function(rng):
    layer = layers.BatchNormalization(momentum=0.5)
    step = K.function(lambda x: layer(x, training=True))
    x = rng.normal(1.0, 1.0, size=(6, 2)).astype("float32")
    step(x)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x.mean(0) / 2, rtol=1e-5)
    step(x)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x.mean(0) * 0.75, rtol=1e-5)


def test_merely_connecting_moves_nothing():
    layer = layers.BatchNormalization()
    layer(layers.Input((3,)), training=True)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), 0)


def test_masked_steps_do_not_count(rng):
    import keras

    x = rng.normal(size=(3, 4, 2)).astype("float32")
    mask = np.arange(4) < np.array([[1], [4], [2]])
    pair = [room.BatchNormalization(momentum=0.5) for room in (layers, keras.layers)]
    y, z = (layer(x, training=True, mask=mask) for layer in pair)
    np.testing.assert_allclose(y, np.asarray(z), rtol=2e-5, atol=2e-5)
    for own, theirs in zip(pair[0].weights, pair[1].weights, strict=True):
        np.testing.assert_allclose(own.numpy(), np.asarray(theirs), rtol=2e-5)


def test_groups_divide_the_channels():
    with pytest.raises(ValueError, match=r"groups \(3\) must be a multiple .* \(4\)"):
        layers.GroupNormalization(3).build((None, 4))
    with pytest.raises(ValueError, match=r"groups \(5\) cannot be more than .* \(4\)"):
        layers.GroupNormalization(5).build((None, 4))


def test_an_axis_must_exist():
    with pytest.raises(ValueError, match="Axis 2 is out of bounds for input shape"):
        layers.BatchNormalization(axis=2).build((None, 4))


@pytest.mark.parametrize("axis", [-1, None, (1, 2), 0])
def test_adapting_follows_keras(rng, axis):
    import keras

    data = rng.normal(3.0, 2.0, size=(6, 4, 5)).astype("float32")
    own, theirs = (room.Normalization(axis=axis) for room in (layers, keras.layers))
    own.adapt(data)
    theirs.adapt(data)
    np.testing.assert_allclose(
        own(data), np.asarray(theirs(data)), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(own.mean, np.asarray(theirs.mean), rtol=1e-5)


def test_adapting_to_batches_is_adapting_to_all(rng):
    data = rng.normal(3.0, 2.0, size=(10, 4)).astype("float32")
    whole, parts = layers.Normalization(), layers.Normalization()
    whole.adapt(data)
    parts.adapt([data[:3], data[3:4], data[4:]])
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-5)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-5)


def test_adapting_again_counts(rng):
    layer = layers.Normalization()
    data = rng.normal(3.0, 2.0, size=(10, 4)).astype("float32")
    layer.adapt(data)
    layer(data)
    layer.adapt(data + 5)
    np.testing.assert_allclose(layer(data + 5).mean(0), 0, atol=1e-5)


def test_inversion_undoes_normalization(rng):
    data = rng.normal(3.0, 2.0, size=(10, 4)).astype("float32")
    there, back = layers.Normalization(), layers.Normalization(invert=True)
    there.adapt(data)
    back.adapt(data)
    np.testing.assert_allclose(back(there(data)), data, rtol=1e-4)


def test_mean_and_variance_come_together():
    with pytest.raises(ValueError, match="both `mean` and `variance` must be set"):
        layers.Normalization(mean=1.0)


def test_batch_renormalization_follows_keras(rng):
    import keras

    bounds = {"rmin": 0.5, "rmax": 1.2, "dmax": 0.3}
    given = {"renorm": True, "renorm_clipping": bounds, "renorm_momentum": 0.7}
    own, theirs = (m.BatchNormalization(**given) for m in (layers, keras.layers))
    own.build((None, 3))
    theirs.build((None, 3))
    for _ in range(3):
        x = rng.normal(1.0, 3.0, size=(6, 3)).astype("float32")
        want = np.asarray(theirs(x, training=True))
        np.testing.assert_allclose(own(x, training=True), want, 1e-4, 1e-5)
    for mine, their in zip(own.weights, theirs.weights, strict=True):
        assert mine.name == their.name
        np.testing.assert_allclose(mine.numpy(), np.asarray(their), 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"r": 1.0}, "Received invalid keys"),
        ({"rmin": 2.0, "rmax": 1.0}, "rmax should be greater than rmin"),
        ({"dmax": -1.0}, "dmax should be non-negative"),
    ],
)
def test_bounds_of_a_renormalization_are_in_order(bounds, message):
    with pytest.raises(ValueError, match=message):
        layers.BatchNormalization(renorm=True, renorm_clipping=bounds)


def test_rms_scaling_keeps_the_mean(rng):
    x = rng.normal(2.0, size=(4, 5)).astype("float32")
    with pytest.warns(UserWarning, match="deprecated"):
        layer = layers.LayerNormalization(rms_scaling=True)
    want = x / np.sqrt(x.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layer(x), want, rtol=1e-5)
    assert [w.name for w in layer.weights] == ["gamma"]


@pytest.mark.parametrize("kind", ["LayerNormalization", "GroupNormalization"])
def test_values_beyond_half_precision_are_brought_to_scale(kind):
    layer = getattr(layers, kind)(axis=-1, dtype="mixed_float16")
    y = layer(np.full((2, 32), 70000.0, "float32"))
    assert y.dtype == "float16"
    np.testing.assert_array_equal(y, 0.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16", "float64"])
def test_batch_normalization_in_any_precision(dtype):
    layer = layers.BatchNormalization(dtype=dtype)
    y = layer(K.KerasTensor((None, 4)))  # whether to train is known at run time alone
    assert y.dtype == layer.compute_dtype
    assert {w.dtype for w in layer.weights} == {layer.variable_dtype}

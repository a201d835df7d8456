"""Architectures beside Keras's: layers, configs, connections, weights, outputs."""

import gc
import json
import re
from pathlib import Path

import numpy as np
import pytest

import minikeras
from minikeras import applications, backend, layers, saving

SMALL = ["MobileNetV2", "MobileNetV3Small"]
NAMES = [
    name
    for name in dir(applications)
    if name[0].isupper() and callable(getattr(applications, name))
]
# One of each family: a size of images that it takes, and whose sizes are odd somewhere.
FAMILIES = {
    "ConvNeXtTiny": 45,
    "DenseNet121": 45,
    "EfficientNetB0": 45,
    "EfficientNetV2B0": 45,
    "EfficientNetV2S": 33,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 45,
    "MobileNetV2": 45,
    "MobileNetV3Large": 45,
    "MobileNetV3Small": 45,
    "NASNetMobile": 45,
    "ResNet50": 45,
    "ResNet50V2": 45,
    "VGG16": 45,
    "Xception": 71,
}
# What Keras's configs say of builds and of defaults, and ours need not.
UNSAID = {"build_config", "compile_config", "registered_name"}


@pytest.fixture
def plain_weights(keras, monkeypatch):
    """Let weights be zeros at first: random ones of large models take minutes."""

    def zeros(self, shape, dtype=None):
        return np.zeros(shape, dtype or "float32")

    for library in (keras, minikeras):
        monkeypatch.setattr(library.initializers.VarianceScaling, "__call__", zeros)


@pytest.fixture
def few_bytes(keras, plain_weights):
    """Let weights take half of their memory: the largest models have gigabytes."""
    for library in (keras, minikeras):
        library.config.set_dtype_policy("float16")
    yield
    for library in (keras, minikeras):
        library.config.set_dtype_policy("float32")


@pytest.fixture
def fresh(keras):
    """Return a function that lets names of layers be counted from the beginning."""

    def clear():
        for library in (backend, keras.backend):
            library.clear_session(free_memory=False)

    clear()
    yield clear
    clear()
    gc.collect()  # the largest models have gigabytes of weights


def said(config):
    """Return a config without what it leaves to defaults."""
    if isinstance(config, dict):
        return {
            key: said(value)
            for key, value in config.items()
            if key not in UNSAID and value is not None and value is not False
        }
    return [said(part) for part in config] if isinstance(config, list) else config


def as_json(model):
    return said(json.loads(json.dumps(model.get_config())))


def assert_same(ours, theirs):
    mine, others = as_json(ours), as_json(theirs)
    for layer, other in zip(mine["layers"], others["layers"], strict=True):
        assert layer == other
    assert mine == others
    assert ours.count_params() == theirs.count_params()
    assert [(w.path, w.shape) for w in ours.weights] == [
        (w.path, tuple(w.shape)) for w in theirs.weights
    ]


def test_the_architectures_are_keras_s(keras):
    theirs = {n for n in dir(keras.applications) if n[0].isupper()}
    assert set(NAMES) == theirs
    assert set(FAMILIES) <= theirs


def mark(names, quick=()):
    return [n if n in quick else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.mark.parametrize("name", mark(NAMES, SMALL))
def test_layers_and_weights_are_those_of_keras(keras, fresh, few_bytes, name):
    ours = getattr(applications, name)(weights=None)
    assert_same(ours, getattr(keras.applications, name)(weights=None))


@pytest.mark.parametrize("name", mark(FAMILIES, SMALL))
def test_features_alone_are_those_of_keras(keras, fresh, few_bytes, name):
    for pooling in (None, "avg", "max"):
        fresh()
        given = {"weights": None, "include_top": False, "pooling": pooling}
        ours = getattr(applications, name)(**given, input_shape=(96, 97, 3))
        theirs = getattr(keras.applications, name)(**given, input_shape=(96, 97, 3))
        assert_same(ours, theirs)


VARIANTS = [
    ("MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("MobileNetV2", {"alpha": 1.4, "classes": 7}),
    ("MobileNetV2", {"alpha": 0.35, "input_shape": (96, 96, 3)}),
    ("MobileNetV3Large", {"minimalistic": True, "dropout_rate": 0.0}),
    ("MobileNetV3Small", {"alpha": 1.25, "include_preprocessing": False}),
    ("EfficientNetV2B0", {"include_preprocessing": False, "classes": 3}),
    ("EfficientNetV2B0", {"input_shape": (32, 32, 1), "name": "gray"}),
    ("ConvNeXtTiny", {"include_preprocessing": False, "name": "mine"}),
    ("ResNet50", {"classifier_activation": None, "input_shape": (64, 48, 3)}),
]


@pytest.mark.slow
@pytest.mark.parametrize("name, given", VARIANTS, ids=str)
def test_arguments_mean_what_they_mean_in_keras(keras, fresh, few_bytes, name, given):
    if name == "EfficientNetV2B0" and "name" in given:
        given = {**given, "name": "efficientnetv2-b0"}  # Keras reads more into it
    ours = getattr(applications, name)(weights=None, **given)
    assert_same(ours, getattr(keras.applications, name)(weights=None, **given))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [n for n in FAMILIES if not re.match("ConvNeXt|DenseNet|NASNet", n)]
)
def test_channels_may_come_first(keras, fresh, few_bytes, name):
    for library in (keras, minikeras):
        library.config.set_image_data_format("channels_first")
    try:
        ours = getattr(applications, name)(weights=None)
        assert_same(ours, getattr(keras.applications, name)(weights=None))
    finally:
        for library in (keras, minikeras):
            library.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "DenseNet121", "NASNetMobile"])
def test_some_refuse_channels_that_come_first(name):
    minikeras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="does not support the `channels_first`"):
            getattr(applications, name)(weights=None)
    finally:
        minikeras.config.set_image_data_format("channels_last")


def randomized(model, rng):
    """Give a model weights with which neither signals nor differences vanish."""
    for weight in model.weights:
        if "float" not in str(weight.dtype):
            continue
        if "variance" in weight.path or "gamma" in weight.path:
            value = rng.uniform(0.5, 1.5, weight.shape)
        elif len(weight.shape) > 1:
            fan = np.prod(weight.shape[:-1])
            value = rng.normal(0, 1 / np.sqrt(fan), weight.shape)
        else:
            value = rng.normal(0, 0.1, weight.shape)
        weight.assign(value.astype("float32"))


@pytest.mark.parametrize("name", mark(FAMILIES))
def test_outputs_are_those_of_keras(keras, fresh, plain_weights, rng, tmp_path, name):
    side = FAMILIES[name]
    given = {"include_top": False, "pooling": "avg", "input_shape": (side, side, 3)}
    ours = getattr(applications, name)(weights=None, **given)
    randomized(ours, rng)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs = getattr(keras.applications, name)(weights=None, **given)
    theirs.load_weights(tmp_path / "ours.weights.h5")
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), np.asarray(other))
    x = rng.uniform(0, 255, (2, side, side, 3)).astype("float32")
    if not any(isinstance(layer, layers.Rescaling) for layer in ours.layers):
        x /= 255
    expected = np.asarray(theirs(x))
    assert np.ptp(expected) > 1e-3
    found = np.asarray(ours(x))
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_a_file_of_keras_gives_the_weights(keras, plain_weights, rng, tmp_path):
    given = {"include_top": False, "input_shape": (32, 32, 3), "alpha": 0.35}
    theirs = keras.applications.MobileNetV2(weights=None, **given)
    theirs.set_weights([rng.normal(size=w.shape) for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    theirs.save(tmp_path / "whole.h5")  # the layout of the published files
    for name in ("theirs.weights.h5", "whole.h5"):
        ours = applications.MobileNetV2(weights=tmp_path / name, **given)
        for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "name", mark(["ConvNeXtTiny", "InceptionResNetV2"], ["ConvNeXtTiny"])
)
def test_models_go_to_files_and_come_back(plain_weights, rng, tmp_path, name):
    model = getattr(applications, name)(
        weights=None, include_top=False, input_shape=(75, 75, 3)
    )
    randomized(model, rng)
    model.save(tmp_path / "model.keras")
    again = saving.load_model(tmp_path / "model.keras")
    assert as_json(again) == as_json(model)
    x = rng.uniform(0, 1, (1, 75, 75, 3)).astype("float32")
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(model(x)))


def test_an_architecture_can_stand_upon_other_layers(plain_weights):
    inputs = layers.Input((64, 64, 4))
    x = layers.Conv2D(3, 1)(inputs)
    model = applications.MobileNet(weights=None, include_top=False, input_tensor=x)
    assert model.inputs == [inputs]
    assert model.layers[1].output is x
    assert model.output_shape == (None, 2, 2, 1024)


def test_layers_of_dropped_and_scaled_branches(rng):
    from minikeras.applications.scaling import (
        CustomScaleLayer,
        LayerScale,
        StochasticDepth,
    )

    x = rng.normal(size=(64, 2, 2, 3)).astype("float32")
    dropped = np.asarray(StochasticDepth(0.25)(x, training=True))
    kept = dropped.any((1, 2, 3))
    assert 0.5 < kept.mean() < 0.95
    np.testing.assert_allclose(dropped[kept], x[kept] / 0.75, rtol=1e-6)
    np.testing.assert_array_equal(StochasticDepth(0.25)(x, training=False), x)
    np.testing.assert_allclose(LayerScale(0.5, 3)(x), x / 2)
    np.testing.assert_allclose(CustomScaleLayer(0.5)([x, x]), 1.5 * x, rtol=1e-6)


REFUSED = [
    ("ResNet50", {"weights": "no such file"}, "The `weights` argument should be"),
    ("ResNet50", {"classes": 10}, "`classes` should be 1000"),
    ("ResNet50", {"input_shape": (64, 64, 3)}, r"`input_shape` should be \(224, 224"),
    ("ResNet50", {"weights": None, "input_shape": (8, 8, 3)}, "at least 32x32"),
    ("Xception", {"weights": None, "input_shape": (70, 90, 3)}, "at least 71x71"),
    ("ResNet50", {"weights": None, "input_shape": (64, 64)}, "tuple of three integers"),
    ("ResNet50", {"weights": None, "input_shape": (None, 64, 3)}, "specify a static"),
    ("MobileNet", {"alpha": 0.3}, "alpha can be one of"),
    ("MobileNet", {"depth_multiplier": 2}, "depth multiplier must be 1"),
    ("MobileNetV2", {"alpha": 0.3}, "If imagenet weights are being loaded"),
    ("MobileNetV3Large", {"alpha": 0.5}, "alpha can be one of `0.75`"),
    ("MobileNetV3Small", {"weights": None, "input_shape": (8, 8, 3)}, "at least 32x32"),
    ("ResNet50", {"classifier_activation": "relu"}, "Only `None` and `softmax`"),
]


@pytest.mark.parametrize("name, given, message", REFUSED, ids=str)
def test_what_keras_refuses_is_refused(keras, plain_weights, name, given, message):
    for library in (keras, minikeras):
        # MobileNetV2's message alone differs: Keras's have several for the same.
        with pytest.raises(
            ValueError, match=message.replace("can be", "(can|must) be")
        ):
            getattr(library.applications, name)(**given)


def test_trained_weights_are_asked_for_by_url_and_hash(plain_weights, monkeypatch):
    asked = {}

    def get_file(fname, origin, cache_subdir, file_hash):
        asked[fname] = (origin, cache_subdir, file_hash)
        raise Exception("URL fetch failure")

    monkeypatch.setattr(minikeras.utils, "get_file", get_file, raising=False)
    with pytest.raises(Exception, match="URL fetch failure") as caught:
        applications.MobileNetV3Small(input_shape=(224, 224, 3))
    assert "MobileNet" not in str(caught.value)
    assert "Without a network: fetch https://" in caught.value.__notes__[0]
    file = "weights_mobilenet_v3_small_224_1.0_float.h5"
    assert asked == {
        file: (
            "https://storage.googleapis.com/tensorflow/keras-applications/"
            f"mobilenet_v3/{file}",
            "models",
            "8768d4c2e7dee89b9d02b2d03d65d862",
        )
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_files_asked_for_are_those_of_keras(
    keras, plain_weights, monkeypatch, name
):
    from keras.src.utils import file_utils

    class AskedError(Exception):
        pass

    asked = []

    def get_file(*args, **kwargs):
        names = ("fname", "origin")
        asked.append(
            {"file_hash": None, **dict(zip(names, args, strict=False)), **kwargs}
        )
        raise AskedError

    monkeypatch.setattr(minikeras.utils, "get_file", get_file, raising=False)
    monkeypatch.setattr(file_utils, "get_file", get_file)
    shape = (331, 331, 3) if name == "NASNetLarge" else (224, 224, 3)
    for given in ({}, {"include_top": False, "input_shape": shape}):
        if given or not name.startswith("MobileNet"):
            for library in (keras, minikeras):
                with pytest.raises(AskedError):
                    getattr(library.applications, name)(**given)
            theirs, ours = asked[-2:]
            assert ours == theirs


def test_documentation_names_the_source_of_each():
    for name in NAMES:
        doc = getattr(applications, name).__doc__
        assert f"Build {name}: " in doc
        assert re.search(r"Source: .* \d{4}, arXiv:\d{4}\.\d{4,5}\.", doc), name
        home = getattr(applications, name).__module__
        assert (
            Path(minikeras.__file__)
            .parent.joinpath(*home.split(".")[1:])
            .with_suffix(".py")
            .exists()
        )

"""Pixels and class names beside Keras's."""

import json

import numpy as np
import pytest

import minikeras
from minikeras import applications, backend, layers
from minikeras.applications import imagenet_utils

FAMILIES = [
    "convnext",
    "densenet",
    "efficientnet",
    "efficientnet_v2",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
]
FORMATS = ["channels_last", "channels_first"]


def images(rng, data_format, batch, dtype="float32"):
    shape = (4, 5, 3) if data_format == "channels_last" else (3, 4, 5)
    return rng.uniform(0, 255, ((2, *shape) if batch else shape)).astype(dtype)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int32"])
def test_arrays_are_scaled_as_by_keras(keras, rng, mode, data_format, batch, dtype):
    x = images(rng, data_format, batch, dtype)
    theirs = keras.applications.imagenet_utils.preprocess_input
    given, expected_given = x.copy(), x.copy()
    found = imagenet_utils.preprocess_input(given, data_format, mode)
    expected = theirs(expected_given, data_format, mode)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)
    # Floating arrays are written over, as Keras does.
    np.testing.assert_allclose(given, expected_given, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("batch", [True, False])
def test_tensors_are_scaled_like_arrays(rng, mode, data_format, batch):
    x = images(rng, data_format, batch)
    found = imagenet_utils.preprocess_input(backend.constant(x), data_format, mode)
    expected = imagenet_utils.preprocess_input(x.copy(), data_format, mode)
    np.testing.assert_allclose(backend.eval(found), expected, rtol=1e-4, atol=1e-4)


def test_a_model_may_scale_its_own_input(rng):
    inputs = layers.Input((4, 5, 3))
    scaled = imagenet_utils.preprocess_input(inputs, mode="torch")
    model = minikeras.Model(inputs, scaled)
    x = images(rng, "channels_last", True)
    expected = imagenet_utils.preprocess_input(x.copy(), mode="torch")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-5)
    again = minikeras.Model.from_config(model.get_config())
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_scales_as_in_keras(keras, rng, family):
    x = images(rng, "channels_last", True)
    ours, theirs = getattr(applications, family), getattr(keras.applications, family)
    np.testing.assert_allclose(
        ours.preprocess_input(x.copy()), theirs.preprocess_input(x.copy()), atol=1e-5
    )
    assert ours.decode_predictions is imagenet_utils.decode_predictions


def test_other_modes_and_formats_are_refused(rng):
    x = images(rng, "channels_last", True)
    with pytest.raises(ValueError, match="Expected mode to be one of `caffe`"):
        imagenet_utils.preprocess_input(x, mode="other")
    with pytest.raises(ValueError, match="Expected data_format to be one of"):
        imagenet_utils.preprocess_input(x, data_format="other")


def test_classes_have_names(keras, rng, tmp_path, monkeypatch):
    index = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}
    file = tmp_path / "imagenet_class_index.json"
    file.write_text(json.dumps(index))
    asked = []

    def download(*args):
        asked.append(args)
        return str(file)

    monkeypatch.setattr(imagenet_utils, "download", download)
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    from keras.src.applications import imagenet_utils as theirs

    monkeypatch.setattr(theirs, "CLASS_INDEX", index)
    scores = rng.uniform(size=(3, 1000)).astype("float32")
    for top in (1, 5):
        found = imagenet_utils.decode_predictions(scores, top=top)
        assert found == theirs.decode_predictions(scores, top=top)
    tensor = backend.convert_to_tensor(scores)
    assert imagenet_utils.decode_predictions(tensor) == found
    assert len(asked) == 1  # the names are fetched once
    assert asked[0][0] == "imagenet_class_index.json"


@pytest.mark.parametrize("shape", [(1000,), (2, 999), (1, 2, 1000)])
def test_scores_of_other_shapes_have_none(shape):
    with pytest.raises(ValueError, match="expects a batch of predictions"):
        imagenet_utils.decode_predictions(np.zeros(shape))


SHAPES = [
    {"input_shape": None, "default_size": 224, "require_flatten": True},
    {"input_shape": None, "default_size": 224, "require_flatten": False},
    {"input_shape": (64, 64, 3), "default_size": 224, "require_flatten": True},
    {"input_shape": (None, None, 1), "default_size": 224, "require_flatten": False},
    {"input_shape": (3, 64, 64), "default_size": 224, "require_flatten": True},
    {"input_shape": (8, 64, 3), "default_size": 224, "require_flatten": False},
    {"input_shape": (64, 64), "default_size": 224, "require_flatten": False},
    {"input_shape": (64, None, 3), "default_size": 224, "require_flatten": True},
]


@pytest.mark.filterwarnings("ignore:This model usually expects")
@pytest.mark.parametrize("given", SHAPES, ids=str)
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("weights", [None, "imagenet"])
def test_shapes_are_judged_as_by_keras(keras, given, data_format, weights):
    from keras.src.applications import imagenet_utils as theirs

    def judged(function):
        try:
            return function(
                **given, min_size=32, data_format=data_format, weights=weights
            )
        except ValueError as error:
            return str(error)

    expected = judged(theirs.obtain_input_shape)
    assert judged(imagenet_utils.obtain_input_shape) == expected


def test_unusual_numbers_of_channels_are_warned_of():
    with pytest.warns(UserWarning, match="usually expects 1 or 3 input channels"):
        imagenet_utils.obtain_input_shape((64, 64, 4), 224, 32, "channels_last", True)

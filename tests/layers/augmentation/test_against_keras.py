"""Every augmentation changes images as Keras's does, given what Keras has drawn."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from minikeras import layers
from tests.layers.augmentation.cases import (
    CASES,
    CASES_OF_CONFIG,
    MINIMAL,
    SCALED,
    name_of,
)
from tests.layers.test_against_keras import comparable

rng = np.random.default_rng(0)
IMAGES = (rng.uniform(size=(3, 8, 9, 3)) * 255).astype("float32")
MASKS = rng.integers(0, 5, (3, 8, 9, 1)).astype("float32")
LABELS = np.eye(4, dtype="float32")[[0, 2, 3]]
BOXES = np.array(
    [[[1, 2, 4, 6], [3, 0, 5, 4]], [[0, 0, 9, 8], [2, 2, 4, 3]], [[5, 5, 8, 7]] * 2],
    "float32",
)
CLASSES = np.array([[1, 2], [0, 3], [4, 4]], "int32")

LAYOUTS = ["channels_last", "channels_first"]

# Keras does not say what becomes of masks.
NO_MASKS = {"ContrastLimitedAdaptiveHistogramEqualization"}
# Keras takes them from the images made flat.
WRONG_MASKS = {"MixUp"}

# Keras asks JAX for numbers of 64 bits.
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")

each_case = pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))
each_layer = pytest.mark.parametrize("case", MINIMAL, ids=map(name_of, MINIMAL))


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


def laid_out(x, layout):
    return x if layout == "channels_last" else np.moveaxis(x, -1, 1)


def inputs(case, layout="channels_last"):
    scaled = case[1].get("value_range") == SCALED["value_range"]
    return laid_out(IMAGES / 255 if scaled else IMAGES, layout)


def both(keras, case, **more):
    name, args = case
    return (getattr(room, name)(**args, **more) for room in (layers, keras.layers))


def drawn_by(keras, layer, x):
    """Return what Keras draws, as arrays, in Keras and here."""
    theirs = layer.get_random_transformation(x, training=True)

    def plain(v):
        return v if isinstance(v, int) else np.asarray(v)

    own = keras.tree.map_structure(plain, theirs)
    if type(layer).__name__ == "RandomCrop":
        own = (*map(int, own), 8, 9)
    return theirs, own


@each_case
@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_are_those_of_keras(keras, case, layout):
    if case[0] == "AutoContrast" and layout == "channels_first":
        pytest.skip("Keras looks for the extremes along the wrong axes")
    own, their = both(keras, case, data_format=layout)
    x = inputs(case, layout)
    drawn, same = drawn_by(keras, their, x)
    want = np.asarray(their.transform_images(x, drawn, training=True))
    found = own.transform_images(x, same, training=True)
    assert found.dtype == want.dtype
    assert found.shape == want.shape
    off = np.abs(found - want)
    if case[0] == "Equalization":  # Keras looks some values up one place too low
        step = 1.01 * case[1].get("value_range", (0, 255))[1] / 255
        assert off.max() < step
        assert (off > 1e-3 * step).mean() < 0.1
    else:
        assert off.max() < 2e-6 * 255 * (20 if "Perspective" in case[0] else 1)


@each_case
@pytest.mark.parametrize("layout", LAYOUTS)
def test_masks_are_those_of_keras(keras, case, layout):
    if case[0] in NO_MASKS | WRONG_MASKS:
        pytest.skip("Keras is no oracle")
    own, their = both(keras, case, data_format=layout)
    masks = laid_out(MASKS, layout)
    drawn, same = drawn_by(keras, their, inputs(case, layout))
    want = np.asarray(their.transform_segmentation_masks(masks, drawn, training=True))
    found = own.transform_segmentation_masks(masks, same, training=True)
    np.testing.assert_allclose(found, want, atol=1e-5)


@each_case
def test_labels_are_those_of_keras(keras, case):
    if case[0] in NO_MASKS:
        pytest.skip("Keras is no oracle")
    own, their = both(keras, case)
    drawn, same = drawn_by(keras, their, inputs(case))
    args = {} if case[0] == "RandomGrayscale" else {"training": True}
    want = np.asarray(their.transform_labels(LABELS, drawn, **args))
    found = own.transform_labels(LABELS, same, training=True)
    np.testing.assert_allclose(found, want, atol=1e-6)


# Keras mixes up x and y, does not bring boxes back to their format, or adds them along
# the wrong axis, or does not say what becomes of them.
NO_BOXES = {"RandomCrop", "MixUp", "CutMix", *NO_MASKS}
IN_PIXELS_ALONE = {"RandomRotation", "RandomPerspective"}


@each_case
@pytest.mark.parametrize("form", ["xyxy", "xywh", "rel_yxyx"])
def test_boxes_are_those_of_keras(keras, case, form):
    if case[0] in NO_BOXES or (case[0] in IN_PIXELS_ALONE and form != "xyxy"):
        pytest.skip("Keras is no oracle")
    own, their = both(keras, case, bounding_box_format=form)
    convert = keras.utils.bounding_boxes.convert_format
    boxes = np.asarray(convert(BOXES, "xyxy", form, height=8, width=9))
    drawn, same = drawn_by(keras, their, inputs(case))
    given = {"boxes": boxes, "labels": CLASSES}
    want = their.transform_bounding_boxes(dict(given), transformation=drawn)
    found = own.transform_bounding_boxes(dict(given), same, training=True)
    np.testing.assert_allclose(found["boxes"], np.asarray(want["boxes"]), atol=3e-4)
    np.testing.assert_array_equal(found["labels"], np.asarray(want["labels"]))


# -- configs, shapes -------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES_OF_CONFIG, ids=map(name_of, CASES_OF_CONFIG))
def test_the_config_is_that_of_keras(keras, case):
    own, their = both(keras, case, data_format="channels_first")
    wanted = comparable(their.get_config())
    found = comparable(own.get_config())
    # What Keras forgets to write down.
    for forgotten in {"seed", "fill_value"} - wanted.keys():
        found.pop(forgotten, None)
    if case[0] == "RandomShear":  # what Keras writes for one number it does not read
        wanted = {
            **wanted,
            "x_factor": found["x_factor"],
            "y_factor": found["y_factor"],
        }
    assert found == wanted


@pytest.mark.parametrize("case", CASES_OF_CONFIG, ids=map(name_of, CASES_OF_CONFIG))
def test_a_config_makes_the_same_layer(case):
    name, args = case
    layer = getattr(layers, name)(**args, bounding_box_format="xyxy")
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


@each_layer
def test_arguments_are_those_of_keras(keras, case):
    def arguments(cls):
        return [
            (p.name, p.default)
            for p in inspect.signature(cls.__init__).parameters.values()
            if p.kind is not p.VAR_KEYWORD
        ]

    name, _ = case
    assert arguments(getattr(layers, name)) == arguments(getattr(keras.layers, name))


@pytest.mark.parametrize("case", CASES_OF_CONFIG, ids=map(name_of, CASES_OF_CONFIG))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_shapes_are_those_of_keras(keras, case, layout):
    own, their = both(keras, case, data_format=layout)
    for shape in ((3, 8, 9, 3), (8, 9, 3), (None, 8, 9, 3)):
        if layout == "channels_first":
            shape = (*shape[:-3], 3, *shape[-3:-1])
        want = tuple(their.compute_output_shape(shape))
        assert tuple(own.compute_output_shape(shape)) == want
        x = layers.Input(batch_shape=shape)
        assert tuple(own(x).shape) == want

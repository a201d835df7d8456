"""Augmentations as layers: what they take, when they act, what they draw."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models, utils
from tests.layers.augmentation.cases import CASES_OF_CONFIG, MINIMAL, name_of

rng = np.random.default_rng(3)
IMAGES = (rng.uniform(size=(4, 8, 9, 3)) * 255).astype("float32")
MASKS = rng.integers(0, 5, (4, 8, 9, 1)).astype("float32")
BOXES = np.array([[[1, 2, 4, 6], [3, 0, 5, 4]]] * 4, "float32")

ALWAYS = {"AutoContrast", "CenterCrop", "Resizing", "MaxNumBoundingBoxes"}
ALWAYS |= {"ContrastLimitedAdaptiveHistogramEqualization"}
NO_BOXES = {"CutMix"}

each_layer = pytest.mark.parametrize("case", MINIMAL, ids=map(name_of, MINIMAL))
each_case = pytest.mark.parametrize(
    "case", CASES_OF_CONFIG, ids=map(name_of, CASES_OF_CONFIG)
)


def made(case, **more):
    name, args = case
    return getattr(layers, name)(**args, **more)


def data():
    boxes = {"boxes": BOXES, "labels": np.array([[1, 2]] * 4)}
    labels = np.eye(4, dtype="float32")
    return {
        "images": IMAGES,
        "labels": labels,
        "bounding_boxes": boxes,
        "segmentation_masks": MASKS,
        "names": np.arange(4),
    }


@each_layer
def test_a_dict_goes_in_and_comes_out(case):
    layer = made(case, bounding_box_format="xyxy")
    given = data()
    if case[0] in NO_BOXES:
        del given["bounding_boxes"]
    found = layer(given)
    assert found.keys() == given.keys()
    size = layer.compute_output_shape((4, 8, 9, 3))
    assert found["images"].shape == tuple(size)
    assert found["segmentation_masks"].shape == (*size[:-1], 1)
    assert found["labels"].shape == (4, 4)
    np.testing.assert_array_equal(found["names"], given["names"])
    if "bounding_boxes" in found:
        boxes = found["bounding_boxes"]
        assert boxes["boxes"].shape[::2] == (4, 4)
        assert boxes["boxes"].dtype == "float32"
        assert boxes["labels"].shape == boxes["boxes"].shape[:2]


@each_layer
def test_one_image_goes_in_and_comes_out(case):
    layer = made(case, bounding_box_format="xyxy")
    given = data()
    del given["names"]
    if case[0] in NO_BOXES:
        del given["bounding_boxes"]
    one = K.tree.map_structure(lambda x: x[0], given)
    whole, found = layer(given), layer(one)
    # Of every axis but the first there are as many.
    K.tree.map_structure(lambda x, y: np.testing.assert_equal(x.shape[1:], y.shape),
                         whole, found)  # fmt: skip


@each_layer
def test_nothing_is_random_but_in_training(case):
    x = IMAGES
    if case[0] in ALWAYS:
        layer = made(case)
        np.testing.assert_array_equal(layer(x, training=False), layer(x))
        return
    np.testing.assert_array_equal(made(case)(x, training=False), x)


@each_layer
def test_integers_become_floats(case):
    keeps = {"Resizing", "MaxNumBoundingBoxes"}
    keeps |= {"ContrastLimitedAdaptiveHistogramEqualization"}
    x = IMAGES.astype("uint8")
    for training in (False, True):
        y = made(case)(x, training=training)
        assert y.dtype == ("uint8" if case[0] in keeps else "float32")


DRAWING = [
    c
    for c in MINIMAL
    if c[0] not in {*ALWAYS, "Equalization"} and c != ("RandomColorJitter", {})
]


@pytest.mark.parametrize("case", DRAWING, ids=map(name_of, DRAWING))
def test_each_call_draws_anew_and_a_seed_repeats(case):
    name, args = case
    args = {**args, "seed": 5}
    one, other = (getattr(layers, name)(**args) for _ in range(2))
    first, again = one(IMAGES), other(IMAGES)
    np.testing.assert_array_equal(first, again)
    assert len(one.variables) >= 1
    changed = [not np.array_equal(one(IMAGES), first) for _ in range(6)]
    assert any(changed)


@each_case
def test_symbols_of_unknown_size(case):
    layer = made(case)
    if case[0] == "RandomCrop":
        with pytest.raises(ValueError, match="fully defined height and width"):
            layer(layers.Input((None, None, 3)))
        return
    x = layers.Input((None, None, 3))
    y = layer(x)
    model = models.Model(x, y)
    found = model(IMAGES, training=True)
    assert found.dtype == "float32"
    assert found.shape == tuple(layer.compute_output_shape(IMAGES.shape))
    assert y.shape[0] is None
    assert model.predict(IMAGES, verbose=0).shape == found.shape


# Their values are whole steps.
STEPS = {"ContrastLimitedAdaptiveHistogramEqualization", "RandomPosterization"}


@each_layer
def test_a_step_of_training_through_it(case):
    if case[0] in STEPS:
        pytest.skip("has no slope")
    utils.set_random_seed(1)
    x = layers.Input((8, 9, 3))  # and no color below 0, which would be clipped
    y = made(case)(layers.Conv2D(3, 1, kernel_initializer="ones")(x))
    y = layers.Dense(1)(layers.GlobalAveragePooling2D()(y))
    model = models.Model(x, y)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(IMAGES / 255, np.ones((4, 1)), epochs=1, verbose=0)
    after = model.get_weights()
    assert all(np.isfinite(w).all() for w in after)
    assert not np.array_equal(before[-2], after[-2])


@each_layer
def test_half_precision(case):
    y = made(case, dtype="mixed_float16")(IMAGES.astype("float16"))
    assert y.dtype == "float16"


def test_boxes_need_a_format():
    with pytest.raises(ValueError, match="didn't specify a bounding box format"):
        layers.RandomFlip()(data())
    given = {"images": IMAGES, "bounding_boxes": {"boxes": BOXES}}
    with pytest.raises(ValueError, match="keys 'boxes' and 'labels'"):
        layers.RandomFlip(bounding_box_format="xyxy")(given)
    given["bounding_boxes"] = {"boxes": BOXES[0, 0], "labels": np.zeros(4)}
    with pytest.raises(ValueError, match="rank 2 or 3"):
        layers.RandomFlip(bounding_box_format="xyxy")(given)


@pytest.mark.parametrize("shape", [(8, 3), (2, 2, 8, 9, 3)])
def test_images_have_three_axes_or_four(shape):
    with pytest.raises(ValueError, match="rank 3 or 4"):
        layers.RandomBrightness(0.1)(np.zeros(shape, "float32"))


# -- arguments -------------------------------------------------------------------------

WRONG = [
    ("RandomBrightness", {"factor": 1.1}, ValueError),
    ("RandomBrightness", {"factor": [0.1]}, ValueError),
    ("RandomBrightness", {"factor": "much"}, ValueError),
    ("RandomBrightness", {"factor": (1.1, 1.2)}, ValueError),
    ("RandomBrightness", {"factor": 0.1, "value_range": [1]}, ValueError),
    ("RandomContrast", {"factor": -0.1}, ValueError),
    ("RandomHue", {"factor": 2}, ValueError),
    ("RandomGrayscale", {"factor": 1.5}, ValueError),
    ("RandomPosterization", {"factor": 9}, ValueError),
    ("RandomTranslation", {"height_factor": 1.5, "width_factor": 0}, ValueError),
    ("RandomTranslation", {"height_factor": (0.1,), "width_factor": 0}, ValueError),
    ("RandomTranslation", {"height_factor": "?", "width_factor": 0}, ValueError),
    ("RandomZoom", {"height_factor": -1.0}, ValueError),
    ("RandomShear", {"x_factor": -0.1}, ValueError),
    ("Solarization", {"addition_factor": 1.1}, ValueError),
    ("RandomPerspective", {"scale": 1.1}, ValueError),
    ("RandomPerspective", {"interpolation": "cubic"}, NotImplementedError),
    ("RandomElasticTransform", {"fill_mode": "?"}, NotImplementedError),
    ("RandomElasticTransform", {"scale": (1.1, 2)}, ValueError),
    ("RandomRotation", {"factor": 0.1, "fill_mode": "mirror"}, NotImplementedError),
    ("RandomGaussianBlur", {"kernel_size": 4}, ValueError),
    ("RandomGaussianBlur", {"kernel_size": (3, 3, 3)}, ValueError),
    ("RandomGaussianBlur", {"kernel_size": "3"}, ValueError),
    ("RandomGaussianBlur", {"sigma": 2}, ValueError),
    ("RandomErasing", {"scale": 2}, ValueError),
    ("CutMix", {"factor": 2}, ValueError),
    ("Resizing", {"height": 1, "width": 1, "factor": 0.1}, ValueError),
]


@pytest.mark.parametrize("name, args, kind", WRONG)
def test_wrong_arguments_are_refused_as_in_keras(name, args, kind):
    import keras

    messages = []
    for room in (layers, keras.layers):
        with pytest.raises(kind) as error:
            getattr(room, name)(**args)
        messages.append(str(error.value))
    if "`factor` argument" not in messages[1]:  # there our base says it
        assert messages[0][:20] == messages[1][:20]


# -- one by one ------------------------------------------------------------------------


def test_a_flipped_half():
    x = np.zeros((1000, 1, 2, 1), "float32")
    x[:, :, 1] = 1.0
    y = layers.RandomFlip("horizontal", seed=1)(x)
    assert 430 < y[:, 0, 0, 0].sum() < 570
    np.testing.assert_array_equal(y.sum((1, 2, 3)), 1)


def test_boxes_are_cropped_as_their_images():
    # Keras takes x for y.
    x = np.zeros((1, 8, 9, 1), "float32")
    x[:, 3:5, 4:7] = 1.0
    boxes = {"boxes": np.float32([[[4, 3, 7, 5]]]), "labels": np.array([[1]])}
    layer = layers.RandomCrop(6, 5, seed=2, bounding_box_format="xyxy")
    for _ in range(5):
        found = layer({"images": x, "bounding_boxes": boxes})
        seen = np.argwhere(found["images"][0, ..., 0])
        left, top, right, bottom = found["bounding_boxes"]["boxes"][0, 0]
        if seen.size:
            assert (top, left) == tuple(seen.min(0))
            assert (bottom, right) == tuple(seen.max(0) + 1)
        else:
            assert (right - left) * (bottom - top) == 0


@pytest.mark.parametrize(
    "layer",
    [
        layers.RandomRotation((0.25, 0.25), fill_mode="constant"),
        layers.RandomTranslation((0.25, 0.25), (-0.125, -0.125), "constant"),
        layers.RandomZoom((0.5, 0.5), fill_mode="constant", interpolation="nearest"),
        layers.RandomPerspective(1.0, 0.2, interpolation="nearest", seed=1),
    ],
)
@pytest.mark.parametrize("form", ["xyxy", "center_xywh", "rel_yxyx"])
def test_boxes_move_as_their_images(layer, form):
    # A blob is found where its box is said to be, to within a pixel.
    layer.bounding_box_format = form
    x = np.zeros((1, 40, 40, 1), "float32")
    x[:, 12:20, 16:28] = 1.0
    from minikeras.utils.bounding_boxes import convert_format

    sizes = {"height": 40, "width": 40}
    given = convert_format(np.float32([[[16, 12, 28, 20]]]), "xyxy", form, **sizes)
    boxes = {"boxes": given, "labels": np.array([[1]])}
    found = layer({"images": x, "bounding_boxes": boxes})
    box = convert_format(found["bounding_boxes"]["boxes"], form, "xyxy", **sizes)
    seen = np.argwhere(found["images"][0, ..., 0] > 0.5)
    want = [*seen.min(0)[::-1], *(seen.max(0)[::-1] + 1)]
    np.testing.assert_allclose(box[0, 0], want, atol=1.3)


def test_masks_move_as_images_do_in_an_elastic_transform():
    # Keras draws anew for the masks.
    x = rng.integers(0, 2, (2, 32, 32, 1)).astype("float32")
    layer = layers.RandomElasticTransform(
        (1, 1), (1, 1), interpolation="nearest", seed=1
    )
    found = layer({"images": x, "segmentation_masks": x})
    np.testing.assert_array_equal(found["images"], found["segmentation_masks"])
    assert not np.array_equal(found["images"], x)


def test_erasing_fills_a_rectangle_with_a_color():
    layer = layers.RandomErasing((1, 1), (0.2, 0.2), fill_value=(1, 2, 3), seed=3)
    x = np.full((5, 20, 20, 3), 100.0, "float32")
    y = layer(x)
    erased = (y == np.float32([1, 2, 3])).all(-1)
    assert (erased | (y == 100).all(-1)).all()
    for mask in erased:
        rows, columns = mask.any(1), mask.any(0)
        np.testing.assert_array_equal(mask, rows[:, None] & columns)
    assert abs(erased.mean() - 0.2) < 0.05


def test_cut_mix_weighs_labels_by_areas():
    x = np.arange(6, dtype="float32")[:, None, None, None] * np.ones((6, 20, 20, 1))
    x = x.astype("float32")
    found = layers.CutMix(seed=1)({"images": x, "labels": np.eye(6, dtype="float32")})
    shares = np.stack([(found["images"] == i).mean((1, 2, 3)) for i in range(6)], 1)
    np.testing.assert_allclose(found["labels"].sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(found["labels"], shares, atol=0.1)


def test_mix_up_mixes_images_masks_labels_and_boxes_alike():
    x = np.arange(4, dtype="float32")[:, None, None, None] * np.ones((4, 2, 2, 1))
    x = x.astype("float32")
    given = {"images": x, "segmentation_masks": x, "labels": np.arange(4)}
    boxes = {"boxes": BOXES, "labels": np.array([[1, 2]] * 4)}
    given["bounding_boxes"] = boxes
    found = layers.MixUp(1.0, seed=1, bounding_box_format="xyxy")(given)
    np.testing.assert_allclose(found["images"][:, 0, 0, 0], found["labels"], rtol=1e-6)
    np.testing.assert_array_equal(found["images"], found["segmentation_masks"])
    assert found["bounding_boxes"]["boxes"].shape == (4, 4, 4)
    assert found["bounding_boxes"]["labels"].shape == (4, 4)


def test_auto_contrast_stretches_each_channel():
    first = np.moveaxis(IMAGES, -1, 1)
    y = layers.AutoContrast(data_format="channels_first")(first)
    np.testing.assert_allclose(y.min((2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(y.max((2, 3)), 255, rtol=1e-6)
    even = np.full((1, 2, 2, 1), 7.0, "float32")
    np.testing.assert_array_equal(layers.AutoContrast()(even), even)


def test_one_of_many_is_chosen_at_run_time():
    layer = layers.RandAugment(num_ops=1, seed=0)
    chosen = {int(layer.get_random_transformation(IMAGES)["layer_idxes"][0])
              for _ in range(40)}  # fmt: skip
    assert len(chosen) > 6
    x = IMAGES[:1]
    drawn = layer.get_random_transformation(x)
    for i, choice in enumerate(layer.choices):
        drawn["layer_idxes"] = np.array([i])
        want = choice.transform_images(x, drawn["transforms"][i], training=True)
        found = layer.transform_images(x, drawn, training=True)
        np.testing.assert_array_equal(found, want)


def test_a_mix_of_nothing_is_the_image():
    layer = layers.AugMix(num_chains=2, chain_depth=1)
    drawn = layer.get_random_transformation(IMAGES)
    drawn["layer_idxes"] = np.full((2, 1), len(layer.choices))
    found = layer.transform_images(IMAGES, drawn, training=True)
    np.testing.assert_allclose(found, IMAGES, rtol=1e-5)
    assert len(layers.AugMix(all_ops=False).choices) == 7


def test_a_pipeline_is_its_layers():
    steps = [layers.CenterCrop(4, 4), layers.Rescaling(1 / 255), layers.RandomFlip()]
    pipeline = layers.Pipeline(steps, name="steps")
    assert pipeline.layers is steps
    assert pipeline(IMAGES).shape == (4, 4, 4, 3)
    assert pipeline.compute_output_shape((None, 8, 9, 3)) == (None, 4, 4, 3)
    want = steps[1](steps[0](IMAGES))
    np.testing.assert_array_equal(pipeline(IMAGES, training=False), want)
    config = pipeline.get_config()
    assert set(config) == {"layers", "name"}
    again = layers.Pipeline.from_config(config)
    np.testing.assert_array_equal(again(IMAGES, training=False), want)
    assert isinstance(config["layers"][0], dict)
    with pytest.raises(ValueError, match="layers"):
        layers.Pipeline.from_config({"name": "steps"})


def test_as_many_boxes_for_every_image():
    layer = layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    given = {"images": IMAGES, "bounding_boxes": data()["bounding_boxes"]}
    found = layer(given)["bounding_boxes"]
    np.testing.assert_array_equal(found["boxes"][:, :2], BOXES)
    np.testing.assert_array_equal(found["boxes"][:, 2], -1)
    np.testing.assert_array_equal(found["labels"], [[1, 2, -1]] * 4)
    one = layers.MaxNumBoundingBoxes(1, bounding_box_format="xyxy")(given)
    np.testing.assert_array_equal(one["bounding_boxes"]["boxes"], BOXES[:, :1])
    shapes = {"images": (4, 8, 9, 3)}
    boxes = {"boxes": (4, None, 4), "labels": (4, None)}
    found = layer.compute_output_shape({**shapes, "bounding_boxes": boxes})
    assert found["bounding_boxes"] == {"boxes": (4, 3, 4), "labels": (4, 3)}
    with pytest.raises(KeyError, match="unsupported keys"):
        layer.compute_output_shape({"bounding_boxes": {"scores": (4, 2)}})


def test_a_tile_alone_is_equalized_as_a_whole():
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(
        clip_limit=0, tile_grid_size=(1, 1)
    )
    x = rng.integers(0, 256, (1, 16, 16, 1)).astype("float32")
    y = layer(x)
    values, counts = np.unique(x, return_counts=True)
    total = counts.cumsum()
    first = counts[0] if values[0] == 0 else 0
    want = 255 * (total - first) / (256 - first)
    np.testing.assert_allclose(y.ravel(), want[np.searchsorted(values, x.ravel())],
                               rtol=1e-5)  # fmt: skip

"""Bounding boxes against Keras's."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.utils import bounding_boxes
from minikeras.utils.bounding_boxes.formats import FORMATS

rng = np.random.default_rng(2)
CORNERS = rng.uniform(0, 20, (2, 5, 4)).astype("float32")
XYXY = np.concatenate([CORNERS[..., :2], CORNERS[..., :2] + 5 + CORNERS[..., 2:]], -1)
SIZE = {"height": 40, "width": 50}


@pytest.fixture(scope="module")
def theirs():
    from keras.utils import bounding_boxes

    return bounding_boxes


def close(found, want):
    np.testing.assert_allclose(found, np.asarray(want), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("source, target", list(itertools.product(FORMATS, FORMATS)))
def test_formats(theirs, source, target):
    given = np.asarray(theirs.convert_format(XYXY, "xyxy", source, **SIZE))
    found = bounding_boxes.convert_format(given, source, target, **SIZE)
    close(found, theirs.convert_format(given, source, target, **SIZE))
    x = K.placeholder((None, None, 4))
    lazy = bounding_boxes.convert_format(x, source, target, **SIZE)
    assert lazy.shape == (None, None, 4)
    close(K.function([x], [lazy])([given])[0], found)


def test_boxes_in_a_dict():
    given = {"boxes": XYXY, "labels": np.zeros((2, 5))}
    found = bounding_boxes.convert_format(given, "xyxy", "xywh")
    close(found["boxes"][..., 2:], XYXY[..., 2:] - XYXY[..., :2])
    assert found["labels"] is given["labels"]
    assert given["boxes"] is XYXY


def test_what_is_no_format_is_refused(theirs):
    for room in (bounding_boxes, theirs):
        with pytest.raises(ValueError, match="Invalid source or target format"):
            room.convert_format(XYXY, "xyxy", "xxyy")
        with pytest.raises(ValueError, match="must receive `height` and `width`"):
            room.convert_format(XYXY, "xyxy", "rel_xyxy")
        with pytest.raises(ValueError, match="last dimension of 4"):
            room.convert_format(XYXY[..., :3], "xyxy", "xywh")


@pytest.mark.parametrize("form", ["xyxy", "rel_xyxy"])
def test_clipping(theirs, form):
    boxes = 3 * XYXY - 30
    boxes = boxes / 30 if form == "rel_xyxy" else boxes
    given = {"boxes": boxes, "labels": np.arange(10).reshape(2, 5)}
    found = bounding_boxes.clip_to_image_size(given, 40, 50, form)
    want = theirs.clip_to_image_size(given, 40, 50, form)
    close(found["boxes"], want["boxes"])
    np.testing.assert_array_equal(found["labels"], np.asarray(want["labels"]))


def test_cropping_and_padding(theirs):
    args = (3, 5, 12, 14)
    close(bounding_boxes.crop(XYXY, *args), theirs.crop(XYXY, *args))
    close(bounding_boxes.pad(XYXY, *args), theirs.pad(XYXY, *args))


@pytest.mark.parametrize("center", [{}, {"center_x": 0.2, "center_y": 0.9}])
def test_affine_transforms(theirs, center):
    numbers = rng.uniform(-1, 1, (6, 2)).astype("float32")
    scales = np.float32([30, 0.2, 0.2, 0.5, 20, 20])
    angle, x, y, scale, sx, sy = numbers * scales[:, None]
    args = (angle, x, y, 1 + scale, sx, sy, 40, 50)
    found = bounding_boxes.affine_transform(XYXY, *args, **center)
    want = theirs.affine_transform(XYXY, *args, **center)
    np.testing.assert_allclose(found, np.asarray(want), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["crop", "pad", "affine_transform"])
def test_only_corners_are_moved(name):
    function = getattr(bounding_boxes, name)
    count = sum(
        p.default is p.empty for p in inspect.signature(function).parameters.values()
    )
    with pytest.raises(NotImplementedError):
        function(*[XYXY] * count, bounding_box_format="xywh")
    with pytest.raises(NotImplementedError):
        bounding_boxes.clip_to_image_size({"boxes": XYXY}, 1, 1, "xywh")
    with pytest.raises(ValueError, match="must be set"):
        bounding_boxes.clip_to_image_size({"boxes": XYXY})


@pytest.mark.parametrize("form", ["xyxy", "rel_xywh"])
@pytest.mark.parametrize("masked", [False, True])
def test_iou(theirs, form, masked):
    one, other = XYXY, XYXY[:, :3] + 2
    if masked:
        one = np.where(np.arange(5)[:, None] == 1, -1, one).astype("float32")
    shape = (40, 50, 3)
    for a, b in ((one, other), (one[0], other[0]), (one[0], other)):
        if masked and a.ndim != b.ndim:
            continue
        args = (form, masked, -1, shape)
        found = bounding_boxes.compute_iou(a, b, *args)
        close(found, theirs.compute_iou(a, b, *args))


def test_ciou(theirs):
    found = bounding_boxes.compute_ciou(XYXY, XYXY[:, ::-1] + 1, "xyxy")
    close(found, theirs.compute_ciou(XYXY, XYXY[:, ::-1] + 1, "xyxy"))
    with pytest.raises(ValueError, match="image_shape"):
        bounding_boxes.compute_ciou(XYXY, XYXY, "rel_xyxy")


def test_iou_needs_boxes_and_sizes():
    with pytest.raises(ValueError, match="boxes1 to be batched"):
        bounding_boxes.compute_iou(XYXY[0, 0], XYXY, "xyxy")
    with pytest.raises(ValueError, match="boxes2 to be batched"):
        bounding_boxes.compute_iou(XYXY, XYXY[0, 0], "xyxy")
    with pytest.raises(ValueError, match="image_shape"):
        bounding_boxes.compute_iou(XYXY, XYXY, "rel_xyxy")


@pytest.mark.parametrize("encoding", ["center_yxhw", "center_xywh"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.2, 0.3, 0.4]])
def test_deltas(theirs, encoding, variance):
    anchors, boxes = XYXY[0], XYXY + 1.5
    more = (encoding, variance, (40, 50, 3))
    args = (anchors, boxes, "xyxy", "rel_xyxy", *more)
    found = bounding_boxes.encode_box_to_deltas(*args)
    np.testing.assert_allclose(found, theirs.encode_box_to_deltas(*args), rtol=1e-4)
    args = (anchors, boxes / 50, "xyxy", "rel_xyxy", *more)
    found = bounding_boxes.decode_deltas_to_boxes(*args)
    np.testing.assert_allclose(found, theirs.decode_deltas_to_boxes(*args), rtol=1e-4)
    levels = bounding_boxes.decode_deltas_to_boxes(
        {"a": anchors}, {"a": boxes / 50}, "xyxy", "rel_xyxy", *more
    )
    np.testing.assert_array_equal(levels["a"], found)


def test_deltas_are_of_centers():
    with pytest.raises(ValueError, match="`encoding_format` should be one of"):
        bounding_boxes.encode_box_to_deltas(XYXY, XYXY, "xyxy", "xyxy", "xyxy")
    with pytest.raises(ValueError, match="length 4"):
        bounding_boxes.decode_deltas_to_boxes(
            XYXY, XYXY, "xyxy", "xyxy", variance=[1.0, 2.0]
        )


def test_names_and_arguments_are_those_of_keras(theirs):
    names = {name for name in dir(theirs) if name[0] != "_"}
    assert names == set(bounding_boxes.__all__)
    for name in names:
        own, their = (
            [
                (p.name, p.default)
                for p in inspect.signature(getattr(room, name)).parameters.values()
            ]
            for room in (bounding_boxes, theirs)
        )
        assert own == their

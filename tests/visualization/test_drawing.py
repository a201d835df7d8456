"""Boxes and segments on images, and images in rows and columns."""

import importlib
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from minikeras import backend as K
from minikeras import visualization


def boxes(*corners, labels=None, **more):
    given = {"boxes": np.array([corners], "float32")}
    given["labels"] = np.array([labels or [0] * len(corners)])
    return given | more


def draw(size, *corners, channels=1, **kwargs):
    images = np.zeros((1, *size, channels), "uint8")
    kwargs = {"color": (1, 2, 3)} | kwargs
    return visualization.draw_bounding_boxes(images, boxes(*corners), "xyxy", **kwargs)[
        0
    ]


# -- boxes -----------------------------------------------------------------------------

# The upper left corner of cv2.rectangle's lines, of OpenCV 5.0: o is the corner.
OPENCV = {
    1: """
        . . . . .
        . . . . .
        . . 1 1 1
        . . 1 . .
        . . 1 . .""",
    2: """
        . . . . .
        . . 1 1 1
        . 1 1 1 1
        . 1 1 1 1
        . 1 1 1 .""",
    3: """
        . . 1 1 1
        . 1 1 1 1
        1 1 1 1 1
        1 1 1 1 1
        1 1 1 1 1""",
}


@pytest.mark.parametrize("thickness", OPENCV)
def test_lines_are_those_of_opencv(thickness):
    drawn = draw((20, 20), [2, 2, 15, 15], line_thickness=thickness)[..., 0]
    expected = np.array([row.split() for row in OPENCV[thickness].strip().splitlines()])
    assert np.array_equal(drawn[:5, :5], np.where(expected == "1", 1, 0))
    assert np.array_equal(drawn[:18, :18], drawn[17::-1, 17::-1])  # all corners alike
    assert np.array_equal(drawn, drawn.T)


# Pixels that cv2.rectangle paints in a row and in a column, from 12 to 30 and 10 to 28.
WIDTHS = {1: 1, 2: 3, 3: 5, 4: 5, 5: 7, 6: 7, 7: 9}


@pytest.mark.parametrize("thickness", WIDTHS)
def test_lines_are_as_wide_as_those_of_opencv(thickness):
    drawn = draw((45, 45), [12, 10, 30, 28], line_thickness=thickness)[..., 0]
    half = WIDTHS[thickness] // 2
    for line, ends in ((drawn[20], (12, 30)), (drawn[:, 20], (10, 28))):
        painted = {end + i for end in ends for i in range(-half, half + 1)}
        assert set(np.flatnonzero(line).tolist()) == painted


def test_boxes_may_be_filled_reversed_or_outside():
    assert draw((4, 4), [2, 1, 1, 3], line_thickness=-1)[..., 0].tolist() == [
        [0, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 0],
    ]
    assert not draw((4, 4), [20, 20, 30, 30]).any()
    across = draw((4, 4), [-9, 1, 9, 9], line_thickness=1)[..., 0]
    assert across.tolist() == [[0] * 4, [1] * 4, [0] * 4, [0] * 4]


def test_boxes_of_label_minus_one_are_none():
    images = np.zeros((2, 6, 6, 3))
    given = {
        "boxes": np.array([[[0, 0, 5, 5]], [[0, 0, 5, 5]]]),
        "labels": np.array([[-1], [3]]),
    }
    drawn = visualization.draw_bounding_boxes(images, given, "xyxy")
    assert not drawn[0].any()
    assert drawn[1].any()
    assert not images.any()  # what was given stays


@pytest.mark.parametrize(
    "form, corners",
    [
        ("xyxy", [2, 4, 8, 6]),
        ("yxyx", [4, 2, 6, 8]),
        ("xywh", [2, 4, 6, 2]),
        ("center_xywh", [5, 5, 6, 2]),
        ("rel_xyxy", [0.1, 0.4, 0.4, 0.6]),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_boxes_of_all_formats(form, corners, data_format):
    images = np.full((1, 10, 20, 3), 50, "uint8")
    first = data_format == "channels_first"
    images = images.transpose(0, 3, 1, 2) if first else images
    drawn = visualization.draw_bounding_boxes(
        images,
        boxes(corners),
        form,
        color=(9, 8, 7),
        data_format=data_format,
        line_thickness=1,
    )
    assert drawn.shape == images.shape
    assert drawn.dtype == "uint8"
    drawn = drawn.transpose(0, 2, 3, 1) if first else drawn
    y, x = np.nonzero((drawn[0] == (9, 8, 7)).all(-1))
    assert (x.min(), y.min(), x.max(), y.max()) == (2, 4, 8, 6)


@pytest.mark.parametrize("most", [1.0, 255.0])
def test_floating_images_are_in_either_range(most, rng):
    shares = rng.random((1, 4, 4, 3))
    shares[0, 0, 0] = 1.0
    none = {"boxes": np.zeros((1, 0, 4)), "labels": np.zeros((1, 0), int)}
    drawn = visualization.draw_bounding_boxes(shares * most, none, "xyxy")
    assert np.array_equal(drawn, (shares * 255).astype("uint8"))


def test_labels_are_written_above_their_boxes():
    images = np.zeros((1, 60, 120, 3), "uint8")
    given = boxes([10, 40, 100, 55], labels=[1], confidences=np.array([[0.5]]))
    options = {"color": (0, 255, 0)}
    plain = visualization.draw_bounding_boxes(images, given, "xyxy", **options)
    named, other = (
        visualization.draw_bounding_boxes(
            images, given, "xyxy", mapping, font_scale=0.5, **options
        )
        for mapping in ({1: "cat"}, {2: "dog"})
    )
    assert np.array_equal(plain, other)
    written = (named != plain).any(-1)[0]
    rows, columns = np.nonzero(written)
    assert 15 < rows.min() <= rows.max() < 38
    assert 10 <= columns.min() < 20
    assert columns.max() > 60  # cat | 0.50
    assert not named[..., [0, 2]].any()
    assert named[0][written][:, 1].max() == 255


def test_labels_without_room_are_written_inside():
    images = np.zeros((1, 60, 120, 3), "uint8")
    given = boxes([0, 2, 110, 55])
    plain = visualization.draw_bounding_boxes(images, given, "xyxy")
    named = visualization.draw_bounding_boxes(
        images, given, "xyxy", {0: "cat"}, font_scale=0.5
    )
    rows = np.nonzero((named != plain).any((0, 2, 3)))[0]
    assert rows.min() > 4


def test_only_writing_needs_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.ImageDraw", None)
    images = np.zeros((1, 60, 120, 3), "uint8")
    visualization.draw_bounding_boxes(images, boxes([1, 2, 3, 4]), "xyxy")
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[images\]'"):
        visualization.draw_bounding_boxes(
            images, boxes([1, 2, 3, 4]), "xyxy", {0: "cat"}
        )


def test_what_are_no_boxes():
    images = np.zeros((1, 6, 6, 3))
    call = visualization.draw_bounding_boxes
    with pytest.raises(ValueError, match="must be batched 4D tensor"):
        call(images[0], boxes([0, 0, 1, 1]), "xyxy")
    with pytest.raises(TypeError, match="should be a dict"):
        call(images, [[0, 0, 1, 1]], "xyxy")
    with pytest.raises(ValueError, match="containing 'boxes' and 'labels'"):
        call(images, {"boxes": np.zeros((1, 1, 4))}, "xyxy")


# -- segments --------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("blend", [True, False])
@pytest.mark.parametrize("ignore_index", [-1, 0, 2])
@pytest.mark.parametrize("colors", [None, {i: (i * 9, i, 200) for i in range(4)}])
def test_segments_are_those_of_keras(keras, rng, alpha, blend, ignore_index, colors):
    images = rng.integers(0, 256, (2, 5, 6, 3)).astype("float32")
    classes = rng.integers(0, 5, (2, 5, 6, 1)).astype("int32")
    ours, theirs = (
        np.asarray(
            library.draw_segmentation_masks(
                images, classes, 4, colors, alpha, blend, ignore_index
            )
        )
        for library in (visualization, keras.visualization)
    )
    assert ours.dtype == theirs.dtype
    # Both round down; a value just at the border may fall on either side.
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)
    assert (ours == theirs).mean() > 0.99


def test_segments_of_all_classes_without_their_number(rng):
    images = np.zeros((1, 1, 3, 3))
    drawn = visualization.draw_segmentation_masks(
        images, np.array([[[0, 1, 2]]]), color_mapping={2: (255, 0, 0)}, alpha=1
    )
    assert drawn[0, 0].tolist() == [[0, 0, 0], [0, 0, 0], [255, 0, 0]]


def test_segments_with_channels_first(rng):
    images = rng.integers(0, 256, (1, 3, 4, 5)).astype("uint8")
    classes = rng.integers(0, 3, (1, 1, 4, 5))
    last = visualization.draw_segmentation_masks(
        images.transpose(0, 2, 3, 1), classes.transpose(0, 2, 3, 1), 3
    )
    first = visualization.draw_segmentation_masks(
        images, classes, 3, data_format="channels_first"
    )
    assert np.array_equal(first, last)


def test_what_are_no_segments():
    images, classes = np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2), int)
    with pytest.raises(ValueError, match="must be batched 4D tensor"):
        visualization.draw_segmentation_masks(images[0], classes)
    with pytest.raises(TypeError, match=r"integer dtype.*float64"):
        visualization.draw_segmentation_masks(images, classes * 1.0)


# -- galleries -------------------------------------------------------------------------


@pytest.fixture
def figure(monkeypatch):
    """Return the figure that a gallery would show, as it is shown."""
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))

    def run(function, *args, **kwargs):
        assert function(*args, **kwargs) is None
        return shown.pop()

    yield run
    plt.close("all")


def cells(figure):
    """The pixels in each cell of a figure, None where there are none."""
    return [
        np.asarray(axes.images[0].get_array()) if axes.images else None
        for axes in figure.axes
    ]


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize(
    "count, rows, cols", [(1, 1, 1), (4, 2, 2), (5, 3, 2), (10, 4, 3)]
)
def test_all_images_are_shown(figure, rng, count, rows, cols):
    images = rng.integers(0, 256, (count, 4, 5, 3)).astype("uint8")
    shown = figure(visualization.plot_image_gallery, images)
    assert shown.axes[0].get_gridspec().get_geometry() == (rows, cols)
    found = cells(shown)
    assert all(np.array_equal(a, b) for a, b in zip(found, images, strict=False))
    assert found[count:] == [None] * (rows * cols - count)


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pixels_of_other_ranges_and_forms(figure, rng, value_range, data_format):
    low, high = value_range
    pixels = rng.integers(0, 256, (2, 4, 5, 3))
    images = (pixels / 255 * (high - low) + low).astype("float32")
    if data_format == "channels_first":
        images = images.transpose(0, 3, 1, 2)
    shown = figure(
        visualization.plot_image_gallery,
        K.constant(images),
        value_range=value_range,
        data_format=data_format,
    )
    for found, true in zip(cells(shown), pixels, strict=True):
        np.testing.assert_allclose(found.astype(int), true, atol=1)


def test_labels_stand_above_images(figure):
    images = np.zeros((4, 2, 2, 1))
    shown = figure(
        visualization.plot_image_gallery,
        images,
        y_true=np.array([0, 1, 7]),
        y_pred=[1, 1, 0, 0],
        label_map={0: "cat", 1: "dog"},
    )
    assert titles(shown) == [
        "Label: cat  Pred: dog",
        "Label: dog  Pred: dog",
        "Label: Unknown  Pred: cat",
        "Pred: cat",
    ]


def test_galleries_go_to_files(tmp_path, rng):
    images = rng.integers(0, 256, (4, 8, 8, 3)).astype("uint8")
    path = tmp_path / "a.png"
    visualization.plot_image_gallery(images, path=path, dpi=50, scale=1)
    with Image.open(path) as image:
        assert min(image.size) > 50
    assert plt.get_fignums() == []


def test_boxes_in_galleries(figure, rng):
    images = rng.random((2, 30, 30, 3)).astype("float32")
    given = {
        "boxes": np.tile([[[3, 3, 20, 20]]], (2, 1, 1)),
        "labels": np.zeros((2, 1)),
    }
    other = {"boxes": given["boxes"] + 5, "labels": given["labels"]}
    shown = figure(
        visualization.plot_bounding_box_gallery,
        images,
        "xyxy",
        given,
        other,
        value_range=(0, 1),
        legend=True,
    )
    for found in cells(shown):
        assert found[3, 10].tolist() == [0, 188, 212]
        assert found[8, 15].tolist() == [255, 235, 59]
    (legend,) = shown.legends
    assert [t.get_text() for t in legend.get_texts()] == ["Ground Truth", "Prediction"]
    with pytest.raises(ValueError, match="Only pass `legend` OR"):
        visualization.plot_bounding_box_gallery(
            images, "xyxy", legend=True, legend_handles=[1]
        )


def test_segments_in_galleries(figure, rng):
    images = rng.integers(0, 256, (3, 4, 5, 3)).astype("uint8")
    true, guess = (rng.integers(0, 3, (3, 4, 5, 1)) for _ in range(2))
    shown = figure(
        visualization.plot_segmentation_mask_gallery,
        images,
        3,
        y_true=true,
        y_pred=guess,
    )
    assert shown.axes[0].get_gridspec().get_geometry() == (3, 3)
    found = cells(shown)
    for column, classes in ((1, true), (2, guess)):
        drawn = visualization.draw_segmentation_masks(images, classes, 3)
        for row in range(3):
            assert np.array_equal(found[3 * row], images[row])
            assert np.array_equal(found[3 * row + column], drawn[row])


def test_what_is_no_gallery(monkeypatch):
    images = np.zeros((1, 2, 2, 3))
    with pytest.raises(ValueError, match="batch your"):
        visualization.plot_image_gallery(images[0])
    with pytest.raises(ValueError, match="either `path` to be set, or `show`"):
        visualization.plot_image_gallery(images, path="a.png", show=True)
    with pytest.raises(ValueError, match="a `label_map` must also be provided"):
        visualization.plot_image_gallery(images, y_true=[0])
    for function in (
        visualization.plot_bounding_box_gallery,
        visualization.plot_segmentation_mask_gallery,
    ):
        with pytest.raises(ValueError, match="must be batched 4D tensor"):
            function(images[0], 3)
    importlib.import_module("matplotlib")
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[plot\]'"):
        visualization.plot_image_gallery(images)

"""Images in files and as arrays, beside Keras's functions."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from minikeras import backend as K
from minikeras import preprocessing, utils

MODES = {"rgb": 3, "rgba": 4, "grayscale": 1}


@pytest.fixture
def image(rng):
    """Random pixels, in [0, 255]."""
    return lambda channels=3, size=(7, 11): rng.integers(
        0, 256, (*size, channels)
    ).astype("uint8")


def pixels(img):
    """What a Pillow image consists of."""
    return img.mode, img.size, np.asarray(img).tolist()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
def test_images_of_arrays(keras, rng, channels, scale, data_format):
    x = rng.random((7, 11, channels)) * 200
    x = x.transpose(2, 0, 1) if data_format == "channels_first" else x
    arguments = {"data_format": data_format, "scale": scale}
    ours = utils.array_to_img(x, **arguments)
    theirs = keras.utils.array_to_img(x, **arguments)
    assert pixels(ours) == pixels(theirs)


def test_deep_gray_images_and_constant_ones(keras):
    deep = np.arange(6.0).reshape(2, 3, 1) * 1000
    assert utils.array_to_img(deep, scale=False).mode == "I"
    assert np.asarray(utils.array_to_img(np.full((2, 2, 3), 7.0))).max() == 0


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3, 1)])
def test_an_image_has_three_axes(shape):
    with pytest.raises(ValueError, match="rank 3"):
        utils.array_to_img(np.zeros(shape))
    with pytest.raises(ValueError, match="Unsupported channel number: 2"):
        utils.array_to_img(np.zeros((4, 4, 2)))
    with pytest.raises(ValueError, match="Unsupported image shape"):
        utils.img_to_array(np.zeros((1, 2, 3, 4)))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", [None, "channels_first"])
@pytest.mark.parametrize("dtype", [None, "uint8"])
def test_arrays_of_images(keras, image, channels, data_format, dtype):
    img = utils.array_to_img(image(channels), scale=False)
    ours, theirs = (
        library.img_to_array(img, data_format, dtype)
        for library in (utils, keras.utils)
    )
    assert ours.dtype == theirs.dtype
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("color_mode", MODES)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target_size": (5, 4)},
        {"target_size": (5, 4), "interpolation": "bicubic"},
        {"target_size": (9, 20), "interpolation": "lanczos"},
        {"target_size": (7, 11), "interpolation": "none"},  # its size already
        {"target_size": (5, 4), "keep_aspect_ratio": True, "interpolation": "box"},
        {"target_size": (2, 9), "keep_aspect_ratio": True, "interpolation": "hamming"},
    ],
)
def test_images_of_files(keras, image, tmp_path, color_mode, channels, options):
    path = tmp_path / "a.png"
    utils.save_img(path, image(channels), scale=False)
    for given in (str(path), path, io.BytesIO(path.read_bytes())):
        ours, theirs = (
            library.load_img(given, color_mode, **options)
            for library in (utils, keras.utils)
        )
        assert pixels(ours) == pixels(theirs)


def test_what_is_no_image_file(tmp_path, image):
    path = tmp_path / "a.png"
    utils.save_img(path, image())
    with pytest.raises(TypeError, match="path should be path-like"):
        utils.load_img(3)
    with pytest.raises(ValueError, match="color_mode must be"):
        utils.load_img(path, "cmyk")
    with pytest.raises(ValueError, match="Invalid interpolation method cubic"):
        utils.load_img(path, target_size=(2, 2), interpolation="cubic")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.bmp", "a.gif"])
def test_formats_follow_from_names(keras, image, tmp_path, name):
    data = []
    for library in (utils, keras.utils):
        library.save_img(tmp_path / name, image(1), scale=False)
        data.append((tmp_path / name).read_bytes()[:3])
    assert data[0] == data[1]


def test_what_has_no_place_in_a_format_is_left_out(image, tmp_path):
    with pytest.warns(UserWarning, match="does not support RGBA"):
        utils.save_img(tmp_path / "a.jpg", image(4))
    with Image.open(tmp_path / "a.jpg") as img:
        assert img.mode == "RGB"
    file = io.BytesIO()
    utils.save_img(file, image(3), file_format="jpg")
    assert file.getvalue()[:2] == b"\xff\xd8"


@pytest.mark.parametrize("size", [(5, 5), (14, 3)])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_smart_resize(keras, image, size, interpolation, data_format):
    for x in (image(), np.stack([image(), image()])):
        x = np.moveaxis(x, -1, -3) if data_format == "channels_first" else x
        x = x.astype("float32")
        ours, theirs = (
            np.asarray(library.image.smart_resize(x, size, interpolation, data_format))
            for library in (preprocessing, keras.preprocessing)
        )
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=1e-2)


def test_smart_resize_of_tensors_and_of_what_is_no_image(rng):
    x = K.constant(rng.random((4, 8, 3)))
    resized = preprocessing.image.smart_resize(x, (2, 2))
    assert K.eval(resized).shape == (2, 2, 3)
    with pytest.raises(ValueError, match="incorrect rank"):
        preprocessing.image.smart_resize(np.zeros((2, 2)), (2, 2))
    with pytest.raises(ValueError, match="tuple of 2 integers"):
        preprocessing.image.smart_resize(np.zeros((2, 2, 1)), (2,))
    with pytest.raises(TypeError, match="'size_'"):
        preprocessing.image.smart_resize(np.zeros((2, 2, 1)), (2, 2), size_=1)


def test_without_pillow_there_is_a_hint(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    for call in (
        lambda: utils.array_to_img(np.zeros((2, 2, 3))),
        lambda: utils.load_img(tmp_path / "a.png"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'minikeras\[images\]'"):
            call()

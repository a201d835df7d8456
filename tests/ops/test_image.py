"""Images against Keras 3 on JAX."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.ops import image

rng = np.random.default_rng(4)
IMAGES = rng.uniform(size=(2, 5, 7, 3)).astype("float32")
FIRST = np.moveaxis(IMAGES, -1, 1)

METHODS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
SIDES = ["height", "width"]


def check(name, x, *args, unknown=True, **kwargs):
    import keras

    wanted = np.asarray(getattr(keras.ops.image, name)(x, *args, **kwargs))
    ours = getattr(image, name)
    tensor = K.placeholder((None,) * x.ndim if unknown else x.shape)
    lazy = K.function([tensor], [ours(tensor, *args, **kwargs)])([x])[0]
    for found in (ours(x, *args, **kwargs), lazy):
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(10, 14), (3, 4), (8, 3)])
def test_resize(method, antialias, size):
    check("resize", IMAGES, size, method, antialias)


def test_resize_with_channels_first_and_of_one_image():
    check("resize", FIRST, (8, 9), data_format="channels_first")
    check("resize", IMAGES[0], (8, 9), "nearest")


@pytest.mark.parametrize("size", [(6, 6), (9, 4), (3, 20)])
def test_resize_keeps_proportions_if_asked_to(size):
    check("resize", IMAGES, size, crop_to_aspect_ratio=True, unknown=False)
    check(
        "resize", IMAGES, size, pad_to_aspect_ratio=True, fill_value=0.5, unknown=False
    )


def test_resize_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="bicubic"):
        image.resize(IMAGES, (3, 3), "cubic")
    with pytest.raises(ValueError, match="not both"):
        image.resize(
            IMAGES, (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
        )
    with pytest.raises(ValueError, match="constant"):
        image.resize(IMAGES, (3, 3), fill_mode="reflect")


def test_padding():
    check("pad_images", IMAGES, 1, 2, 3, 0)
    check("pad_images", IMAGES, 1, 2, target_height=9, target_width=9, unknown=False)
    check("pad_images", FIRST, 1, 2, 3, 0, data_format="channels_first")


def test_cropping():
    check("crop_images", IMAGES, 1, 2, 1, 0)
    check("crop_images", IMAGES, 1, 2, target_height=3, target_width=2)
    check("crop_images", IMAGES[0], 1, 2, 1, 0)
    check("crop_images", FIRST, 1, 2, 1, 0, data_format="channels_first")


def test_two_of_three_sizes_are_needed():
    with pytest.raises(ValueError, match="height"):
        image.crop_images(IMAGES, 1, 1, None, 1)
    with pytest.raises(ValueError, match="width"):
        image.pad_images(IMAGES, 1, 1, 1, 1, target_width=20)


def test_grayscale():
    check("rgb_to_grayscale", IMAGES)
    check("rgb_to_grayscale", FIRST, data_format="channels_first")


def test_arguments_are_those_of_keras():
    import keras

    for name in image.__all__:
        ours = inspect.signature(getattr(image, name)).parameters
        theirs = inspect.signature(getattr(keras.ops.image, name)).parameters
        assert {p.name: p.default for p in ours.values()} == {
            p.name: p.default for p in theirs.values()
        }


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_enlarging_by_whole_factors(method):
    import keras

    x = K.placeholder((None, None, None, 3))
    y = K.resize_images(x, 2, 3, "channels_last", method)
    wanted = keras.ops.image.resize(IMAGES, (10, 21), method)
    found = K.function([x], [y])([IMAGES])[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    first = K.resize_images(FIRST, 2, 3, "channels_first", method)
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), wanted, rtol=1e-5, atol=1e-6)

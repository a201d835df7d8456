"""Images against Keras 3 on JAX."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import ops
from minikeras.ops import image
from tests.oracles.gradcheck import check_gradient

rng = np.random.default_rng(4)
IMAGES = rng.uniform(size=(2, 5, 7, 3)).astype("float32")
FIRST = np.moveaxis(IMAGES, -1, 1)
BYTES = rng.integers(0, 256, (2, 5, 7, 3)).astype("uint8")
VOLUMES = rng.uniform(size=(2, 5, 6, 7, 2)).astype("float32")

AFFINE = np.array(
    [[1.2, 0.3, -1.5, -0.2, 0.9, 1.1, 0, 0], [0.5, 0, 9, 0, -1.5, 2, 0, 0]], "float32"
)
CORNERS = np.array([[[0, 0], [6, 0], [0, 4], [6, 4]]] * 2, "float32")
MOVED = CORNERS + rng.uniform(-1.5, 1.5, CORNERS.shape).astype("float32")
PLACES = rng.uniform(-9, 16, (2, 4, 6)).astype("float32")

METHODS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
LINEAR = ["nearest", "bilinear"]
FILLS = ["constant", "nearest", "wrap", "mirror", "reflect"]


def case(name, *args, layouts=True, unknown=True, tolerance=2e-5, **kwargs):
    found = [(name, args, kwargs, unknown, tolerance)]
    if layouts:
        first = np.moveaxis(args[0], -1, 1), *args[1:]
        given = {**kwargs, "data_format": "channels_first"}
        found.append((name, first, given, unknown, tolerance))
        # Keras's own layouts do not follow the default where none is given.
        kwargs["data_format"] = "channels_last"
        if args[0].ndim == 4 and not any(
            isinstance(a, np.ndarray) and len(a) == 2 for a in args[1:]
        ):
            found.append((name, (args[0][0], *args[1:]), kwargs, unknown, tolerance))
    return found


SIZES = [(10, 14), (3, 4), (8, 3)]
TABLE = [
    *(
        case("resize", IMAGES, size, method, antialias, layouts=not i, tolerance=1e-4)
        for i, size in enumerate(SIZES)
        for method in METHODS
        for antialias in (False, True)
    ),
    *(case("resize", BYTES, (8, 3), method) for method in METHODS),
    *(
        case("resize", x, size, fill_value=0.5, **{f"{how}_to_aspect_ratio": True})
        for x in (IMAGES, BYTES)
        for size in [(6, 6), (9, 4), (3, 20)]
        for how in ("crop", "pad")
    ),
    case("pad_images", IMAGES, 1, 2, 3, 0),
    case("pad_images", BYTES, 1, 2, target_height=9, target_width=9),
    case("pad_images", IMAGES, bottom_padding=1, right_padding=0, target_height=9,
         target_width=9),
    case("crop_images", IMAGES, 1, 2, 1, 0),
    case("crop_images", BYTES, 1, 2, target_height=3, target_width=2),
    case("crop_images", IMAGES, None, None, 1, 3, 3, 2),
    case("rgb_to_grayscale", IMAGES),
    case("rgb_to_grayscale", BYTES),
    case("rgb_to_grayscale", IMAGES[..., :1], unknown=False),
    case("rgb_to_hsv", IMAGES),
    case("rgb_to_hsv", np.round(IMAGES)),
    case("rgb_to_hsv", IMAGES.astype("float16"), tolerance=4e-3),
    case("hsv_to_rgb", IMAGES),
    case("hsv_to_rgb", 3 * IMAGES - 1),
    case("gaussian_blur", IMAGES, data_format="channels_last"),
    case("gaussian_blur", IMAGES, (5, 3), (0.7, 2.0), data_format="channels_last"),
    case("gaussian_blur", IMAGES, (4, 2), (1.5, 1.0), data_format="channels_last"),
    case("sobel_edges", IMAGES, layouts=False),
    case("sobel_edges", FIRST, layouts=False, data_format="channels_first"),
    *(
        case("affine_transform", x, AFFINE, method, fill, 0.5, layouts=x is IMAGES)
        for x in (IMAGES, BYTES)
        for method in LINEAR
        for fill in FILLS
    ),
    *(
        case("perspective_transform", x, CORNERS, MOVED, method, 0.5, tolerance=1e-4)
        for x in (IMAGES, BYTES)
        for method in LINEAR
    ),
    case("affine_transform", IMAGES[0], AFFINE[0], layouts=False),
    case("perspective_transform", IMAGES[0], CORNERS[0], MOVED[0], layouts=False,
         tolerance=1e-4),
    *(
        case("map_coordinates", x, PLACES, order, fill, 1.0, layouts=False)
        for x in (IMAGES[0, ..., 0], BYTES[0, ..., 0])
        for order in (0, 1)
        for fill in FILLS
    ),
    case("map_coordinates", IMAGES[0], rng.uniform(0, 3, (3, 8)), 1, layouts=False),
    *(
        case("scale_and_translate", IMAGES, (2, 8, 6, 3), scale, moved, (1, 2), method,
             antialias, layouts=False, tolerance=1e-4)
        for scale in (np.float32([1.7, 0.6]), np.float32([0.4, 2.0]))
        for moved in (np.float32([0.0, 0.0]), np.float32([1.3, -2.0]))
        for method in ("linear", "bicubic", "lanczos3", "lanczos5")
        for antialias in (False, True)
    ),
    *(
        case("extract_patches", x, (2, 3), strides, rate, padding, unknown=False)
        for x in (IMAGES, BYTES)
        for strides, rate in ((None, 1), (1, 2), ((2, 1), 1))
        for padding in ("valid", "same")
    ),
    case("extract_patches", IMAGES, 2, unknown=False),
    case("extract_patches", VOLUMES, (2, 3, 2), layouts=False, unknown=False),
    case("extract_patches_3d", VOLUMES, 2, 1, layouts=False, unknown=False),
    case("extract_patches_3d", VOLUMES[0], (2, 3, 2), layouts=False, unknown=False),
    case("ssim", rng.uniform(size=(2, 14, 12, 3)), rng.uniform(size=(2, 14, 12, 3)),
         layouts=False),
    case("ssim", IMAGES[0], IMAGES[1], 2.0, 3, 0.8, layouts=False),
    case("ssim", FIRST, FIRST**2, 1.0, 4, 1.0, 0.02, 0.01, "channels_first",
         layouts=False),
]  # fmt: skip
CASES = [each for cases in TABLE for each in cases]


def shown(x):
    return f"{x.dtype}{x.shape}" if isinstance(x, np.ndarray) else repr(x)


def ids(case):
    name, args, kwargs, *_ = case
    return f"{name}({', '.join(map(shown, [*args, *kwargs.items()]))})"


@pytest.fixture(scope="module")
def wanted():
    """What Keras returns, by case."""
    import keras

    known = {}

    def get(case):
        name, args, kwargs, *_ = case
        if id(case) not in known:
            found = getattr(keras.ops.image, name)(*args, **kwargs)
            known[id(case)] = np.asarray(found)
        return known[id(case)]

    return get


def close(found, want, kind, tolerance):
    # Keras says that the dtype stays, and JAX does not always keep to it.
    assert found.dtype == kind
    assert found.shape == want.shape
    off = np.abs(found.astype("float64") - want.astype("float64"))
    if kind == "uint8":  # a half may be rounded to either side
        assert off.max() <= 1
        assert (off > 0).mean() < 0.02
    else:
        assert (off <= tolerance * (1 + np.abs(want))).all()


def kind_of(case):
    return case[1][0].dtype


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_arrays_give_what_keras_gives(case, wanted):
    name, args, kwargs, _, tolerance = case
    found = getattr(image, name)(*args, **kwargs)
    close(found, wanted(case), kind_of(case), tolerance)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_tensors_of_unknown_sizes_give_the_same(case, wanted):
    name, args, kwargs, unknown, tolerance = case
    arrays = [a for a in args if isinstance(a, np.ndarray)]

    def stand_in(a):
        # Of small ones the shape says what they are; what is cropped on two sides must
        # be known, as in Keras.
        free = unknown and a.size > 20
        free = free and (name != "crop_images" or len(args) < 5)
        sizes = (None,) * a.ndim if free else a.shape
        if name in ("perspective_transform", "map_coordinates") and a is not args[0]:
            sizes = a.shape
        return K.placeholder(sizes, dtype=a.dtype)

    inputs = [stand_in(a) for a in arrays]
    given = iter(inputs)
    lazy = [next(given) if isinstance(a, np.ndarray) else a for a in args]
    y = getattr(image, name)(*lazy, **kwargs)
    found = K.function(inputs, [y])(arrays)[0]
    assert y.dtype == found.dtype
    assert y.spec.admits(found.shape)
    close(found, wanted(case), kind_of(case), tolerance)


def test_static_shapes():
    x = K.placeholder((None, None, 7, 3))
    assert image.resize(x, (4, 5)).shape == (None, 4, 5, 3)
    y = image.resize(x, (4, 5), pad_to_aspect_ratio=True)
    assert y.shape == (None, 4, 5, 3)
    y = image.crop_images(x, 1, 2, target_height=3, target_width=4)
    assert y.shape == (None, 3, 4, 3)
    y = image.pad_images(x, 1, 2, target_height=30, target_width=9)
    assert y.shape[2:] == (9, 3)
    assert image.affine_transform(x, AFFINE[0]).shape == (None, None, 7, 3)
    assert image.gaussian_blur(x).shape == (None, None, 7, 3)
    assert image.sobel_edges(x).shape == (None, None, 7, 3, 2)
    assert image.elastic_transform(x).shape == (None, None, 7, 3)
    assert image.extract_patches(x, 2).shape == (None, None, 3, 12)
    assert image.ssim(x, x, filter_size=3).shape == (None,)


SMOOTH = {
    "resize": lambda x: image.resize(x, (4, 9), "bicubic"),
    "pad": lambda x: image.pad_images(x, 1, 2, 3, 0),
    "crop": lambda x: image.crop_images(x, 1, 2, 1, 0),
    "gray": lambda x: image.rgb_to_grayscale(x),
    "hsv": lambda x: image.rgb_to_hsv(x),
    "rgb": lambda x: image.hsv_to_rgb(x),
    "blur": lambda x: image.gaussian_blur(x),
    "sobel": lambda x: image.sobel_edges(x),
    "affine": lambda x: image.affine_transform(x, AFFINE, fill_mode="reflect"),
    "perspective": lambda x: image.perspective_transform(x, CORNERS, MOVED),
    "patches": lambda x: image.extract_patches(x, 2),
    "ssim": lambda x: image.ssim(x, x**2, filter_size=3),
    "elastic": lambda x: image.elastic_transform(x, seed=3),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name, rng):
    check_gradient(SMOOTH[name], [IMAGES.astype("float64")], [0], rng, 1e-5)


def test_the_gradient_by_a_place(rng):
    places = rng.uniform(0.1, 3.9, (2, 6))
    x = rng.uniform(size=(5, 6))
    places += 0.05 * (np.abs(places - np.round(places)) < 0.02)
    check_gradient(
        lambda x, p: image.map_coordinates(x, p, 1), [x, places], [0, 1], rng
    )


# -- where Keras is no oracle ----------------------------------------------------------


def test_a_projection_divides(rng):
    # Keras says so, and does it on TensorFlow alone.
    transform = np.float32([1, 0.1, 0.5, 0, 1.1, 0.2, 0.05, 0.02])
    y, x = np.mgrid[:5, :7]
    k = 0.05 * x + 0.02 * y + 1
    places = np.stack([(1.1 * y + 0.2) / k, (x + 0.1 * y + 0.5) / k])
    want = image.map_coordinates(IMAGES[0, ..., 0], places, 1)
    found = image.affine_transform(IMAGES[0], transform)[..., 0]
    np.testing.assert_allclose(found, want, atol=1e-5)


def test_elastic_transform_moves_pixels_by_smooth_noise():
    # Keras moves x and y by the same noise. A ramp shows by how much pixels move.
    y, x = np.mgrid[:64, :64].astype("float32")
    ramps = np.stack([x, y], -1)[None]
    moved = image.elastic_transform(ramps, 3.0, 2.0, fill_mode="nearest", seed=1)
    moves = (moved - ramps)[0, 12:-12, 12:-12]
    again = image.elastic_transform(ramps, 3.0, 2.0, fill_mode="nearest", seed=1)
    np.testing.assert_array_equal(moved, again)
    # The standard deviation of white noise behind the filter: 1 / (2 sigma sqrt(pi)).
    np.testing.assert_allclose(moves.std((0, 1)), 3 * 2 / (4 * np.pi**0.5), rtol=0.3)
    assert abs(np.corrcoef(moves[..., 0].ravel(), moves[..., 1].ravel())[0, 1]) < 0.4
    assert np.abs(np.diff(moves, axis=0)).mean() < 0.5 * np.abs(moves).mean()
    same = image.elastic_transform(ramps, 0.0, 2.0)
    np.testing.assert_allclose(same, ramps, atol=1e-5)


def test_elastic_transform_of_one_image_and_channels_first():
    whole = image.elastic_transform(IMAGES[:1], 1.0, 1.0, seed=5)
    one = image.elastic_transform(IMAGES[0], 1.0, 1.0, seed=5)
    np.testing.assert_array_equal(one, whole[0])
    first = image.elastic_transform(
        FIRST[:1], 1.0, 1.0, seed=5, data_format="channels_first"
    )
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), whole)


@pytest.mark.parametrize("method", LINEAR)
def test_enlarging_by_whole_factors(method):
    import keras

    x = K.placeholder((None, None, None, 3))
    y = K.resize_images(x, 2, 3, "channels_last", method)
    wanted = keras.ops.image.resize(IMAGES, (10, 21), method)
    found = K.function([x], [y])([IMAGES])[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    first = K.resize_images(FIRST, 2, 3, "channels_first", method)
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), wanted, rtol=1e-5, atol=1e-6)


def test_a_homography_brings_points_to_points():
    transform = K.homography(CORNERS, MOVED)
    matrix = np.concatenate([transform, np.ones((2, 1))], 1).reshape(2, 3, 3)
    ends = np.concatenate([MOVED, np.ones((2, 4, 1))], -1)
    found = np.einsum("bij,bkj->bki", matrix, ends)
    np.testing.assert_allclose(found[..., :2] / found[..., 2:], CORNERS, atol=1e-5)


# -- errors ----------------------------------------------------------------------------

FLAT = IMAGES[0, 0]
ERRORS = [
    ("resize", (FLAT, (3, 3)), {}, "Invalid images rank"),
    ("resize", (IMAGES, (3, 3, 3)), {}, "tuple of 2 integers"),
    ("resize", (IMAGES, (0, 3)), {}, "positive height and width"),
    ("resize", (IMAGES, (3, 3), "cubic"), {}, "Invalid value for argument `interp"),
    ("resize", (IMAGES, (3, 3)), {"fill_mode": "reflect"}, "Only `'constant'`"),
    ("resize", (IMAGES, (3, 3), "nearest", False, True, True), {}, "Only one of"),
    ("rgb_to_grayscale", (FLAT,), {}, "Invalid images rank"),
    ("rgb_to_grayscale", (IMAGES[..., :2],), {}, "Invalid channel size"),
    ("rgb_to_hsv", (BYTES,), {}, "Invalid images dtype"),
    ("hsv_to_rgb", (BYTES,), {}, "Invalid images dtype"),
    ("hsv_to_rgb", (FLAT,), {}, "Invalid images rank"),
    ("affine_transform", (IMAGES, AFFINE, "cubic"), {}, "argument `interpolation`"),
    ("affine_transform", (IMAGES, AFFINE, "nearest", "?"), {}, "argument `fill_mode`"),
    ("affine_transform", (FLAT, AFFINE), {}, "Invalid images rank"),
    ("affine_transform", (IMAGES, AFFINE[None]), {}, "Invalid transform rank"),
    ("perspective_transform", (FLAT, CORNERS, MOVED), {}, "Invalid images rank"),
    ("perspective_transform", (IMAGES, AFFINE, MOVED), {}, "Invalid start_points"),
    ("perspective_transform", (IMAGES, CORNERS, AFFINE), {}, "Invalid end_points"),
    ("perspective_transform", (IMAGES, CORNERS[0], MOVED), {}, "same shape"),
    ("map_coordinates", (FLAT, PLACES[:1], 1), {}, "First dim of `coordinates`"),
    ("map_coordinates", (FLAT, PLACES[:, 0, 0], 1), {}, "Invalid coordinates rank"),
    ("map_coordinates", (FLAT, PLACES, 2), {}, "argument `order`"),
    ("map_coordinates", (FLAT, PLACES, 1, "?"), {}, "argument `fill_mode`"),
    ("elastic_transform", (IMAGES,), {"fill_mode": "?"}, "argument `fill_mode`"),
    ("scale_and_translate",
     (IMAGES, (2, 3, 3, 3), np.ones(2), np.ones(2), (1, 2), "box"), {}, "`method`"),
    ("pad_images", (IMAGES, 1, 1, None, 1), {}, "exactly two of top_padding"),
    ("pad_images", (IMAGES, 1, 1, 1, 1, None, 20), {}, "two of left_padding"),
    ("pad_images", (IMAGES, -1, 1, 1, 1), {}, "top_padding must be >= 0"),
    ("pad_images", (IMAGES, 1, 1, None, 1, 5), {}, "bottom_padding must be >= 0"),
    ("crop_images", (IMAGES, 1, 1, None, 1), {}, "exactly two of top_cropping"),
    ("crop_images", (IMAGES, 1, -2, 1, 1), {}, "left_cropping must be >= 0"),
    ("ssim", (FLAT, IMAGES), {}, "Invalid image1 rank"),
    ("ssim", (IMAGES, FLAT), {}, "Invalid image2 rank"),
    ("extract_patches", (IMAGES, (2,)), {}, "length 2 or 3"),
]  # fmt: skip


@pytest.mark.parametrize("name, args, kwargs, message", ERRORS)
def test_what_is_wrong_is_said_as_keras_says_it(name, args, kwargs, message):
    import keras

    for room in (image, keras.ops.image):
        with pytest.raises(ValueError, match=message):
            getattr(room, name)(*args, **kwargs)


def test_edges_are_those_of_a_batch():
    with pytest.raises(ValueError, match="expected rank 4"):
        image.sobel_edges(IMAGES[0])


def test_patches_have_a_size():
    with pytest.raises(TypeError, match="Expected an int or a tuple"):
        image.extract_patches(IMAGES, 2.5)


def test_every_function_has_a_case():
    import keras

    tested = {name for name, *_ in CASES} | {"elastic_transform"}
    theirs = {name for name in dir(keras.ops.image) if name[0] != "_"}
    assert theirs == tested == set(image.__all__)


def test_arguments_are_those_of_keras():
    import keras

    for name in image.__all__:
        ours = inspect.signature(getattr(image, name)).parameters
        theirs = inspect.signature(getattr(keras.ops.image, name)).parameters
        assert [(p.name, p.default) for p in ours.values()] == [
            (p.name, p.default) for p in theirs.values()
        ]


def test_variables_count_as_their_values():
    v = K.Variable(IMAGES)
    found = ops.image.resize(v, (3, 3))
    np.testing.assert_array_equal(found, image.resize(IMAGES, (3, 3)))

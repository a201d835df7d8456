"""Folders of images, texts and sounds as batches.

Keras needs TensorFlow for them; what it needs none for, which files there are, in which
order, and how they are split, is compared with Keras here. Numbers that TensorFlow 2.21
computed stand in the tests.
"""

import importlib
import os
import sys
import wave

import numpy as np
import pytest
from PIL import Image

import minikeras
from minikeras import utils
from minikeras.utils import image_folders
from minikeras.utils.directories import index_directory

KINDS = {
    "image": (utils.image_dataset_from_directory, ".png", {"image_size": (3, 2)}),
    "text": (utils.text_dataset_from_directory, ".txt", {}),
    "audio": (utils.audio_dataset_from_directory, ".wav", {}),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def write(path, number, kind):
    """Write a file that can be told from others by its number."""
    if kind == "image":
        Image.fromarray(np.full((4, 5, 3), number, "uint8")).save(path)
    elif kind == "text":
        path.write_text(f"text {number}")
    else:
        write_sound(path, np.full((number % 4 + 2, 1), number / 128))


def write_sound(path, sound, width=2, rate=1000):
    whole = np.round(sound * 2.0 ** (8 * width - 1)).astype(int)
    whole = whole + (128 if width == 1 else 0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(
            b"".join(
                int(n).to_bytes(width, "little", signed=width > 1)
                for n in whole.ravel()
            )
        )


@pytest.fixture
def folder(tmp_path):
    """Make a folder of `kind`: classes a, b, c with 5, 4, 3 files, some deeper down."""

    def make(kind, classes="abc"):
        suffix, number = KINDS[kind][1], 0
        for name, count in zip(classes, (5, 4, 3), strict=False):
            (tmp_path / name / "deeper").mkdir(parents=True)
            for i in range(count):
                place = tmp_path / name / ("deeper" if i % 2 else "")
                write(place / f"{9 - i}{suffix}", number, kind)
                number += 1
        (tmp_path / "a" / "notes.md").write_text("no sample")
        (tmp_path / ".hidden").mkdir()
        return tmp_path

    return make


def number_of(sample):
    """The number that a sample was written with."""
    if isinstance(sample, str):
        return int(sample.split()[1])
    if sample.shape[-1] == 3:
        return round(float(sample.ravel()[0]))
    return round(float(sample.ravel()[0] * 128))


def numbers_in(dataset):
    """The numbers of all samples of one pass, and their labels."""
    found = [(number_of(x), int(y)) for xs, ys in dataset for x, y in zip(xs, ys)]  # noqa: B905
    return dict(found)


# -- files, labels, subsets ------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "labels, class_names",
    [
        ("inferred", None),
        ("inferred", ["c", "a"]),
        (None, None),
        (list(range(12)), None),
    ],
)
def test_files_are_found_as_keras_finds_them(
    keras, folder, labels, class_names, shuffle, capsys
):
    theirs = importlib.import_module("keras.src.utils.dataset_utils").index_directory
    root = str(folder("text"))
    found = []
    for index in (index_directory, theirs):
        given = list(labels) if isinstance(labels, list) else labels
        paths, marks, names = index(
            root, given, (".txt",), class_names, shuffle=shuffle, seed=3
        )
        marks = None if marks is None else list(map(int, marks))
        found.append((paths, marks, names, capsys.readouterr().out))
    assert found[0] == found[1]


@pytest.mark.parametrize("subset", ["training", "validation"])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_subsets_are_those_of_keras(keras, folder, subset, share, capsys):
    theirs = importlib.import_module("keras.src.utils.dataset_utils")
    root = str(folder("text"))
    ours = utils.text_dataset_from_directory(
        root, validation_split=share, subset=subset, seed=5
    )
    said = capsys.readouterr().out
    paths, labels, names = theirs.index_directory(
        root, "inferred", (".txt",), shuffle=True, seed=5
    )
    paths, _ = theirs.get_training_or_validation_split(paths, labels, share, subset)
    assert ours.file_paths == paths
    assert ours.class_names == names
    assert said == capsys.readouterr().out


@each_kind
def test_both_subsets_are_all_files(folder, kind):
    read, _, options = KINDS[kind]
    both = read(folder(kind), subset="both", validation_split=0.25, seed=1, **options)
    assert type(both) is (tuple if kind == "audio" else list)  # as in Keras
    training, validation = map(numbers_in, both)
    assert len(training) == 9
    assert len(validation) == 3
    true = dict(enumerate([0] * 5 + [1] * 4 + [2] * 3))
    assert training | validation == true
    assert list(numbers_in(both[1])) == list(numbers_in(both[1]))  # not shuffled


@each_kind
@pytest.mark.parametrize("mode", ["int", "categorical", "binary", None])
def test_labels_have_the_form_wanted(folder, kind, mode):
    read, _, options = KINDS[kind]
    classes = "ab" if mode == "binary" else "abc"
    data = read(
        folder(kind, classes), label_mode=mode, batch_size=4, shuffle=False, **options
    )
    first, *_ = data
    assert len(data) == 3
    assert data.class_names == (list(classes) if mode else None)
    if mode is None:
        assert len(first) == 4
        return
    _, y = first
    shape, dtype = {
        "int": ((4,), "int32"),
        "categorical": ((4, 3), "float32"),
        "binary": ((4, 1), "float32"),
    }[mode]
    assert y.shape == shape
    assert y.dtype == dtype
    assert y.reshape(4, -1)[:, 0].tolist() == [float(mode == "categorical")] * 4


@each_kind
def test_each_pass_has_an_order_of_its_own(folder, kind):
    read, _, options = KINDS[kind]
    root = folder(kind)
    data = read(root, seed=3, batch_size=5, **options)
    again = read(root, seed=3, batch_size=5, **options)
    first, second = list(numbers_in(data)), list(numbers_in(data))
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert [list(numbers_in(again)), list(numbers_in(again))] == [first, second]
    in_order = read(root, shuffle=False, batch_size=5, **options)
    assert list(numbers_in(in_order)) == list(numbers_in(in_order))


def test_the_global_seed_is_the_seed_of_an_order(folder):
    root, orders = folder("text"), []
    for seed in (1, 1, 2):
        utils.set_random_seed(seed)
        orders.append(list(numbers_in(utils.text_dataset_from_directory(root))))
    assert orders[0] == orders[1] != orders[2]


@each_kind
def test_samples_one_by_one(folder, kind):
    read, _, options = KINDS[kind]
    data = read(folder(kind), batch_size=None, shuffle=False, **options)
    assert len(data) == 12
    x, y = next(iter(data))
    assert y == 0
    assert number_of(x) in range(5)


@each_kind
@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"labels": "other"}, "`labels` argument should be a list/tuple"),
        ({"labels": [0], "class_names": ["a"]}, "only pass `class_names` if"),
        ({"labels": [0, 1]}, "Expected the lengths of `labels` to match the number of"),
        ({"labels": None, "class_names": ["a"]}, "`class_names` cannot be specified"),
        ({"label_mode": "other"}, "`label_mode` argument must be one of"),
        ({"label_mode": "binary"}, "there must be exactly 2"),
        ({"class_names": ["a", "z"]}, "`class_names` passed did not match"),
        ({"validation_split": 2}, "`validation_split` must be between 0 and 1"),
        ({"validation_split": 0.2}, "`validation_split` must be set, and inversely"),
        ({"subset": "both"}, "`validation_split` must be set, and inversely"),
        (
            {"validation_split": 0.2, "subset": "x"},
            '`subset` must be either "training"',
        ),
        ({"validation_split": 0.2, "subset": "both"}, "must provide a `seed` argument"),
    ],
)
def test_arguments_must_go_together(folder, kind, kwargs, message):
    read, _, options = KINDS[kind]
    with pytest.raises(ValueError, match=message):
        read(folder(kind), **options, **kwargs)


@each_kind
def test_a_folder_without_samples(tmp_path, kind):
    read, _, options = KINDS[kind]
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="found in directory"):
        read(tmp_path, **options)


def test_links_are_followed_only_if_wanted(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere / "x.txt", 99, "text")
    root = folder("text")
    os.symlink(elsewhere, root / "a" / "link")
    for follow in (False, True):
        data = utils.text_dataset_from_directory(root, follow_links=follow)
        assert data.size == 12 + follow


# -- images ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "color_mode, channels", [("rgb", 3), ("rgba", 4), ("grayscale", 1)]
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images_have_the_shape_wanted(folder, color_mode, channels, data_format):
    data = utils.image_dataset_from_directory(
        folder("image"),
        image_size=(3, 2),
        color_mode=color_mode,
        data_format=data_format,
        batch_size=5,
    )
    shape = (5, 3, 2, channels)
    if data_format == "channels_first":
        shape = (5, channels, 3, 2)
    x, _ = next(iter(data))
    assert x.shape == shape
    assert x.dtype == "float32"


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"color_mode": "cmyk"}, "`color_mode` must be one of"),
        ({"image_size": (1, 2, 3)}, "Invalid `image_size` value"),
        ({"interpolation": "cubic"}, "Argument `interpolation` should be one of"),
        ({"format": "torch"}, '`format` should be either "tf" or "grain"'),
        (
            {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
            "Only one of `pad_to_aspect_ratio`",
        ),
    ],
)
def test_arguments_for_images(folder, kwargs, message):
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(folder("image"), **kwargs)


# What tf.image.resize makes of the identity matrix of five rows; the upper half.
TENSORFLOW = {
    ("area", 3): [[0.6, 0.4, 0, 0, 0], [0, 0.2, 0.6, 0.2, 0]],
    ("area", 7): [
        [1, 0, 0, 0, 0],
        [0.4, 0.6, 0, 0, 0],
        [0, 0.8, 0.2, 0, 0],
        [0, 0, 1, 0, 0],
    ],
    ("gaussian", 3): [
        [0.6224, 0.3374, 0.0361, 0, 0],
        [0.0127, 0.1676, 0.642, 0.1676, 0.0127],
    ],
    ("gaussian", 7): [
        [0.8267, 0.1548, 0.0076, 0, 0],
        [0.4398, 0.4897, 0.0708, 0.0015, 0],
        [0.1071, 0.5702, 0.3002, 0.0308, 0],
        [0.0127, 0.1676, 0.642, 0.1676, 0.0127],
    ],
    ("mitchellcubic", 3): [
        [0.6665, 0.3344, -0.0009, -0.0012, 0],
        [0.0033, 0.0988, 0.7963, 0.0988, 0.0033],
    ],
    ("mitchellcubic", 7): [
        [0.9412, 0.0556, 0, 0, 0],
        [0.4492, 0.5515, 0.0018, -0.002, 0],
        [0.0176, 0.6839, 0.3018, 0.0002, -0.0011],
        [0.0033, 0.0988, 0.7963, 0.0988, 0.0033],
    ],
}


@pytest.mark.parametrize("method, rows", TENSORFLOW)
def test_weights_are_those_of_tensorflow(method, rows):
    unit = np.eye(5, dtype="float32")[..., None]
    resized = image_folders.resized(unit, (rows, 5), method, "")[..., 0]
    half = TENSORFLOW[method, rows]
    np.testing.assert_allclose(resized[: len(half)], half, atol=1e-4)
    np.testing.assert_allclose(resized, resized[::-1, ::-1], atol=1e-6)


def test_padding_is_that_of_tensorflow():
    image = np.arange(24, dtype="float32").reshape(4, 6, 1)
    padded = image_folders.resized(image, (5, 4), "bilinear", "pad")[..., 0]
    # tf.image.resize_with_pad
    between = [[3.25, 4.75, 6.25, 7.75], [15.25, 16.75, 18.25, 19.75]]
    np.testing.assert_allclose(padded, [[0] * 4, *between, [0] * 4, [0] * 4])


@pytest.mark.parametrize(
    "method", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("size", [(7, 30)])
@pytest.mark.parametrize("crop", [True, False])
def test_sizes_are_changed_as_keras_does(keras, rng, method, size, crop):
    image = rng.random((11, 16, 3)).astype("float32")
    ours = image_folders.resized(image, size, method, "crop" if crop else "")
    theirs = keras.ops.image.resize(image, size, method, crop_to_aspect_ratio=crop)
    np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)


@pytest.mark.parametrize("method", ["area", "gaussian", "mitchellcubic"])
@pytest.mark.parametrize("size", [(3, 2), (4, 5), (9, 11)])
def test_constant_images_stay_constant(method, size):
    image = np.full((4, 5, 2), 7, "float32")
    for fit in ("", "crop"):
        resized = image_folders.resized(image, size, method, fit)
        assert resized.shape == (*size, 2)
        assert resized.dtype == "float32"
        np.testing.assert_allclose(resized, 7, rtol=1e-6)


def test_area_is_the_mean_of_what_a_pixel_covers(rng):
    image = rng.random((6, 4, 1)).astype("float32")
    resized = image_folders.resized(image, (3, 2), "area", "")
    means = image.reshape(3, 2, 2, 2, 1).mean((1, 3))
    np.testing.assert_allclose(resized, means, rtol=1e-6)


def test_padding_is_black_and_centered():
    image = np.full((2, 8, 1), 9, "float32")
    padded = image_folders.resized(image, (4, 4), "bilinear", "pad")[..., 0]
    assert padded.tolist() == [[0] * 4, [9] * 4, [0] * 4, [0] * 4]


def test_models_train_on_folders(folder):
    data = utils.image_dataset_from_directory(
        folder("image"), image_size=(3, 2), batch_size=5, seed=0
    )
    model = minikeras.Sequential(
        [
            minikeras.layers.Rescaling(1 / 255),
            minikeras.layers.Flatten(),
            minikeras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert len(model.fit(data, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(data.map(lambda x, y: x), verbose=0).shape == (12, 3)
    assert np.isfinite(model.evaluate(data.take(1), verbose=0))


# -- texts -----------------------------------------------------------------------------


def test_texts_are_strings_as_they_are_in_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_bytes("é\r\nz".encode())
    (tmp_path / "a" / "2.txt").write_bytes(b"\xff!")
    data = utils.text_dataset_from_directory(tmp_path, label_mode=None, shuffle=False)
    (batch,) = data
    assert batch.dtype == object
    assert batch.tolist() == ["é\r\nz", "\ufffd!"]
    short = utils.text_dataset_from_directory(tmp_path, label_mode=None, max_length=1)
    assert sorted(next(iter(short))) == ["é", "\ufffd"]


def test_vocabularies_are_made_of_folders(folder):
    layer = minikeras.layers.TextVectorization()
    layer.adapt(utils.text_dataset_from_directory(folder("text"), label_mode=None))
    assert {"text", "0", "11"} <= set(layer.get_vocabulary())


# -- sounds ----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_sounds_of_all_depths(tmp_path, width):
    sound = np.array([[0.0, 0.5], [-1.0, 0.25], [-0.5, 0.75]])
    (tmp_path / "a").mkdir()
    write_sound(tmp_path / "a" / "1.wav", sound, width)
    (batch,) = utils.audio_dataset_from_directory(tmp_path, label_mode=None)
    assert batch.dtype == "float32"
    assert batch.tolist() == [sound.tolist()]


def test_sounds_of_other_lengths(folder):
    root = folder("audio")
    read = utils.audio_dataset_from_directory
    options = {"label_mode": None, "shuffle": False, "batch_size": 12}
    (padded,) = read(root, **options)
    (cut,) = read(root, output_sequence_length=3, **options)
    (ragged,) = read(root, ragged=True, **options)
    assert padded.shape == (12, 5, 1)
    assert cut.shape == (12, 3, 1)
    lengths = [len(sound) for sound in ragged]
    assert lengths == [number_of(sound) % 4 + 2 for sound in ragged]
    for sound, same, short in zip(ragged, padded, cut, strict=True):
        assert np.array_equal(same[: len(sound)], sound)
        assert not same[len(sound) :].any()
        assert np.array_equal(short[: min(len(sound), 3)], sound[:3])


def test_sounds_at_another_rate(tmp_path):
    time = np.arange(800) / 800
    (tmp_path / "a").mkdir()
    tone = 0.5 * np.sin(2 * np.pi * 20 * time)[:, None]
    write_sound(tmp_path / "a" / "1.wav", tone, rate=800)
    ((sound,),) = utils.audio_dataset_from_directory(
        tmp_path, label_mode=None, sampling_rate=1200
    )
    assert sound.shape == (1200, 1)
    expected = 0.5 * np.sin(2 * np.pi * 20 * np.arange(1200) / 1200)
    np.testing.assert_allclose(sound[100:-100, 0], expected[100:-100], atol=5e-3)


def test_arguments_for_sounds(folder, monkeypatch, tmp_path):
    root, read = folder("audio"), utils.audio_dataset_from_directory
    with pytest.raises(ValueError, match="Cannot set both `ragged` and"):
        read(root, ragged=True, output_sequence_length=3)
    with pytest.raises(ValueError, match="should have an integer value"):
        read(root, sampling_rate=1.5)
    with pytest.raises(ValueError, match="should be higher than 0"):
        read(root, sampling_rate=-1)
    (root / "a" / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"bad\.wav is no sound"):
        list(read(root))
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    with pytest.raises(ImportError, match="argument `sampling_rate` requires scipy"):
        read(root, sampling_rate=10)


# -- Grain -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["image", "text"])
def test_samples_in_grains_form(folder, kind):
    pytest.importorskip("grain")
    read, _, options = KINDS[kind]
    data = read(folder(kind), format="grain", batch_size=5, seed=0, **options)
    assert data.class_names == ["a", "b", "c"]
    found = numbers_in(data)
    assert found == dict(enumerate([0] * 5 + [1] * 4 + [2] * 3))


def test_without_grain_there_is_a_hint(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[grain\]'"):
        utils.text_dataset_from_directory(folder("text"), format="grain")

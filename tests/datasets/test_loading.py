"""Data sets out of files of the true forms, beside what Keras makes of these files."""

import gzip
import importlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import datasets
from minikeras.datasets import npz, sources
from minikeras.datasets.downloads import DownloadError
from minikeras.saving.limits import CorruptFileError, ModelFileError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache; no folders of the system; hashes are not looked at."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sources, "SYSTEM_FOLDERS", [str(tmp_path / "system")])
    monkeypatch.setattr(sources, "validate_file", lambda *_: True)
    folder = tmp_path / "home" / "datasets"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def both(home, keras, monkeypatch):
    """Return what a function of ours and Keras's make of the files in the cache."""

    def run(room, function="load_data", **kwargs):
        theirs = importlib.import_module(f"keras.src.datasets.{room}")
        monkeypatch.setattr(
            theirs,
            "get_file",
            lambda fname=None, cache_subdir="datasets", **_: str(
                home.parent / cache_subdir / fname
            ),
        )
        ours = getattr(importlib.import_module(f"minikeras.datasets.{room}"), function)
        return ours(**kwargs), getattr(theirs, function)(**kwargs)

    return run


def same(ours, theirs):
    """Whether two pairs of pairs of arrays are the same, dtypes included."""
    for mine, other in zip(sum(ours, ()), sum(theirs, ()), strict=True):
        assert mine.dtype == other.dtype
        assert mine.shape == other.shape
        assert np.array_equal(mine, other)


# -- numbers and images ----------------------------------------------------------------


@pytest.mark.parametrize("kwargs", [{}, {"test_split": 0.5, "seed": 3}])
def test_boston_housing(home, both, rng, kwargs):
    np.savez(home / "boston_housing.npz", x=rng.random((9, 13)), y=rng.random(9))
    same(*both("boston_housing", **kwargs))


@pytest.mark.parametrize("kwargs", [{}, {"version": "small", "test_split": 0.0}])
def test_california_housing(home, both, rng, kwargs):
    np.savez(home / "california_housing.npz", x=rng.random((700, 8)), y=rng.random(700))
    same(*both("california_housing", **kwargs))


def test_arguments_of_houses_are_checked(home):
    for room in (datasets.boston_housing, datasets.california_housing):
        with pytest.raises(ValueError, match=r"Invalid `test_split` argument: 1\.0"):
            room.load_data(test_split=1.0)
    with pytest.raises(ValueError, match="must be one of 'small', 'large'"):
        datasets.california_housing.load_data("middle")


def test_mnist(home, both, rng):
    parts = {
        f"{name}_{part}": rng.integers(0, 10, shape).astype("uint8")
        for part, n in (("train", 6), ("test", 2))
        for name, shape in (("x", (n, 28, 28)), ("y", n))
    }
    np.savez(home / "mnist.npz", **parts)
    same(*both("mnist"))


def write_idx(folder, part, images, labels):
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        head = bytes((0, 0, 8, array.ndim))
        head += b"".join(n.to_bytes(4, "big") for n in array.shape)
        with gzip.open(folder / f"{part}-{kind}-ubyte.gz", "wb", 1) as file:
            file.write(head + array.tobytes())


def test_fashion_mnist(home, both, rng):
    folder = home / "fashion-mnist"
    folder.mkdir()
    for part, n in (("train", 60000), ("t10k", 10000)):
        images = np.resize(rng.integers(0, 256, 5000).astype("uint8"), (n, 28, 28))
        write_idx(folder, part, images, rng.integers(0, 10, n).astype("uint8"))
    same(*both("fashion_mnist"))
    file = folder / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes())[:-1]))
    with pytest.raises(CorruptFileError, match="t10k-labels-idx1"):
        datasets.fashion_mnist.load_data()


@pytest.mark.skipif(not DEBIAN.exists(), reason="needs Debian's dataset-fashion-mnist")
def test_a_package_of_the_system_has_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (x, y), (x_test, y_test) = datasets.fashion_mnist.load_data()
    assert x.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert np.bincount(y).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
    # Published with the data: mean and deviation of the pixels, as shares of 255.
    assert round(x.mean() / 255, 4) == 0.2860
    assert round(x.std() / 255, 4) == 0.3530


class Python2(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, and arrays as NumPy 1 did."""

    dispatch: ClassVar = {
        **pickle._Pickler.dispatch,
        bytes: lambda self, text: self.write(
            pickle.BINSTRING + len(text).to_bytes(4, "little") + text
        ),
    }


def write_batch(path, images, **labels):
    """Write a file as CIFAR's authors did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = {b"data": images, b"batch_label": b"a batch"}
    batch |= {key.encode(): value for key, value in labels.items()}
    file = io.BytesIO()
    Python2(file, protocol=2).dump(batch)
    old = file.getvalue().replace(b"cnumpy._core.", b"cnumpy.core.")
    path.write_bytes(old)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar10(home, both, rng, data_format, keras, monkeypatch):
    folder = home / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        images = np.resize(rng.integers(0, 256, 9999), (10000, 3072)).astype("uint8")
        write_batch(folder / name, images, labels=rng.integers(0, 10, 10000).tolist())
    before = K.image_data_format()
    for backend in (K, keras.backend):
        backend.set_image_data_format(data_format)
    try:
        same(*both("cifar10"))
    finally:
        for backend in (K, keras.backend):
            backend.set_image_data_format(before)


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100(home, both, rng, mode):
    folder = home / "cifar-100-python-target" / "cifar-100-python"
    for name, n in (("train", 7), ("test", 3)):
        write_batch(
            folder / name,
            rng.integers(0, 256, (n, 3072)).astype("uint8"),
            fine_labels=rng.integers(0, 100, n).tolist(),
            coarse_labels=rng.integers(0, 20, n).tolist(),
        )
    same(*both("cifar100", label_mode=mode))
    with pytest.raises(ValueError, match="`label_mode` must be one of"):
        datasets.cifar100.load_data("medium")


# -- texts -----------------------------------------------------------------------------


def texts(rng, count):
    """Lists of numbers of words, of different lengths."""
    found = np.empty(count, dtype=object)
    found[:] = [rng.integers(1, 50, n).tolist() for n in rng.integers(3, 12, count)]
    return found


TEXT_CASES = [
    {},
    {"num_words": 20},
    {"num_words": 20, "skip_top": 5, "seed": 1},
    {"oov_char": None, "num_words": 30},
    {"start_char": None},
    {"start_char": None, "index_from": 0},
    {"maxlen": 8},
    {"start_char": 7, "oov_char": 8, "index_from": 9, "num_words": 40},
]


@pytest.mark.parametrize("kwargs", TEXT_CASES)
def test_imdb(home, both, rng, kwargs):
    parts = {"x_train": texts(rng, 30), "x_test": texts(rng, 20)}
    labels = {"y_train": rng.integers(0, 2, 30), "y_test": rng.integers(0, 2, 20)}
    np.savez(home / "imdb.npz", **parts, **labels)
    same(*both("imdb", **kwargs))


def test_imdb_must_keep_something(home, rng):
    x, y = texts(rng, 5), np.zeros(5, int)
    np.savez(home / "imdb.npz", x_train=x, x_test=x, y_train=y, y_test=y)
    with pytest.raises(ValueError, match="Increase maxlen"):
        datasets.imdb.load_data(maxlen=2)
    with pytest.warns(UserWarning, match="nb_words"):
        datasets.imdb.load_data(nb_words=3)


@pytest.mark.parametrize("kwargs", [*TEXT_CASES, {"test_split": 0.5}])
def test_reuters(home, both, rng, kwargs):
    np.savez(home / "reuters.npz", x=texts(rng, 40), y=rng.integers(0, 46, 40))
    same(*both("reuters", **kwargs))


@pytest.mark.parametrize("room", ["imdb", "reuters"])
def test_indices_of_words(home, both, room):
    (home / f"{room}_word_index.json").write_text(json.dumps({"the": 1, "é": 2}))
    ours, theirs = both(room, "get_word_index")
    assert ours == theirs == {"the": 1, "é": 2}


def test_names_of_topics(keras):
    ours = datasets.reuters.get_label_names()
    assert ours == keras.datasets.reuters.get_label_names()


# -- where files come from -------------------------------------------------------------


def test_a_file_of_the_system_will_do(home, tmp_path, rng):
    folder = tmp_path / "system" / "reuters"
    folder.mkdir(parents=True)
    np.savez(folder / "reuters.npz", x=texts(rng, 5), y=np.arange(5))
    (x, _), _ = datasets.reuters.load_data()
    assert len(x) == 4


@pytest.mark.parametrize(
    "room, file",
    [
        (datasets.mnist, "mnist.npz"),
        (datasets.cifar10, "cifar-10-python.tar.gz"),
        (datasets.fashion_mnist, "train-images-idx3-ubyte.gz"),
        (datasets.imdb, "imdb.npz"),
    ],
)
def test_an_error_names_all_places(room, file, home, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise DownloadError("URL fetch failure on it: None -- no network")

    monkeypatch.setattr(sources, "get_file", fail)
    with pytest.raises(DownloadError) as error:
        room.load_data()
    message = str(error.value)
    for part in (str(home), str(tmp_path / "system"), file, "https://", "no network"):
        assert part in message


def test_another_file_of_the_same_name_is_not_taken(home, tmp_path, monkeypatch, rng):
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(home.parent))
    np.savez(home / "mnist.npz", x_train=np.zeros(3))
    monkeypatch.setattr(sources, "SYSTEM_FOLDERS", [])
    monkeypatch.setattr(
        sources, "get_file", lambda *_, **__: (_ for _ in ()).throw(DownloadError("x"))
    )
    with pytest.raises(DownloadError, match="is another file: its hash is not 731c5ac"):
        datasets.mnist.load_data()


# -- what a file may do ----------------------------------------------------------------


class Payload:
    """What runs a function when it is read from a pickle."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def payloads(marker):
    """Pickles that would touch a file, or that ask for more than arrays."""
    text = f"open({str(marker)!r}, 'w').close()"
    return {
        "os.system": Payload(os.system, f"touch {marker}"),
        "eval": Payload(eval, text),
        "exec": Payload(exec, text),
        "open": Payload(open, str(marker), "w"),
        "import": Payload(importlib.import_module, "antigravity"),
        "getattr": Payload(getattr, "", "join"),
        "numpy's loader": Payload(np.load, str(marker)),
        "numpy.memmap": Payload(np.memmap, str(marker), "uint8", "w+", 0, (4,)),
        "a class": Payload(Path, "a"),
    }


@pytest.mark.parametrize("name", payloads(Path("m")))
@pytest.mark.parametrize("where", ["npz", "cifar"])
def test_a_pickle_runs_no_code(name, where, tmp_path):
    marker = tmp_path / "marker"
    payload = payloads(marker)[name]
    if where == "npz":
        array = np.empty(1, dtype=object)
        array[0] = payload
        np.savez(tmp_path / "evil.npz", x=array)
        with pytest.raises(pickle.UnpicklingError, match="Refusing to load"):
            npz.load_npz(tmp_path / "evil.npz")
    else:
        write_batch(tmp_path / "evil", np.zeros((1, 3072), "uint8"), labels=payload)
        with pytest.raises(pickle.UnpicklingError, match="Refusing to load"):
            datasets.cifar.load_batch(str(tmp_path / "evil"))
    assert not marker.exists()


def test_a_pickle_does_not_ask_for_memory():
    huge = (np._core.multiarray._reconstruct, (np.ndarray, (1 << 40,), b"b"))

    class Huge:
        def __reduce__(self):
            return huge

    file = io.BytesIO(pickle.dumps(Huge()))
    with pytest.raises(pickle.UnpicklingError, match="Refusing to make an array"):
        npz.RestrictedUnpickler(file).load()


def test_a_small_file_does_not_become_a_huge_array(tmp_path, monkeypatch):
    monkeypatch.setattr("minikeras.saving.limits.FLOOR", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", bytes(32 << 20))
    with pytest.raises(ModelFileError, match="decompression bomb"):
        npz.load_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_arrays_are_read_as_any_unpickler_reads_them(protocol, rng):
    for array in (
        np.arange(6, dtype=">i4").reshape(2, 3),
        rng.random((2, 2)),
        np.array([[1, 2], None, "a"], dtype=object),
        np.array(["a", "bc"]),
    ):
        # Protocol 5 has a short form of its own for arrays in one piece.
        data = pickle.dumps(array[::-1], protocol)
        read = npz.RestrictedUnpickler(io.BytesIO(data)).load()
        expected = pickle.loads(data)
        assert read.dtype == expected.dtype
        assert read.tolist() == expected.tolist()

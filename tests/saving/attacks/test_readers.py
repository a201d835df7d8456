"""Hostile files of data, arrays, records, images; each has a twin that is read."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minikeras import utils
from minikeras.cli.arrays import read_arrays
from minikeras.datasets import fashion_mnist, npz
from minikeras.saving import CorruptFileError
from minikeras.tensorboard.events import EventWriter, read_events
from minikeras.tensorboard.records import _masked, read_records, record

MOST = 64 << 20  # bytes that a reader may take


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


class Payload:
    """Touches a file where somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


# -- arrays (X12, D08, D21) ------------------------------------------------------------


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    path, marker = tmp_path / "x.npy", tmp_path / "marker"
    np.save(path, np.array([Payload(marker), 1], object))
    with pytest.raises(ValueError, match="cannot be read"):
        read_arrays(str(path))
    np.savez(tmp_path / "x.npz", x=np.array([Payload(marker), 1], object))
    with pytest.raises(ValueError, match="cannot be read"):
        read_arrays(str(tmp_path / "x.npz"))
    assert not marker.exists()
    np.save(path, np.arange(3.0))
    np.testing.assert_array_equal(read_arrays(str(path)), np.arange(3.0))


def declaring(shape: tuple[int, ...]) -> bytes:
    """An ``.npy`` file of three numbers that declares a shape."""
    file = io.BytesIO()
    head = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)
    return file.getvalue() + np.ones(3, "float32").tobytes()


@pytest.mark.parametrize("size", [4, 2**31, 2**50, 2**62])
def test_an_array_has_what_it_declares(size: int, tmp_path: Path) -> None:
    for read in (read_array, read_data_set):
        assert read(tmp_path, declaring((3,))).shape == (3,)
        with little_memory(), pytest.raises(ValueError, match=r"read|declares|bytes"):
            read(tmp_path, declaring((size,)))


def read_array(folder: Path, data: bytes) -> Any:
    (folder / "x.npy").write_bytes(data)
    return read_arrays(str(folder / "x.npy"))


def read_data_set(folder: Path, data: bytes) -> Any:
    with zipfile.ZipFile(folder / "x.npz", "w") as archive:
        archive.writestr("x.npy", data)
    return npz.load_npz(folder / "x.npz")["x"]


# -- records (D20) ---------------------------------------------------------------------


def lying(length: int) -> bytes:
    """A record that is none, but has the right checksum for this length."""
    head = struct.pack("<Q", length)
    return head + _masked(head) + b"short"


@pytest.mark.parametrize("length", [100, 2**31, 2**40, 2**63, 2**64 - 1])
def test_a_record_is_no_longer_than_its_file(length: int) -> None:
    honest = record(b"honest")
    with little_memory():
        found = list(read_records(io.BytesIO(honest + lying(length))))
    assert found == [b"honest"]


@pytest.mark.parametrize("place", [0, 8, 12, -1])
def test_a_record_with_a_wrong_checksum_is_refused(place: int, tmp_path: Path) -> None:
    with EventWriter(tmp_path) as writer:
        writer.scalar("loss", 0.5, step=1)
    path = Path(writer.path)
    assert len(list(read_events(path))) == 2
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="checksum"):
        list(read_events(path))


# -- names of runs and tags (W10) ------------------------------------------------------


@pytest.mark.parametrize("tag", ["loss", "../up", "/absolute", "a\0b", "..", "C:up"])
def test_a_tag_is_no_path(tag: str, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "run"
    with EventWriter(folder) as writer:
        writer.scalar(tag, 0.5, step=1)
        writer.text(tag, "text", step=1)
        writer.histogram(tag, [1.0, 2.0], step=1)
    found = [p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()]
    assert found == [Path(writer.path).relative_to(tmp_path)]
    assert len(list(read_events(writer.path))) == 4


# -- images, sounds, tables (D21) ------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """A PNG file of one black pixel that declares a size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (30_000, 30_000)])
def test_an_image_of_huge_size_is_refused(size: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png(1, 1))
    assert utils.load_img(path).size == (1, 1)
    path.write_bytes(png(*size))
    with little_memory(), pytest.raises(Image.DecompressionBombError):
        utils.load_img(path)


def wav(steps: int) -> bytes:
    """A WAV file of one sample that declares so many."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 1, "NONE", ""))
        sound.writeframes(b"\1\0")
    data = bytearray(file.getvalue())
    data[40:44] = struct.pack("<I", 2 * steps)
    data[4:8] = struct.pack("<I", 36 + 2 * steps)
    return bytes(data)


@pytest.mark.parametrize("steps", [1, 1000, 2**30])
def test_a_sound_is_no_longer_than_its_file(steps: int, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").write_bytes(wav(steps))
    with little_memory():
        found = utils.audio_dataset_from_directory(
            tmp_path, labels=None, batch_size=1, verbose=False
        )
        (batch,) = list(found)
    assert np.asarray(batch).shape == (1, 1, 1)


def idx(*shape: int) -> bytes:
    head = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
    return gzip.compress(head + bytes(10_000))


@pytest.mark.parametrize("shape", [(10_000, 2**32 - 1, 2**32 - 1), (10_000, 1, 1)])
def test_an_array_of_mnist_has_images(
    shape: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.gz"
    monkeypatch.setattr(fashion_mnist, "file_of", lambda *_, **__: path)
    read: Callable[[str], Any] = fashion_mnist._idx
    path.write_bytes(idx(10_000))
    assert read("t10k-labels-idx1-ubyte.gz").shape == (10_000,)
    path.write_bytes(idx(*shape))
    with little_memory(), pytest.raises(CorruptFileError, match="Fashion-MNIST"):
        read("t10k-images-idx3-ubyte.gz")


@pytest.mark.parametrize("table", ["1,2\n3", "a,b\n" + "," * 100_000, "a\nx"])
def test_a_table_has_rows_of_one_length(table: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    assert read_arrays(str(path)).shape == (1, 2)
    path.write_text(table)
    with little_memory(), pytest.raises(ValueError, match="cannot be read"):
        read_arrays(str(path))

"""Archives that would write where they must not, beside those that may be unpacked."""

import io
import os
import signal
import tarfile
import zipfile

import pytest

from minikeras.datasets.archives import extract_archive
from minikeras.saving.limits import ModelFileError

SAFE = [("folder/", None), ("folder/a.txt", b"a"), ("./b.txt", b"bb")]
# Paths that lead out of a folder, on one system or another.
OUTSIDE = [
    "../marker",
    "folder/../../marker",
    "folder/../../../marker",
    "/marker",
    "//marker",
    "C:/marker",
    "C:marker",
    "\\marker",
    "..\\marker",
    "folder\\..\\..\\marker",
    "./../marker",
    "..",
]
# Types of tar members that are neither files nor folders.
SPECIAL = {
    "symbolic link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "pipe": tarfile.FIFOTYPE,
}


@pytest.fixture
def place(tmp_path):
    """A folder to unpack into, deep enough that what leads out of it can be found."""
    place = tmp_path / "one" / "two" / "target"
    place.parent.mkdir(parents=True)
    return place


@pytest.fixture
def small_files(monkeypatch):
    """Let a small file become at most a megabyte, so that tests are short."""
    monkeypatch.setattr("minikeras.saving.limits.FLOOR", 1 << 20)


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if data is None and info is not name:
                info.type = tarfile.DIRTYPE
            info.size = len(data or b"")
            archive.addfile(info, io.BytesIO(data or b""))
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data or b"")
    return path


WRITERS = pytest.mark.parametrize("write", [tar, zipped])


def files(folder):
    """All that is below a folder, and what the files hold."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


@WRITERS
def test_plain_files_are_unpacked(write, tmp_path, place):
    assert extract_archive(write(tmp_path / "archive", SAFE), place)
    assert files(place) == {"folder": None, "folder/a.txt": b"a", "b.txt": b"bb"}
    assert [p.name for p in place.parent.iterdir()] == ["target"]  # and nothing beside


@WRITERS
def test_what_is_there_stays_unless_the_archive_has_it(write, tmp_path, place):
    (place / "folder").mkdir(parents=True)
    (place / "folder" / "a.txt").write_bytes(b"old")
    (place / "folder" / "mine.txt").write_bytes(b"mine")
    assert extract_archive(write(tmp_path / "archive", SAFE), place)
    assert files(place / "folder") == {"a.txt": b"a", "mine.txt": b"mine"}


@pytest.mark.parametrize("name", OUTSIDE)
@WRITERS
def test_nothing_is_written_outside(write, name, tmp_path, place):
    archive = write(tmp_path / "archive", [*SAFE, (name, b"out"), ("last.txt", b"z")])
    before = files(tmp_path).keys()
    with pytest.warns(UserWarning, match="Skipping invalid path"):
        assert extract_archive(archive, place)
    new = files(tmp_path).keys() - before
    assert all(path.startswith("one/two/target") for path in new)
    assert set(files(place)) == {"folder", "folder/a.txt", "b.txt", "last.txt"}


@pytest.mark.parametrize("kind", SPECIAL)
def test_neither_links_nor_devices_are_made(kind, tmp_path, place):
    info = tarfile.TarInfo("special")
    info.type, info.linkname = SPECIAL[kind], "b.txt"
    info.devmajor, info.devminor = 1, 3
    archive = tar(tmp_path / "archive", [*SAFE, (info, None)])
    with pytest.warns(UserWarning, match="'special'"):
        assert extract_archive(archive, place)
    assert set(files(place)) == {"folder", "folder/a.txt", "b.txt"}


def test_a_link_does_not_redirect_what_follows_it(tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tarfile.TarInfo("door")
    link.type, link.linkname = tarfile.SYMTYPE, str(outside)
    archive = tar(tmp_path / "archive", [(link, None), ("door/marker", b"out")])
    with pytest.warns(UserWarning, match="'door'"):
        extract_archive(archive, place)
    assert files(outside) == {}
    assert files(place) == {"door": None, "door/marker": b"out"}


def test_a_link_of_a_zip_file_is_no_link(tmp_path, place):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    archive = zipped(tmp_path / "archive", [*SAFE, (info, b"/etc/passwd")])
    with pytest.warns(UserWarning, match="'link'"):
        extract_archive(archive, place)
    assert not os.path.lexists(place / "link")


def test_a_link_that_was_there_before_leads_nowhere(tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    place.mkdir()
    (place / "folder").symlink_to(outside)
    with pytest.raises(ValueError, match="leads out of"):
        extract_archive(tar(tmp_path / "archive", SAFE), place)
    assert files(outside) == {}


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_small_tar_file_does_not_become_a_huge_folder(
    mode, small_files, tmp_path, place
):
    archive = tar(tmp_path / "a", [*SAFE, ("zeros", bytes(32 << 20))], mode)
    assert archive.stat().st_size < 1 << 20
    with pytest.raises(ModelFileError, match="decompression bomb"):
        extract_archive(archive, place)
    assert list(place.parent.iterdir()) == []


def test_a_small_zip_file_does_not_become_a_huge_folder(small_files, tmp_path, place):
    archive = zipped(tmp_path / "a", [*SAFE, ("zeros", bytes(32 << 20))])
    with pytest.raises(ModelFileError, match="decompression bomb"):
        extract_archive(archive, place)
    assert list(place.parent.iterdir()) == []


def test_a_zip_file_that_lies_about_a_size_is_refused(tmp_path, place):
    archive = zipped(tmp_path / "a", [("zeros", bytes(1 << 20))])
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24  # the size in the directory of members
    data[at : at + 4] = (1000).to_bytes(4, "little")
    archive.write_bytes(data)
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        extract_archive(archive, place)
    assert list(place.parent.iterdir()) == []


def test_many_small_files_count_too(small_files, tmp_path, place):
    archive = tar(tmp_path / "a", [(f"{i}", b"") for i in range(5000)])
    with pytest.raises(ModelFileError, match="decompression bomb"):
        extract_archive(archive, place)
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize("size", [-512, -1024, -1536, -(1 << 40)])
def test_a_tar_file_does_not_lead_backward(size, tmp_path, place):
    """A member of negative size sends a reader back to where it has been."""
    archive = tar(tmp_path / "a", [("a.txt", b"a" * 512), ("b.txt", b"b")], "w")
    data = bytearray(archive.read_bytes())
    head = 1024  # of the second member: the first is two blocks long
    data[head + 124 : head + 136] = b"\xff" * 4 + size.to_bytes(8, "big", signed=True)
    data[head + 148 : head + 156] = b" " * 8
    checksum = sum(data[head : head + 512])
    data[head + 148 : head + 156] = b"%06o\0 " % checksum
    archive.write_bytes(data)
    signal.alarm(20)  # it would go on for ever
    try:
        with pytest.raises((tarfile.TarError, ValueError)):
            extract_archive(archive, place)
    finally:
        signal.alarm(0)
    assert list(place.parent.iterdir()) == []


def test_a_broken_archive_leaves_nothing(tmp_path, place):
    archive = tar(tmp_path / "a", [("noise", os.urandom(100_000)), ("b", b"b")])
    archive.write_bytes(archive.read_bytes()[:50_000])
    with pytest.raises((tarfile.TarError, EOFError, ValueError)):
        extract_archive(archive, place)
    assert list(place.parent.iterdir()) == []


def test_formats_are_tried_as_named(tmp_path, place):
    archive = zipped(tmp_path / "a", SAFE)
    assert not extract_archive(archive, place, "tar")
    assert not extract_archive(archive, place, None)
    assert not extract_archive(archive, place, [])
    assert extract_archive(archive, place, ["tar", "zip"])
    with pytest.raises(NotImplementedError, match="rar"):
        extract_archive(archive, place, "rar")
    with pytest.raises(FileNotFoundError):
        extract_archive(tmp_path / "none", place)

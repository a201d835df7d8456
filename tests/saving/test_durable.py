"""Files are written whole or not at all, whatever ends the writing."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Sequential, load_model
from minikeras.saving.durable import atomic_folder, atomic_write


def model_of(value: float) -> Sequential:
    model = Sequential([layers.Input((100,)), layers.Dense(300)])
    model.set_weights([np.full(w.shape, value) for w in model.weights])
    return model


def value_in(path: Path) -> float:
    values = {float(x) for w in load_model(path).get_weights() for x in np.unique(w)}
    assert len(values) == 1
    return values.pop()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_leaves_the_old_file(error: type, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_modes_and_links_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    with atomic_write(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    with atomic_write(tmp_path / "other") as file:
        file.write(b"new")
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"")
    assert (tmp_path / "other").stat().st_mode == fresh.stat().st_mode


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(IsADirectoryError, match="is a directory"),
        atomic_write(tmp_path),
    ):
        pass


def files_of(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_replaced_as_a_whole(
    can_exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:
        monkeypatch.setattr("minikeras.saving.durable._RENAME", None)
    path = tmp_path / "m"
    for value in (1.0, 2.0):
        model_of(value).save(path, zipped=False)
        assert value_in(path) == value
        assert os.listdir(tmp_path) == ["m"]


def test_an_error_leaves_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "m"
    model_of(1.0).save(path, zipped=False)
    before = files_of(path)

    def fail() -> None:
        with atomic_folder(path) as place:
            (place / "config.json").write_bytes(b"new")
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        fail()
    assert files_of(path) == before
    assert os.listdir(tmp_path) == ["m"]


def test_what_else_lies_in_a_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for value in (1.0, 2.0):
        model_of(value).save(tmp_path, zipped=False)
        assert value_in(tmp_path) == value
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_leftovers_of_the_dead_are_removed(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "file"):
        (mine,) = os.listdir(tmp_path)
    start = mine.partition(f"{os.getpid()}-")[0]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f"{start}{dead.pid}-00").write_bytes(b"half")
    (tmp_path / f"{start}{os.getpid()}-00").write_bytes(b"being written")
    with atomic_write(tmp_path / "file"):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted(["file", f"{start}{os.getpid()}-00"])


def test_the_order_is_write_flush_rename_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, real=real, name=name: (calls.append(name), real(*a))
        )
    model_of(1.0).save(tmp_path / "m.keras")
    assert calls == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
@pytest.mark.parametrize("room", [0, 1, 1000, 100_000])
def test_a_full_disk_leaves_the_old_file(name: str, room: int, tmp_path: Path) -> None:
    path = tmp_path / name
    save = "save_weights" if name.endswith("weights.h5") else "save"
    getattr(model_of(1.0), save)(path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    new = model_of(2.0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            getattr(new, save)(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [name]


def test_sudden_death_leaves_a_whole_file(tmp_path: Path) -> None:
    """A process saves over and over, and is killed at a random moment."""
    path = tmp_path / "m.keras"
    code = (
        "import sys; sys.path[:0] = ['tests/saving', '.']\n"
        "from test_durable import model_of\n"
        "one, two = model_of(1.0), model_of(2.0)\n"
        "while True:\n"
        f"    one.save({str(path)!r}); print('saved', flush=True)\n"
        f"    two.save({str(path)!r})\n"
    )
    seen = set()
    for trial in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.003 * trial)
            process.kill()
        seen.add(value_in(path))
    assert seen <= {1.0, 2.0}
    model_of(3.0).save(path)
    assert os.listdir(tmp_path) == ["m.keras"]
    assert value_in(path) == 3.0

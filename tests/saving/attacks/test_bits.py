"""Files cut short anywhere, or with one bit changed anywhere.

They are read in processes of their own: a library in C may crash, or go on for ever. A
file of ours has checksums, so that no change is silent. In Keras's ``.h5`` files HDF5
has none: there a number may become another, but nothing else may happen.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from minikeras import saving
from tests.saving.attacks.kit import small

CUTS, FLIPS, QUICK = 200, 250, 20
SECONDS = 10  # for one file, which takes milliseconds
WRONG = (ValueError, TypeError, OSError)
NAMES = ("m.keras", "m.weights.h5", "m.h5")
EQUAL, REFUSED, OTHER, STRANGE = "equal", "refused", "another model", "another error"
OUTCOMES = {b"e": EQUAL, b"r": REFUSED, b"o": OTHER, b"s": STRANGE}


# -- files -----------------------------------------------------------------------------


@cache
def file_of_ours(name: str) -> bytes:
    """A file that minikeras writes."""
    model = small()
    model.compile("sgd", "mse", metrics=["mae"])
    return saved(model, name)


def file_of_keras(keras: ModuleType, name: str) -> bytes:
    """A file that Keras writes."""
    stack = [keras.layers.Input((3,)), keras.layers.Dense(2, name="dense")]
    model = keras.Sequential(stack, name="small")
    model.compile("sgd", "mse", metrics=["mae"])
    return saved(model, name)


def saved(model: Any, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, name)
        (model.save_weights if "weights" in name else model.save)(path)
        return path.read_bytes()


def cut(data: bytes, count: int) -> Iterator[bytes]:
    return (data[: i * len(data) // count] for i in range(count))


def flipped(data: bytes, count: int) -> Iterator[bytes]:
    rng = np.random.default_rng(5)
    for place in rng.integers(0, 8 * len(data), count):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << (place % 8)
        yield bytes(changed)


# -- trials ----------------------------------------------------------------------------


def read(path: Path) -> list[Any]:
    if path.name.endswith("weights.h5"):
        model = small()
        model.load_weights(path)
        return model.get_weights()
    model = saving.load_model(path)
    return [*model.get_weights(), np.array(json.dumps(model.get_config()))]


def outcome(path: Path, want: list[Any]) -> bytes:
    try:
        found = read(path)
    except WRONG:
        return b"r"
    except Exception:
        return b"s"
    same = len(found) == len(want) and all(map(np.array_equal, found, want))
    return b"e" if same else b"o"


def trials(path: Path, changed: Iterator[bytes], want: list[Any]) -> Counter[str]:
    """Return how reading ended, and how often.

    A process reads file after file; another one goes on after the file it dies of.
    """
    files, found = list(changed), Counter[str]()
    while found.total() < len(files):
        rest = files[found.total() :]
        said, status = in_child(
            lambda tell, rest=rest: read_all(path, rest, want, tell)
        )
        found.update(OUTCOMES[said[i : i + 1]] for i in range(len(said)))
        if status:
            found[f"ended by signal {os.WTERMSIG(status)}"] += 1
    return found


def read_all(path: Path, files: list[bytes], want: list[Any], tell: Any) -> None:
    for data in files:
        signal.alarm(SECONDS)
        path.write_bytes(data)
        tell(outcome(path, want))


def in_child(work: Callable[[Callable[[bytes], Any]], None]) -> tuple[bytes, int]:
    """Return what work tells in a process of its own, and how that ended."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        faulthandler.disable()  # a crash is counted, not told
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        warnings.simplefilter("ignore")
        work(lambda said: os.write(into, said))
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        said = file.read()
    return said, os.waitpid(child, 0)[1]


Counts = Callable[[str, bytes, Any, Path], Counter[str]]


def counts(name: str, data: bytes, changed: Any, folder: Path) -> Counter[str]:
    path = folder / name
    path.write_bytes(data)
    return trials(path, changed, read(path))


# -- tests -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [QUICK, pytest.param(CUTS, marks=pytest.mark.slow)])
def test_a_file_cut_short_is_refused(name: str, count: int, tmp_path: Path) -> None:
    data = file_of_ours(name)
    assert counts(name, data, cut(data, count), tmp_path) == {REFUSED: count}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [QUICK, pytest.param(FLIPS, marks=pytest.mark.slow)])
def test_a_changed_bit_changes_no_weight(name: str, count: int, tmp_path: Path) -> None:
    data = file_of_ours(name)
    found = counts(name, data, flipped(data, count), tmp_path)
    assert found[EQUAL] + found[REFUSED] == count, found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [QUICK, pytest.param(FLIPS, marks=pytest.mark.slow)])
def test_a_changed_bit_of_keras_is_survived(
    name: str, count: int, tmp_path: Path, keras: ModuleType
) -> None:
    data = file_of_keras(keras, name)
    found = counts(name, data, flipped(data, count), tmp_path)
    # A .keras file is a zip file, which has checksums.
    other = 0 if name == "m.keras" else found[OTHER]
    assert found[EQUAL] + found[REFUSED] + other == count, found


@pytest.mark.filterwarnings("ignore")
def test_a_crash_and_a_hang_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trials themselves are tried: with a reader that dies, and one that waits."""
    data, path = [b"crash", b"hang", b"fine"], tmp_path / "m.h5"

    def dies_or_waits(path: Path) -> list[Any]:
        said = path.read_bytes()
        if said == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        while said == b"hang":
            pass
        return []

    monkeypatch.setitem(globals(), "read", dies_or_waits)
    monkeypatch.setitem(globals(), "SECONDS", 1)
    found = trials(path, iter(data), [])
    ended = {f"ended by signal {number}": 1 for number in (11, 14)}
    assert found == {EQUAL: 1, **ended}

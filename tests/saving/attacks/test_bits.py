"""Files cut short anywhere, or with one bit changed anywhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minikeras import saving
from tests.saving.attacks.kit import archive, honest, honest_h5, small

CUTS, FLIPS, QUICK = 200, 2000, 20
WRONG = (ValueError, TypeError, OSError)


def keras_file() -> bytes:
    memory: Any = io.BytesIO()
    archive(memory, honest())
    return memory.getvalue()


def weights_file() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        model = saving.load_model(io.BytesIO(keras_file()))
        model.save_weights(f"{folder}/m.weights.h5")
        return Path(folder, "m.weights.h5").read_bytes()


FILES = {"m.keras": keras_file, "m.weights.h5": weights_file, "m.h5": honest_h5}


def read(path: Path) -> list[Any]:
    if path.name.endswith("weights.h5"):
        model = small()
        model.load_weights(path)
        return model.get_weights()
    return saving.load_model(path).get_weights()


def trials(path: Path, changed: Iterator[bytes], want: list[Any]) -> tuple[int, int]:
    """Return how many files were refused, and how many gave other weights."""
    refused = wrong = 0
    for data in changed:
        path.write_bytes(data)
        try:
            found = read(path)
        except WRONG:
            refused += 1
        else:
            same = map(np.array_equal, found, want)
            wrong += len(found) != len(want) or not all(same)
    return refused, wrong


def cut(data: bytes, count: int) -> Iterator[bytes]:
    return (data[: i * len(data) // count] for i in range(count))


def flipped(data: bytes, count: int) -> Iterator[bytes]:
    rng = np.random.default_rng(5)
    for place in rng.integers(0, 8 * len(data), count):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << (place % 8)
        yield bytes(changed)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [QUICK, pytest.param(CUTS, marks=pytest.mark.slow)])
def test_a_file_cut_short_is_refused(name: str, count: int, tmp_path: Path) -> None:
    data, path = FILES[name](), tmp_path / name
    path.write_bytes(data)
    assert trials(path, cut(data, count), read(path)) == (count, 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [QUICK, pytest.param(FLIPS, marks=pytest.mark.slow)])
def test_a_changed_bit_changes_no_weight(name: str, count: int, tmp_path: Path) -> None:
    data, path = FILES[name](), tmp_path / name
    path.write_bytes(data)
    _, wrong = trials(path, flipped(data, count), read(path))
    assert not wrong

"""Families B: files that are not hostile, but broken, or another library's."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.saving.attacks.kit import (
    OPENED_BY,
    Attack,
    archive,
    config_at,
    honest,
    honest_h5,
    layer,
    part,
    unchanged,
    weights_in,
)
from tests.saving.attacks.places import replaced

__all__ = ["ATTACKS"]

DENSE = "config/layers/1"


def bytes_of(name: str) -> Any:
    """Return what writes a file of these bytes."""

    def build(folder: Path, data: Any) -> Path:
        path = folder / name
        path.write_bytes(data() if callable(data) else data)
        return path

    return build


def whole() -> bytes:
    import io

    memory = io.BytesIO()
    archive(memory, honest())  # type: ignore[arg-type]
    return memory.getvalue()


def other_shape(file: Any, kernel: str, outside: Path) -> None:
    replaced(file, kernel, np.zeros((3, 5), "float32"))


def text_in_place(file: Any, kernel: str, outside: Path) -> None:
    replaced(file, kernel, np.array([[b"a", b"b"]] * 3))


def missing(file: Any, kernel: str, outside: Path) -> None:
    del file[kernel]


def not_numbers(file: Any, kernel: str, outside: Path) -> None:
    replaced(file, kernel, np.full((3, 2), np.nan, "float32"))


def twice(folder: Path, name: str | None) -> Path:
    """Write an archive with two members of one name."""
    path = archive(folder / "m.keras", honest())
    if name is not None:
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as file:
            warnings.simplefilter("ignore")
            file.writestr(name, b"{}")
    return path


ATTACKS: list[Attack] = [
    Attack("B03", "empty keras", bytes_of("m.keras"), b"", whole, "not|empty"),
    Attack("B03", "empty h5", bytes_of("m.h5"), b"", honest_h5, "HDF5"),
    Attack(
        "B03", "wrong magic", bytes_of("m.keras"), b"GIF89a" * 99, whole, "accessible"
    ),
    Attack(
        "B03", "wrong magic h5", bytes_of("m.h5"), b"GIF89a" * 99, honest_h5, "HDF5"
    ),
    Attack("B03", "h5 as keras", bytes_of("m.keras"), honest_h5, whole, "accessible"),
    Attack("B03", "keras as h5", bytes_of("m.h5"), whole, honest_h5, "HDF5"),
    *(
        Attack("B04", f"{value}", config_at(f"{DENSE}/config/units"), value, 2, ".")
        for value in (float("nan"), float("inf"))
    ),
    *(
        Attack("B05", f"{slot}={value!r}", config_at(place), value, benign, ".")
        for slot, place, benign in (
            ("units", f"{DENSE}/config/units", 2),
            (
                "layers",
                "config/layers",
                json.loads(honest()["config.json"])["config"]["layers"],
            ),
            ("config", f"{DENSE}/config", {"units": 2, "name": "dense"}),
            ("class_name", f"{DENSE}/class_name", "Dense"),
        )
        for value in ([], "text", -1, {"a": [1]}, 1.5)
    ),
    Attack(
        "B06",
        "unknown",
        config_at(DENSE),
        layer("Dens", name="dense", units=2),
        layer("Dense", name="dense", units=2),
        "Did you mean 'Dense'",
    ),
    *(
        Attack(
            "B07",
            f"{change.__name__}-{entry}",
            weights_in(entry),
            change,
            unchanged,
            why,
            OPENED_BY[entry],
        )
        for change, why in (
            (other_shape, r"(?s)dense.*\(3, 2\).*\(3, 5\)"),
            (text_in_place, "dense|could not|convert"),
        )
        for entry in OPENED_BY
    ),
    *(
        Attack(
            "B08", entry, weights_in(entry), missing, unchanged, ".", OPENED_BY[entry]
        )
        for entry in OPENED_BY
    ),
    *(
        Attack("B09", name, twice, name, None, "same name")
        for name in ("config.json", "model.weights.h5", "metadata.json")
    ),
    Attack(
        "B10",
        "newer",
        part("metadata.json"),
        b'{"keras_version": "99.0"}',
        honest()["metadata.json"],
        None,
    ),
    Attack(
        "B10",
        "metadata is no JSON",
        part("metadata.json"),
        b"{",
        honest()["metadata.json"],
        None,
    ),
    *(
        Attack(
            "B11",
            entry,
            weights_in(entry),
            not_numbers,
            unchanged,
            None,
            OPENED_BY[entry],
        )
        for entry in OPENED_BY
    ),
]

"""Families R and W: files that want others to be read, or written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from minikeras import layers
from tests.saving.attacks.kit import (
    OPENED_BY,
    Attack,
    Change,
    archive,
    config_at,
    h5_config_at,
    honest,
    layer,
    secret,
    sequential,
    small,
    unchanged,
    weights_in,
)

__all__ = ["ATTACKS"]


# -- vocabularies ----------------------------------------------------------------------


def lookup(kind: str, entry: str) -> Any:
    """Return what writes a model with a layer that has a vocabulary."""

    def build(folder: Path, vocabulary: Any) -> Path:
        if vocabulary == "path":
            vocabulary = str(secret(folder) / "secret.txt")
        whole = getattr(layers, kind)(name="lookup", vocabulary=["to"]).get_config()
        found = layer(kind, **{**whole, "vocabulary": vocabulary})
        if entry == "keras":
            return config_at("config/layers/1", "words")(folder, found)
        del found["module"]
        return h5_config_at("config/layers/1", "words")(folder, found)

    return build


WORDS = {
    "StringLookup": ["to", "be"],
    "TextVectorization": ["to", "be"],
    "IntegerLookup": [1, 2],
}

VOCABULARIES = [
    Attack(family, f"{kind}-{entry}-{where}", lookup(kind, entry), where, words, why)
    for kind, words in WORDS.items()
    if kind != "IntegerLookup"
    for entry in ("keras", "h5")
    for family, where, why in (
        ("R01", "path", "outside of the model archive"),
        ("R02", "http://127.0.0.1:9/words.txt", "outside of the model archive"),
        ("R02", "file:///etc/passwd", "outside of the model archive"),
    )
]


# -- HDF5 ------------------------------------------------------------------------------


def replaced(file: Any, place: str, value: Any = None, **how: Any) -> None:
    del file[place]
    if value is None:
        file.create_dataset(place, **how)
    else:
        file[place] = value


def external_storage(file: Any, kernel: str, outside: Path) -> None:
    place = [(str(outside / "secret.bin"), 0, 24)]
    replaced(file, kernel, shape=(3, 2), dtype="float32", external=place)


def external_link(file: Any, kernel: str, outside: Path) -> None:
    replaced(file, kernel, h5py.ExternalLink(outside / "secret.h5", "/kernel"))


def external_group(file: Any, kernel: str, outside: Path) -> None:
    above, name = kernel.rsplit("/", 2)[0], "/dense"
    replaced(file, above, h5py.ExternalLink(outside / "secret.h5", name))


def soft_link(file: Any, kernel: str, outside: Path) -> None:
    file["elsewhere"] = np.full((3, 2), 1, "float32")
    replaced(file, kernel, h5py.SoftLink("/elsewhere"))


def soft_group(file: Any, kernel: str, outside: Path) -> None:
    above = kernel.rsplit("/", 1)[0]
    file.move(above, "elsewhere")
    file[above] = h5py.SoftLink("/elsewhere")


def virtual(file: Any, kernel: str, outside: Path) -> None:
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[...] = h5py.VirtualSource(outside / "secret.h5", "kernel", (3, 2))
    del file[kernel]
    file.create_virtual_dataset(kernel, layout)


def references(file: Any, kernel: str, outside: Path) -> None:
    replaced(file, kernel, shape=(3, 2), dtype=h5py.ref_dtype)


HDF5: list[tuple[str, Change, str]] = [
    ("R03", external_storage, "Not allowed: H5 file with external Dataset"),
    ("R04", external_link, "Not allowed: H5 file with ExternalLink"),
    ("R05", external_group, "Not allowed: H5 file with ExternalLink"),
    ("R06", soft_link, "Not allowed: H5 file with SoftLink"),
    ("R06", soft_group, "Not allowed: H5 file with SoftLink"),
    ("R07", virtual, "Not allowed: H5 file with virtual Dataset"),
    ("R07", references, "Not allowed: H5 file with values of type"),
]
LINKS = [
    Attack(
        family if entry == "keras" else "R08",
        f"{change.__name__}-{entry}",
        weights_in(entry),
        change,
        unchanged,
        why,
        OPENED_BY[entry],
    )
    for family, change, why in HDF5
    for entry in OPENED_BY
]
LOOKED_AT = [
    Attack(
        "R08",
        f"{change.__name__}-{entry}",
        weights_in(entry),
        change,
        unchanged,
        why,
        "edited",
    )
    for _, change, why in HDF5
    for entry in ("keras", "weights")
]


# -- members and shards ----------------------------------------------------------------


def with_member(folder: Path, name: str) -> Path:
    return archive(folder / "m.keras", {**honest(), name: b"written"})


def with_link(folder: Path, target: str | None) -> Path:
    """Write an archive with a symbolic link as a member, or without."""
    path = archive(folder / "m.keras", honest())
    if target is not None:
        with zipfile.ZipFile(path, "a") as file:
            link = zipfile.ZipInfo("assets/link")
            link.external_attr = 0o120777 << 16
            file.writestr(link, target)
            if target == "..":
                file.writestr("assets/link/written", "written")
    return path


def config_link(folder: Path, target: str | None) -> Path:
    """Write an archive whose config is a link."""
    parts = dict(honest())
    if target is None:
        return archive(folder / "m.keras", parts)
    del parts["config.json"]
    path = archive(folder / "m.keras", parts)
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("config.json")
        link.external_attr = 0o120777 << 16
        file.writestr(link, target)
    return path


def shards(folder: Path, name: str) -> Path:
    """Write a list of shards, one of which lies elsewhere."""
    outside = secret(folder)
    model = small()
    model.save_weights(outside / "outside.weights.h5")
    model.save_weights(folder / "here.weights.h5")
    name = name.replace("OUTSIDE", str(outside))
    listed = {"metadata": {}, "weight_map": {"/layers/dense/vars": [name]}}
    path = folder / "m.weights.json"
    path.write_text(json.dumps(listed))
    return path


def named(folder: Path, name: str) -> Path:
    """Write a model with a layer of this name, which writes a file when saved."""
    start = layer("InputLayer", batch_shape=[None, 1], dtype="string", name="x")
    found = layer("StringLookup", name=name, vocabulary=["to"])
    return sequential(folder, [start, found])


def shards_under(folder: Path, key: str) -> Path:
    """Write a list of shards under another key."""
    path = shards(folder, "here.weights.h5")
    listed = {"metadata": {}, "weight_map": {key: ["here.weights.h5"]}}
    path.write_text(json.dumps(listed))
    return path


def folder_named(folder: Path, name: str) -> Path:
    """Write a model as a folder, with a layer that has files and this name."""
    with zipfile.ZipFile(named(folder, name)) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    for part, data in parts.items():
        (folder / "m").mkdir(exist_ok=True)
        (folder / "m" / part).write_bytes(data)
    return folder / "m"


def index_of(folder: Path, name: str | None) -> Path:
    """Write a list of ``.safetensors`` files, as Hugging Face has them; or the file."""
    outside = secret(folder)
    small().save_weights(outside / "secret.safetensors")
    small().save_weights(folder / "here.safetensors")
    if name is None:
        return folder / "here.safetensors"
    name = name.replace("OUTSIDE", str(outside))
    listed = {"metadata": {}, "weight_map": {"/layers/dense/vars": name}}
    path = folder / "m.weights.json"
    path.write_text(json.dumps(listed))
    return path


MEMBERS = [
    ("W01", "assets/../../up.txt"),
    ("W01", "../up.txt"),
    ("W01", "assets/.."),
    ("W02", "/absolute.txt"),
    ("W02", "//absolute.txt"),
    ("W03", "..\\up.txt"),
    ("W03", "C:/drive.txt"),
    ("W03", "C:drive.txt"),
    ("W05", "assets/../assets_evil/up.txt"),
    ("W05", "./assets/dot.txt"),
]

ATTACKS: list[Attack] = [
    *VOCABULARIES,
    *LINKS,
    *LOOKED_AT,
    Attack("R09", "asset", with_link, "/etc/passwd", None, "is a link"),
    Attack("R09", "config", config_link, "/etc/passwd", None, "is a link"),
    *(
        Attack("R10", name, shards, name, "here.weights.h5", "Not allowed", "weights")
        for name in (
            "../outside/outside.weights.h5",
            "OUTSIDE/outside.weights.h5",
            "..\\outside\\outside.weights.h5",
            "sub/outside.weights.h5",
        )
    ),
    *(
        Attack(family, name, with_member, name, "assets/note.txt", "Not allowed: a ")
        for family, name in MEMBERS
    ),
    Attack("W04", "through a link", with_link, "..", None, "is a link"),
    *(
        Attack("W07", f"name {name[:9]!r}", named, name, "lookup", None, "again")
        for name in ("..", "../../up", "", "x" * 4096, "/absolute")
    ),
    Attack("W07", "name with NUL", named, "a\0b", "lookup", None, "again"),
    *(
        Attack("W09", f"key {key}", shards_under, key, "/layers/dense/vars", why, how)
        for key in ("/../outside/vars", "/layers/../../dense/vars", "//dense/vars")
        for why, how in (("dense", "weights"),)
    ),
    *(
        Attack("W09", f"folder {name}", folder_named, name, "lookup", None, "again")
        for name in ("../up", "/absolute")
    ),
    *(
        Attack("R11", f"list of {name}", index_of, name, None, why, "weights")
        for name, why in (
            ("../outside/secret.safetensors", "Not allowed"),
            ("OUTSIDE/secret.safetensors", "Not allowed"),
            ("here.safetensors", "HDF5"),
        )
    ),
]

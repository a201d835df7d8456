"""Families D: files that take memory or time without end."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.saving.attacks.kit import (
    OPENED_BY,
    Attack,
    Json,
    archive,
    config_at,
    dumped,
    grown,
    honest,
    honest_h5,
    layer,
    part,
    sequential,
    unchanged,
    weights_in,
)
from tests.saving.attacks.places import replaced

__all__ = ["ATTACKS"]

BOMB = "decompression bomb"
DENSE = "config/layers/1"
START = layer("InputLayer", batch_shape=[None, 3], name="x")


def declared(shape: tuple[int, ...]) -> Any:
    """Return what lets a kernel declare a shape that its file has no room for."""

    def change(file: Any, kernel: str, outside: Path) -> None:
        how = {"chunks": True, "compression": "gzip"}
        replaced(file, kernel, shape=shape, dtype="float32", **how)

    change.__name__ = f"shape {shape}"
    return change


def many(file: Any, kernel: str, outside: Path) -> None:
    """Let 200 arrays of 64 MiB stand where the model's two are."""
    group = kernel.rsplit("/", 1)[0]
    for i in range(200):
        place = f"{group}/{i}"
        if place in file:
            del file[place]
        file.create_dataset(place, (2**24,), "float32", chunks=True, compression="gzip")


def cycle(file: Any, kernel: str, outside: Path) -> None:
    """Let a group hold itself."""
    group = file[kernel.rsplit("/", 1)[0]]
    group["loop"] = group


@cache
def spaces(size: int) -> tuple[bytes, int]:
    """Return so many spaces, packed, and their checksum: made of one piece, quickly."""
    piece, checksum = b" " * (1 << 20), 0
    for _ in range(size >> 20):
        checksum = zlib.crc32(piece, checksum)
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed * (size >> 20) + packer.flush(zlib.Z_FINISH), checksum


def blown_up(name: str) -> Any:
    """Return what writes an archive with one member that is packed spaces."""

    def build(folder: Path, size: int) -> Path:
        path = archive(folder / "m.keras", {"assets/x.txt": b"text", **honest()})
        if not size:
            return path
        with zipfile.ZipFile(path) as file:
            parts = {part: file.read(part) for part in file.namelist() if part != name}
        archive(path, parts)
        packed, checksum = spaces(size)
        # Version, flags, method, time, date, checksum, sizes, lengths of name and more.
        facts = (20, 0, 8, 0, 33, checksum, len(packed), size, len(name), 0)
        numbers = struct.pack("<HHHHHLLLHH", *facts)
        local = b"PK\3\4" + numbers + name.encode() + packed
        data = path.read_bytes()
        start, end = data.index(b"PK\1\2"), data.rindex(b"PK\5\6")
        entry = b"PK\1\2\x14\0" + numbers + bytes(10) + struct.pack("<L", start)
        listed = data[start:end] + entry + name.encode()
        counts = struct.pack("<HH", len(parts) + 1, len(parts) + 1)
        sizes = struct.pack("<LLH", len(listed), start + len(local), 0)
        last = b"PK\5\6" + bytes(4) + counts + sizes
        path.write_bytes(data[:start] + local + listed + last)
        return path

    return build


def overlapping(folder: Path, how: str) -> Path:
    """Write an archive in which two members share their bytes, or do not."""
    path = archive(folder / "m.keras", {**honest(), "assets/a": b"x" * 100})
    if how == "benign":
        return path
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        first, last = file.infolist()[0], file.infolist()[-1]
    place = data.rfind(b"PK\x01\x02")
    assert last.filename == "assets/a"
    data[place + 42 : place + 46] = struct.pack("<L", first.header_offset)
    path.write_bytes(data)
    return path


def lying(folder: Path, size: int | None) -> Path:
    """Write an archive whose directory says another size of a packed member."""
    path = archive(folder / "m.keras", honest(), compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    if size is not None:
        place = data.index(b"config.json", data.index(b"PK\x01\x02")) - 46
        data[place + 24 : place + 28] = struct.pack("<L", size)
    path.write_bytes(data)
    return path


def crowded(folder: Path, count: int) -> Path:
    """Write an archive with very many members."""
    path = archive(folder / "m.keras", honest())
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 6) + bytes(16)
    data = path.read_bytes()
    place = data.rfind(b"PK\x05\x06")
    more = b"".join(entry + f"{i:06x}".encode() for i in range(count))
    end = bytearray(data[place:])
    size, start = struct.unpack("<LL", end[12:20])
    end[12:20] = struct.pack("<LL", size + len(more), start)
    path.write_bytes(data[:place] + more + end)
    return path


def zip64(folder: Path, size: int | None) -> Path:
    """Write an archive with a size in 64 bits."""
    path = folder / "m.keras"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in honest().items():
            with file.open(name, "w", force_zip64=True) as member:
                member.write(data)
    if size is not None:
        data = bytearray(path.read_bytes())
        place = data.index(b"config.json", data.index(b"PK\x01\x02")) - 46
        # The directory says "see the extra field", and there 2**62 bytes.
        name, extra = struct.unpack("<HH", data[place + 28 : place + 32])
        data[place + 24 : place + 28] = b"\xff" * 4
        field = struct.pack("<HHQ", 1, 8, size)
        at = place + 46 + name
        data[place + 30 : place + 32] = struct.pack("<H", extra + len(field))
        data[at:at] = field
        end = data.rfind(b"PK\x05\x06")
        total = struct.unpack("<L", data[end + 12 : end + 16])[0] + len(field)
        data[end + 12 : end + 16] = struct.pack("<L", total)
        path.write_bytes(data)
    return path


def npz_header(folder: Path, shape: str) -> Path:
    """Write a checkpoint of sessions whose array declares a shape."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    data = np.lib.format.magic(1, 0) + struct.pack("<H", len(header)) + header.encode()
    archive(folder / "m.npz", {"v.npy": data + np.ones(3, "float32").tobytes()})
    return folder / "m"


def sized(kind: str, hostile: Json, benign: Json, **about: Any) -> Attack:
    first, second = (
        {**layer(kind, name="huge", **more), **about} for more in (hostile, benign)
    )
    first["honest"] = False
    return Attack("D09", kind, grown, first, second, "would take|memory|[Aa]llocate")


IMAGE = {"shape": [None, 8, 8, 3]}
STEPS = {"shape": [None, 4, 3]}
GROWN = [
    sized("Dense", {"units": 2_000_000_000}, {"units": 2}),
    sized(
        "Embedding",
        {"input_dim": 2**40, "output_dim": 8},
        {"input_dim": 5, "output_dim": 8},
        of="int32",
    ),
    sized("LSTM", {"units": 100_000}, {"units": 2}, **STEPS),
    sized("GRU", {"units": 100_000}, {"units": 2}, **STEPS),
    sized(
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 10**9},
        {"kernel_size": 3, "depth_multiplier": 2},
        **IMAGE,
    ),
    sized(
        "SeparableConv2D",
        {"filters": 2, "kernel_size": 3, "depth_multiplier": 10**9},
        {"filters": 2, "kernel_size": 3},
        **IMAGE,
    ),
    sized(
        "Conv2D",
        {"filters": 2, "kernel_size": 100_000, "padding": "same"},
        {"filters": 2, "kernel_size": 3},
        **IMAGE,
    ),
    sized(
        "EinsumDense",
        {"equation": "ab,bc->ac", "output_shape": 10**10},
        {"equation": "ab,bc->ac", "output_shape": 2},
    ),
    Attack(
        "D09",
        "PReLU",
        grown,
        {**layer("PReLU"), "shape": [None, 10**12], "honest": False},
        {**layer("PReLU"), "shape": [None, 3]},
        "would take",
    ),
]

NUMBERS = {"module": None, "class_name": "__numpy__", "registered_name": None}


def normalization(mean: Any) -> Json:
    return layer("Normalization", name="n", mean=mean, variance=[1.0, 1.0, 1.0])


def numbers(value: Any, dtype: str) -> Json:
    return {**NUMBERS, "config": {"value": value, "dtype": dtype}}


def padded(size: int) -> Json:
    """A layer that gives each of so many words a weight."""
    how = {"output_mode": "tf_idf", "pad_to_max_tokens": True, "max_tokens": size}
    words = {"vocabulary": ["to"], "idf_weights": [1.0]}
    return {
        **layer("StringLookup", name="l", **words, **how),
        "shape": [None, 1],
        "of": "string",
        "honest": size < 100,
    }


def stacked(folder: Path, found: Json) -> Path:
    return sequential(folder, [START, found])


def deep(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def nested_models(folder: Path, depth: int) -> Path:
    """Write models, one inside the other."""
    inner: Json = layer("ReLU", name="it")
    for i in range(depth):
        stack = [START, inner]
        inner = layer("Sequential", "keras", name=f"m{i}", layers=stack)
    return sequential(folder, [START, inner])


def long_stack(folder: Path, count: int) -> Path:
    """Write a model of so many layers, each as short as can be."""
    parts = honest()
    config = json.loads(parts["config.json"])
    config["config"]["layers"] = [START]
    text = json.dumps(
        {k: v for k, v in config.items() if not k.endswith("_config")}
    ).replace('"build_input_shape": [null, 3]', '"trainable": true')
    one = ',{"class_name":"ReLU","config":{}}'
    cut = text.index("}]", text.index("batch_shape")) + 1
    text = text[:cut] + one * count + text[cut:]
    return archive(folder / "m.keras", {**parts, "config.json": text.encode()})


def cyclic(folder: Path, how: str) -> Path:
    """Write a graph in which two layers wait for each other."""
    parts = honest("graph")
    config = json.loads(parts["config.json"])
    if how == "cycle":
        by_name = {c["name"]: c for c in config["config"]["layers"]}
        node = by_name["dense"]["inbound_nodes"][0]
        node["args"][0]["config"]["keras_history"] = ["relu", 0, 0]
    return archive(folder / "m.keras", {**parts, "config.json": dumped(config)})


def h5_cyclic(folder: Path, how: str) -> Path:
    path = folder / "m.h5"
    path.write_bytes(honest_h5("graph"))
    if how == "cycle":
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            by_name = {c["name"]: c for c in config["config"]["layers"]}
            by_name["dense"]["inbound_nodes"] = [[["relu", 0, 0, {}]]]
            by_name["relu"]["inbound_nodes"] = [[["dense", 0, 0, {}]]]
            by_name["out"]["inbound_nodes"] = [[["relu", 0, 0, {}]]]
            file.attrs["model_config"] = json.dumps(config)
    return path


def sharing(folder: Path, mark: Any) -> Path:
    """Write a layer whose activation is said to be the layer itself."""
    found = layer("Dense", name="dense", units=2)
    found["shared_object_id"] = mark
    found["config"]["activation"] = {
        **layer("ReLU", name="it"),
        "shared_object_id": mark if mark != 7 else 8,
    }
    if mark == "itself":
        found["config"]["kernel_initializer"] = found["config"]["activation"]
    return stacked_dense(folder, found)


def stacked_dense(folder: Path, found: Json) -> Path:
    return config_at(DENSE)(folder, found)


ATTACKS: list[Attack] = [
    *(
        Attack(
            family,
            f"{shape}-{entry}",
            weights_in(entry),
            declared(shape),
            unchanged,
            "declares .* bytes. Not allowed|too large",
            OPENED_BY[entry],
        )
        for family, shape in (
            ("D01", (2**51,)),
            ("D02", (939_524_096,)),
            ("D02", (2**24, 2)),
        )
        for entry in OPENED_BY
    ),
    *(
        Attack(
            "D03",
            entry,
            weights_in(entry),
            many,
            unchanged,
            "expected 2 variables",
            OPENED_BY[entry],
        )
        for entry in ("keras", "weights", "shards")
    ),
    *(
        Attack(
            "D04" if name == "config.json" else "D05",
            f"{name}-{size >> 20} MiB",
            blown_up(name),
            size,
            0,
            BOMB,
            heavy=True,
        )
        for name in ("config.json", "assets/x.txt", "model.weights.h5")
        for size in (200 << 20, 1 << 30)
    ),
    Attack("D06", "overlap", overlapping, "hostile", "benign", "overlaps"),
    Attack("D07", "smaller", lying, 10, None, "config.json|JSON"),
    Attack("D07", "larger", lying, 2**31 - 1, None, BOMB),
    Attack("D07", "zip64", zip64, 2**62, None, BOMB),
    Attack("D07", "million", crowded, 1_000_000, 0, "too many", heavy=True),
    Attack("D08", "petabyte", npz_header, f"({2**50},)", "(3,)", ".", "restore"),
    Attack("D08", "3.5 GiB", npz_header, "(939524096,)", "(3,)", ".", "restore"),
    *GROWN,
    Attack(
        "D10",
        "build_config",
        config_at(f"{DENSE}/build_config"),
        {"input_shape": [None, 10**12]},
        {"input_shape": [None, 3]},
        "would take|shape",
    ),
    Attack(
        "D11",
        "array dtype",
        stacked,
        normalization(numbers([0.0], "(1000000000,)f4")),
        normalization(numbers([0.0, 0.0, 0.0], "float32")),
        "dtype",
    ),
    Attack(
        "D11",
        "object dtype",
        stacked,
        normalization(numbers([0.0], "object")),
        normalization(numbers([0.0, 0.0, 0.0], "float32")),
        "dtype",
    ),
    Attack(
        "D11",
        "long list",
        stacked,
        normalization(numbers([0] * 4_000_000, "float32")),
        normalization([0.0, 0.0, 0.0]),
        "too many",
        heavy=True,
    ),
    Attack(
        "D12",
        "100,000 deep",
        part("config.json"),
        deep(100_000),
        honest()["config.json"],
        "too deeply",
    ),
    Attack(
        "D13",
        "900 deep",
        part("config.json"),
        deep(900),
        honest()["config.json"],
        "too deeply",
    ),
    Attack("D13", "300 models", nested_models, 300, 10, "too deeply"),
    Attack(
        "D14",
        "a million layers",
        long_stack,
        1_000_000,
        100,
        "bytes is no config",
        heavy=True,
    ),
    Attack("D14", "500,000 layers", long_stack, 500_000, 100, "too many", heavy=True),
    Attack(
        "D14",
        "long integer",
        part("config.json"),
        b"7" * 1_000_000,
        honest()["config.json"],
        "config",
    ),
    Attack(
        "D14",
        "long text",
        part("config.json"),
        b'"' + b"x" * (100 << 20) + b'"',
        honest()["config.json"],
        "is no config|bomb",
        heavy=True,
    ),
    Attack("D15", "graph", cyclic, "cycle", "", "wait for inputs"),
    Attack("D15", "h5", h5_cyclic, "cycle", "", "wait for inputs"),
    Attack("D16", "itself", sharing, "itself", 7, "Could not interpret"),
    Attack("D16", "list", sharing, [1], 7, None),
    *(
        Attack(
            "D17",
            entry,
            weights_in(entry),
            cycle,
            unchanged,
            "expected 2 variables" if not entry.startswith("h5") else None,
            OPENED_BY[entry],
        )
        for entry in OPENED_BY
    ),
    Attack(
        "D22",
        "padded vocabulary",
        grown,
        padded(10**12),
        padded(10),
        "StringLookup",
    ),
    Attack(
        "D22",
        "spectrogram",
        grown,
        {
            **layer("MelSpectrogram", name="s", fft_length=2**20, num_mel_bins=2**18),
            "shape": [None, 4096],
            "honest": False,
        },
        {
            **layer("MelSpectrogram", name="s", fft_length=64, sequence_stride=16),
            "shape": [None, 4096],
        },
        ".",
        heavy=True,
    ),
]

"""Files made to do harm: each is refused for its reason, and its honest twin loads."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Sequential
from minikeras.saving import ModelFileError, load_model


@pytest.fixture
def model() -> Sequential:
    return Sequential([layers.Input((3,)), layers.Dense(2, name="dense")])


@pytest.fixture
def members(model: Sequential, tmp_path: Path) -> dict[str, bytes]:
    """The parts of an honest file."""
    path = tmp_path / "honest.keras"
    model.save(path)
    load_model(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(path: Path, members: dict[str, bytes], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", **how) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def with_config(
    path: Path, members: dict[str, bytes], change: Callable[[Any], Any]
) -> Path:
    config = json.loads(members["config.json"])
    config = change(config) or config
    return archive(path, {**members, "config.json": json.dumps(config).encode()})


def with_weights(
    path: Path, members: dict[str, bytes], change: Callable[[Any], Any]
) -> Path:
    memory = io.BytesIO(members["model.weights.h5"])
    with h5py.File(memory, "r+") as file:
        change(file)
    return archive(path, {**members, "model.weights.h5": memory.getvalue()})


KERNEL = "layers/dense/vars/0"


def replaced(file: Any, place: str, value: Any = None, **how: Any) -> None:
    del file[place]
    if value is None:
        file.create_dataset(place, **how)
    else:
        file[place] = value


def dense(config: Any) -> dict[str, Any]:
    return config["config"]["layers"][1]["config"]


# -- code ------------------------------------------------------------------------------

LAMBDA = {"class_name": "__lambda__", "config": {"value": "gANjb3MK"}}
FOREIGN = {
    "module": "os",
    "class_name": "function",
    "config": "system",
    "registered_name": "system",
}
POPEN = {
    "module": "subprocess",
    "class_name": "Popen",
    "config": {"args": ["touch", "marker"]},
    "registered_name": None,
}


@pytest.mark.parametrize("slot", ["activation", "kernel_initializer", "units"])
@pytest.mark.parametrize(
    "payload", [LAMBDA, FOREIGN, POPEN], ids=["lambda", "os", "Popen"]
)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_no_code_comes_from_a_config(
    slot: str, payload: Any, safe_mode: bool, members: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "code.keras"
    with_config(path, members, lambda config: dense(config).update({slot: payload}))
    with pytest.raises(
        (ValueError, TypeError), match=r"code execution|Could not locate"
    ):
        load_model(path, safe_mode=safe_mode)
    assert not (tmp_path / "marker").exists()


def test_a_config_of_something_else_is_no_model(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    adam = {"module": "keras.optimizers", "class_name": "Adam", "config": {}}
    path = with_config(tmp_path / "adam.keras", members, lambda config: adam)
    with pytest.raises(ModelFileError, match="describes no model"):
        load_model(path)


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b"{", b"[]", b"\xff\xfe", b"7" * 5000]
)
def test_a_config_that_is_no_config(
    text: bytes, members: dict[str, bytes], tmp_path: Path
) -> None:
    path = archive(tmp_path / "bad.keras", {**members, "config.json": text})
    with pytest.raises(ModelFileError, match="config"):
        load_model(path)


def test_a_config_may_not_be_nested_without_end(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    def nest(config: Any) -> Any:
        for _ in range(450):
            config = {**config, "config": {"name": "m", "layers": [config]}}
        return config

    path = tmp_path / "deep.keras"
    with pytest.raises((ModelFileError, RecursionError)):
        load_model(with_config(path, members, nest))


# -- weights that lie elsewhere --------------------------------------------------------


def test_links_and_outer_data_are_not_followed(
    members: dict[str, bytes], model: Sequential, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.full((3, 2), 42, "float32")
        group = file.create_group("dense/vars")
        group["0"], group["1"] = np.full((3, 2), 42.0), np.zeros(2)
    raw = tmp_path / "secret.bin"
    raw.write_bytes(np.full((3, 2), 42, "float32").tobytes())
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[...] = h5py.VirtualSource(secret, "kernel", (3, 2))
    attacks: dict[str, Callable[[Any], Any]] = {
        "ExternalLink": lambda f: replaced(
            f, KERNEL, h5py.ExternalLink(secret, "/kernel")
        ),
        "SoftLink": lambda f: replaced(
            f, KERNEL, h5py.SoftLink("/layers/dense/vars/1")
        ),
        "ExternalLink '/layers/": lambda f: replaced(
            f, "layers/dense", h5py.ExternalLink(secret, "/dense")
        ),
        "external Dataset": lambda f: replaced(
            f, KERNEL, shape=(3, 2), dtype="float32", external=[(str(raw), 0, 24)]
        ),
        "virtual Dataset": lambda f: (
            f.__delitem__(KERNEL),
            f.create_virtual_dataset(KERNEL, layout),
        ),
        "values of type": lambda f: replaced(
            f, KERNEL, shape=(3, 2), dtype=h5py.ref_dtype
        ),
    }
    before = model.get_weights()
    for reason, change in attacks.items():
        path = with_weights(tmp_path / "outer.keras", members, change)
        with pytest.raises(ValueError, match=f"Not allowed: H5 file with {reason}"):
            load_model(path)
        with zipfile.ZipFile(path) as file:
            weights = tmp_path / "outer.weights.h5"
            weights.write_bytes(file.read("model.weights.h5"))
        with pytest.raises(ValueError, match=reason):
            model.load_weights(weights)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_shards_lie_beside_their_list(model: Sequential, tmp_path: Path) -> None:
    outside = tmp_path / "outside.weights.h5"
    model.save_weights(outside)
    folder = tmp_path / "folder"
    folder.mkdir()
    model.save_weights(folder / "m.weights.json", max_shard_size=1)
    model.load_weights(folder / "m.weights.json")
    for name in ("../outside.weights.h5", str(outside), "..\\outside.weights.h5"):
        index = {"metadata": {}, "weight_map": {"/layers/dense/vars": [name]}}
        (folder / "m.weights.json").write_text(json.dumps(index))
        with pytest.raises(ValueError, match="Not allowed"):
            model.load_weights(folder / "m.weights.json")


# -- files too large -------------------------------------------------------------------


def test_shapes_are_counted_before_they_are_read(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    for shape in ((2**50,), (900_000_000,), (2**24, 2)):
        path = with_weights(
            tmp_path / "bomb.keras",
            members,
            lambda f, shape=shape: replaced(
                f, KERNEL, shape=shape, dtype="float32", chunks=True, compression="gzip"
            ),
        )
        with pytest.raises(ValueError, match=r"declares .* bytes. Not allowed"):
            load_model(path)


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("Dense", {"units": 2_000_000_000}),
        ("Dense", {"units": 30_000_000}),
        ("Embedding", {"input_dim": 2**40, "output_dim": 8}),
        ("LSTM", {"units": 100_000}),
    ],
)
def test_a_config_may_not_ask_for_more_than_its_weights_need(
    kind: str, sizes: dict[str, int], members: dict[str, bytes], tmp_path: Path
) -> None:
    def grow(config: Any) -> None:
        layer = config["config"]["layers"][1]
        layer.update({"class_name": kind, "config": {"name": "huge", **sizes}})
        layer.pop("build_config")
        if kind == "LSTM":
            shape = [None, 4, 3]
            config["config"]["layers"][0]["config"]["batch_shape"] = shape
            config["config"]["build_input_shape"] = shape
            config.pop("build_config", None)

    path = with_config(tmp_path / "huge.keras", members, grow)
    with pytest.raises(ModelFileError, match="would take"):
        load_model(path)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "assets/x.txt"])
def test_zip_bombs_are_refused(
    name: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "bomb.keras"
    bomb = {**members, name: b" " * (200 << 20)}
    archive(path, bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ModelFileError, match="decompression bomb"):
        load_model(path)


# -- members in the wrong place --------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "assets/../../up.txt",
        "/absolute.txt",
        "..\\up.txt",
        "C:/drive.txt",
        "a//b",
        "../up",
    ],
)
def test_members_stay_in_their_folder(
    name: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    path = archive(tmp_path / "m.keras", {**members, name: b"x"})
    with pytest.raises(ModelFileError, match="Not allowed: a file with the path"):
        load_model(path)


def test_links_in_a_zip_file_are_refused(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    path = archive(tmp_path / "m.keras", members)
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("assets/link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ModelFileError, match="is a link"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    path = archive(tmp_path / "m.keras", members)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", b"{}")
    with pytest.raises(ModelFileError, match="same name"):
        load_model(path)


# -- broken files ----------------------------------------------------------------------


def test_a_file_cut_short_is_refused(
    members: dict[str, bytes], model: Sequential, tmp_path: Path
) -> None:
    whole = archive(tmp_path / "m.keras", members).read_bytes()
    weights = members["model.weights.h5"]
    before = model.get_weights()
    for share in np.linspace(0, 0.999, 40):
        path = tmp_path / "cut.keras"
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError):  # noqa: PT011 - the reason is where it was cut
            load_model(path)
        part = tmp_path / "cut.weights.h5"
        part.write_bytes(weights[: int(share * len(weights))])
        with pytest.raises(ValueError, match=r"HDF5|loaded"):
            model.load_weights(part)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_flipped_bit_is_noticed(
    members: dict[str, bytes],
    model: Sequential,
    tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    whole = bytearray(archive(tmp_path / "m.keras", members).read_bytes())
    path = tmp_path / "flipped.keras"
    want = model.get_weights()
    refused = 0
    for place in rng.integers(0, len(whole), 150):
        whole[place] ^= 1 << int(place % 8)
        path.write_bytes(whole)
        try:
            found = load_model(path).get_weights()
        except (ValueError, TypeError):
            refused += 1
        else:
            for old, new in zip(want, found, strict=True):
                np.testing.assert_array_equal(old, new)
        whole[place] ^= 1 << int(place % 8)
    assert refused > 100


def test_weights_of_other_shapes_are_refused_by_name(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    path = with_weights(
        tmp_path / "m.keras", members, lambda f: replaced(f, KERNEL, np.zeros((3, 5)))
    )
    with pytest.raises(ValueError, match=r"(?s)name=dense,.*\(3, 2\).*\(3, 5\)"):
        load_model(path)


def test_nothing_is_left_in_the_folder(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    path = archive(tmp_path / "m.keras", {**members, "config.json": b"{"})
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ModelFileError):
        load_model(path)
    assert sorted(os.listdir(tmp_path)) == before

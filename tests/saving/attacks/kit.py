"""Honest files, and how to change one place in them."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from minikeras import backend as K
from minikeras import layers
from minikeras.models import Model, Sequential

KERNEL = "layers/dense/vars/0"
SECRET = 4242.0  # what lies outside of files: it must not be seen
Json = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """A file that asks for what a file must not do, and one that asks for less.

    Attributes:
        family: number in the study of attacks, such as ``"X01"``.
        name: of this one.
        build: writes a file; its second argument says what is in the place in question.
        hostile: that, for the attack.
        benign: that, for its twin.
        why: a pattern that the reason for the refusal matches; None if the file is to
            be read, to no harm.
        how: what is done with the file, see `opening`.
        heavy: whether it takes seconds.
    """

    family: str
    name: str
    build: Callable[[Path, Any], Path]
    hostile: Any
    benign: Any
    why: str | None
    how: str = "load"
    heavy: bool = False

    def __str__(self) -> str:
        return f"{self.family}-{self.name}-{self.how}"


# -- honest files ----------------------------------------------------------------------


def small() -> Any:
    return Sequential([layers.Input((3,)), layers.Dense(2, name="dense")], name="small")


@cache
def honest(kind: str = "small") -> dict[str, bytes]:
    """The parts of an honest ``.keras`` file."""
    model = MODELS[kind]()
    if kind != "words":
        model.compile("sgd", "mse", metrics=["mae"])
    memory = io.BytesIO()
    model.save(memory)
    with zipfile.ZipFile(memory) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def honest_h5(kind: str = "small") -> bytes:
    """An honest ``.h5`` file."""
    model = MODELS[kind]()
    model.compile("sgd", "mse")
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.h5")
        return Path(folder, "m.h5").read_bytes()


def graph() -> Any:
    x = layers.Input((3,), name="x")
    h = layers.Dense(3, name="dense")(x)
    return Model(x, layers.Dense(2, name="out")(layers.ReLU(name="relu")(h)))


def words() -> Any:
    lookup = layers.StringLookup(vocabulary=["to", "be"], name="lookup")
    return Sequential([layers.Input((1,), dtype="string"), lookup])


MODELS: dict[str, Callable[[], Any]] = {"small": small, "graph": graph, "words": words}


# -- one place changed -----------------------------------------------------------------


def archive(path: Path, parts: dict[str, bytes], **how: Any) -> Path:
    with zipfile.ZipFile(path, "w", **how) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return path


def placed(config: Any, place: str, value: Any) -> None:
    """Put a value in a config, at a path such as ``config/layers/1``."""
    *above, last = [int(k) if k.isdigit() else k for k in place.split("/")]
    for key in above:
        config = config[key]
    config[last] = value


def config_at(place: str, kind: str = "small") -> Callable[[Path, Any], Path]:
    """Return what writes a ``.keras`` file with a value at a place of its config."""

    def build(folder: Path, value: Any) -> Path:
        parts = honest(kind)
        config = json.loads(parts["config.json"])
        placed(config, place, value)
        return archive(folder / "m.keras", {**parts, "config.json": dumped(config)})

    return build


def dumped(config: Any) -> bytes:
    return config if isinstance(config, bytes) else json.dumps(config).encode()


def layer(class_name: str, module: str = "keras.layers", **config: Any) -> Json:
    """The config of an object."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": None,
    }


def h5_config_at(place: str, kind: str = "small") -> Callable[[Path, Any], Path]:
    """Return what writes an ``.h5`` file with a value at a place of its config."""

    def build(folder: Path, value: Any) -> Path:
        path = folder / "m.h5"
        path.write_bytes(honest_h5(kind))
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            placed(config, place, value)
            file.attrs["model_config"] = json.dumps(config)
        return path

    return build


def sequential(folder: Path, stack: list[Any]) -> Path:
    """Write a ``.keras`` file whose model is a stack of these layers."""
    parts = honest()
    config = json.loads(parts["config.json"])
    config["config"]["layers"] = stack
    config["config"].pop("build_input_shape", None)
    for key in ("build_config", "compile_config"):
        config.pop(key, None)
    return archive(folder / "m.keras", {**parts, "config.json": dumped(config)})


def grown(folder: Path, found: Json) -> Path:
    """Write a model whose one layer may be large."""
    config = dict(found)
    shape = config.pop("shape", [None, 3])
    dtype = config.pop("of", "float32")
    is_honest = config.pop("honest", True)
    start = layer("InputLayer", batch_shape=shape, dtype=dtype, name="x")
    return (built if is_honest else sequential)(folder, [start, config])


def built(folder: Path, stack: list[Json]) -> Path:
    """Write a stack of layers, with its weights."""
    model = Sequential([K.deserialize_keras_object(c) for c in stack])
    model.save(folder / "m.keras")
    return folder / "m.keras"


def part(name: str, **how: Any) -> Callable[[Path, Any], Path]:
    """Return what writes a ``.keras`` file with one part changed."""

    def build(folder: Path, data: bytes) -> Path:
        return archive(folder / "m.keras", {**honest(), name: data}, **how)

    return build


Change = Callable[[Any, str, Path], None]  # a file, the place of a kernel, outside


def secret(folder: Path) -> Path:
    """Make the files outside that hold a secret, and return their folder."""
    outside = folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    value = np.full((3, 2), SECRET, "float32")
    with h5py.File(outside / "secret.h5", "w") as file:
        file["kernel"] = value
        for group in (
            file.create_group("dense/vars"),
            file.create_group("dense/dense"),
        ):
            group["0"] = group["kernel"] = value
            group["1"] = group["bias"] = value[0]
    (outside / "secret.bin").write_bytes(value.tobytes())
    (outside / "secret.txt").write_text(f"{SECRET}\nword\n")
    return outside


def weights_in(entry: str) -> Callable[[Path, Change], Path]:
    """Return what writes a file of weights and lets a change be made in it.

    Args:
        entry: ``"keras"``, ``"weights"``, ``"h5"``, ``"h5 weights"`` or ``"shards"``.
    """

    def build(folder: Path, change: Change) -> Path:
        outside = secret(folder)
        if entry.startswith("h5"):
            path = folder / "m.h5"
            path.write_bytes(honest_h5())
            with h5py.File(path, "r+") as file:
                change(file, "model_weights/dense/small/dense/kernel", outside)
            return path
        memory = io.BytesIO(honest()["model.weights.h5"])
        with h5py.File(memory, "r+") as file:
            change(file, KERNEL, outside)
        if entry == "keras":
            return part("model.weights.h5")(folder, memory.getvalue())
        name = "m_00000.weights.h5" if entry == "shards" else "m.weights.h5"
        (folder / name).write_bytes(memory.getvalue())
        if entry == "shards":
            listed = {"/layers/dense/vars": [name]}
            (folder / "m.weights.json").write_text(
                json.dumps({"metadata": {}, "weight_map": listed})
            )
            return folder / "m.weights.json"
        return folder / name

    return build


OPENED_BY = {
    "keras": "load",
    "weights": "weights",
    "h5": "load",
    "h5 weights": "weights",
    "shards": "weights",
}


def unchanged(file: Any, kernel: str, outside: Path) -> None:
    """The change of a benign twin: none."""

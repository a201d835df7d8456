"""What a file of a model holds: its config, its tensors' shapes, its versions.

Nothing is made of it: no layer, no array. So a file can be looked at that needs classes
which are not there, or that one does not trust.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from minikeras.saving.bundles import ASSETS, Archive, Bundle, Folder
from minikeras.saving.files import CONFIG, METADATA, WEIGHTS
from minikeras.saving.hdf5 import Attributes, h5py, opened
from minikeras.saving.limits import DEEPEST, ModelFileError, read_json, safe_name

__all__ = ["Contents", "StoredTensor", "contents_of"]

MOST_GROUPS = 200_000
ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
LARGEST_HEADER = 100 << 20  # bytes: the limit that safetensors sets itself
TRAINING = "training_config"  # attribute of an .h5 file
# The dtypes of safetensors by NumPy's names.
DTYPES = {
    "BF16": "bfloat16",
    "BOOL": "bool",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}


class StoredTensor(NamedTuple):
    """A tensor in a file: where it is, and its form."""

    path: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass
class Contents:
    """What a file holds.

    Attributes:
        path: of the file or folder.
        format: which of Keras's formats, or another.
        size: in bytes.
        versions: what the file says of who wrote it, and when.
        config: of the model; None if there is none.
        training: how the model was compiled; None if it was not.
        tensors: in the order of the file.
        names: of layers, by the groups that hold what belongs to them.
        assets: names of other files in it, such as vocabularies.
    """

    path: str
    format: str
    size: int
    versions: dict[str, Any] = field(default_factory=dict)
    config: Any = None
    training: Any = None
    tensors: list[StoredTensor] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    assets: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all of it in JSON's terms."""
        tensors = [{**x._asdict(), "shape": [*x.shape]} for x in self.tensors]
        return json.loads(json.dumps({**vars(self), "tensors": tensors}, default=str))


def contents_of(path: Any) -> Contents:
    """Return what a file holds; which kind it is, its first bytes say.

    Args:
        path: of a ``.keras`` file, or the folder of one; of an ``.h5``, a
            ``.weights.h5``, a ``.weights.json`` with its shards, or a ``.safetensors``.

    Raises:
        ModelFileError: if it is none of these, or broken.
        OSError: if it cannot be read.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        return _of_bundle(Folder(name), "folder")
    with open(name, "rb") as file:
        start = file.read(8)
        if start.startswith(ZIP):
            return _of_bundle(Archive(file, name), ".keras")
    if start == HDF5:
        return _of_hdf5(name, os.path.getsize(name))
    if name.endswith(".json"):
        return _of_shards(name)
    if name.endswith(".safetensors"):
        return _of_safetensors(name)
    raise ModelFileError(
        f"{name} is no file of a model that can be read here: none of .keras, .h5, "
        ".weights.h5, .weights.json and .safetensors"
    )


def _of_bundle(bundle: Bundle, format: str) -> Contents:
    found = Contents(bundle.name, format, bundle.size)
    config = read_json(bundle.read(CONFIG), f"{bundle.name}: {CONFIG}")
    found.config = config
    if isinstance(config, dict):
        found.training = config.get("compile_config")
    if METADATA in bundle.names:
        metadata = read_json(bundle.read(METADATA), f"{bundle.name}: {METADATA}")
        found.versions = dict(metadata) if isinstance(metadata, dict) else {}
    if WEIGHTS in bundle.names:
        data = io.BytesIO(bundle.read(WEIGHTS))
        with closing(opened(data, f"{bundle.name}: {WEIGHTS}")) as file:
            _add_groups(found, file)
    found.assets = sorted(name for name in bundle.names if name.startswith(ASSETS))
    return found


def _of_hdf5(name: str, size: int) -> Contents:
    with closing(opened(name, name)) as file:
        attributes = Attributes(file)
        has_model = "model_config" in attributes
        is_old = (
            has_model or "layer_names" in attributes or "layer_names0" in attributes
        )
        found = Contents(name, ".h5" if is_old else ".weights.h5", size)
        for key in ("keras_version", "backend"):
            if key in attributes:
                found.versions[key] = _text(attributes[key])
        if has_model:
            found.config = read_json(_text(attributes["model_config"]), name)
        if TRAINING in attributes:
            found.training = read_json(_text(attributes[TRAINING]), name)
        _add_groups(found, file)
        if is_old:
            weights = file.get("model_weights", file)
            below = "model_weights/" if "model_weights" in file else ""
            found.names = {f"{below}{key}": str(key) for key in weights}
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _of_shards(name: str) -> Contents:
    """Return what the shards that a ``.weights.json`` lists hold together."""
    index = read_json(Path(name).read_bytes(), name)
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict):
        raise ModelFileError(f"{name} does not list shards of weights")
    listed = [x if isinstance(x, list) else [x] for x in places.values()]
    files = sorted({safe_name(str(x)) for several in listed for x in several})
    found = Contents(name, ".weights.json", os.path.getsize(name))
    for file in files:
        place = Path(name).with_name(file)
        part = _of_hdf5(str(place), place.stat().st_size)
        found.size += part.size
        found.tensors += part.tensors
        found.names |= part.names
    return found


def _of_safetensors(name: str) -> Contents:
    """Return what the header says: its length in 8 bytes, then JSON."""
    size = os.path.getsize(name)
    with open(name, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, LARGEST_HEADER):
            raise ModelFileError(f"{name} is no safetensors file: its header is broken")
        header = read_json(file.read(length), name)
    if not isinstance(header, dict):
        raise ModelFileError(f"{name} is no safetensors file: its header is broken")
    found = Contents(name, ".safetensors", size, dict(header.pop("__metadata__", {})))
    try:
        found.tensors = [
            StoredTensor(key, tuple(map(int, x["shape"])), _dtype(str(x["dtype"])))
            for key, x in header.items()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name}: the header does not say shapes") from error
    return found


def _dtype(name: str) -> str:
    return DTYPES.get(name, name.lower())


def _add_groups(found: Contents, file: Any) -> None:
    """Add the tensors of an HDF5 file, and the names that its groups give layers."""
    for path, item in _items(file):
        if isinstance(item, h5py().Dataset):
            dtype = str(Attributes(item).get("dtype", item.dtype))
            found.tensors.append(StoredTensor(path, tuple(item.shape or ()), dtype))
        elif path.endswith("vars") and "name" in Attributes(item):
            found.names[path.removesuffix("vars").rstrip("/")] = _text(
                Attributes(item)["name"]
            )


def _items(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an HDF5 file holds itself, with its path; links are not followed.

    Raises:
        ModelFileError: if it holds too much, or a link that leads elsewhere.
    """
    left: list[tuple[str, Any]] = [("", file)]
    seen = 0
    while left:
        path, item = left.pop()
        if path:
            yield path, item
        if not isinstance(item, h5py().Group):
            continue
        seen += len(item)
        if seen > MOST_GROUPS or path.count("/") > DEEPEST:
            raise ModelFileError(f"{file.filename}: too many groups, or too deep ones")
        below = []
        for key in item:
            link = item.get(key, getlink=True)
            if not isinstance(link, h5py().HardLink):
                raise ModelFileError(
                    f"Not allowed: H5 file with {type(link).__name__} '{path}/{key}'"
                )
            below.append((f"{path}/{key}".lstrip("/"), item[key]))
        left += sorted(below, key=_in_order, reverse=True)


def _in_order(entry: tuple[str, Any]) -> tuple[str, int, str]:
    """Sort the variables of a layer, which have numbers for names, by these."""
    above, _, key = entry[0].rpartition("/")
    return above, int(key) if key.isdigit() else -1, key

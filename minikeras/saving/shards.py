"""Weights in several files, none larger than asked for, and a list of what is where."""

from __future__ import annotations

import json
import re
import warnings
from collections import ChainMap
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from itertools import chain
from itertools import count as counter
from pathlib import Path
from typing import Any

from minikeras.saving.durable import atomic_write
from minikeras.saving.hdf5 import Weights, written
from minikeras.saving.limits import ModelFileError, read_json, safe_name, size_on_disk
from minikeras.saving.states import Saved

__all__ = ["ShardedWeights", "write_shards"]

States = dict[str, Saved]


def write_shards(path: Any, states: Mapping[str, Saved], max_shard_size: float) -> None:
    """Write states into files beside a ``.weights.json`` that lists them.

    Args:
        path: of that list.
        states: what is to be written.
        max_shard_size: of a file, in units of 2**30 bytes.

    Raises:
        ValueError: if a single array is larger.
    """
    listed = _listed(path, "Saving")
    shards = _split(states, max_shard_size * 2**30)
    old = _listed_names(listed)
    names = _names(listed, len(shards), old)
    places: dict[str, list[str]] = {}
    for name, shard in zip(names, shards, strict=True):
        for inner, state in shard.items():
            if state.values:
                places.setdefault(_key(inner), []).append(name)
    arrays = (value for state in states.values() for value in state.values.values())
    total = float(sum(value.nbytes for value in arrays))
    index = {"metadata": {"total_size": total}, "weight_map": places}
    with ExitStack() as files:
        # Files take their places in the reverse order: the list comes last.
        file = files.enter_context(atomic_write(listed))
        file.write(json.dumps(index, indent=4).encode())
        for name, shard in zip(names, shards, strict=True):
            shard_file = files.enter_context(atomic_write(listed.with_name(name)))
            shard_file.write(written(shard, alone=True))
    for name in old.difference(names):
        listed.with_name(name).unlink(missing_ok=True)


def _listed_names(listed: Path) -> set[str]:
    """Return the names of the files that a list has, if there is one."""
    with suppress(ValueError, TypeError, LookupError, AttributeError, OSError):
        places = read_json(listed.read_bytes(), str(listed))["weight_map"].values()
        names = {str(name) for found in places for name in _as_list(found)}
        # A list may name any file: only those are ours that are called like ours.
        ours = re.compile(rf"{re.escape(_stem(listed))}(-\d+)?_\d{{5}}\.weights\.h5")
        return {name for name in names if ours.fullmatch(name)}
    return set()


def _as_list(names: Any) -> list[Any]:
    return [names] if isinstance(names, str) else names


def _names(listed: Path, count: int, taken: set[str]) -> list[str]:
    """Return names for files: Keras's, or others if the list there has these.

    So the old files stay whole until the new list is in its place.
    """
    stem = _stem(listed)
    stems = chain([stem], (f"{stem}-{way}" for way in counter(1)))
    ways = ([f"{s}_{i:05}.weights.h5" for i in range(count)] for s in stems)
    return next(names for names in ways if taken.isdisjoint(names))


def _stem(listed: Path) -> str:
    return listed.name.removesuffix(".json").removesuffix(".weights")


def _split(states: Mapping[str, Saved], most: float) -> list[States]:
    """Return states in parts of at most `most` bytes, in order."""
    shards: list[States] = [{}]
    size = 0
    for path, (name, values) in states.items():
        shards[-1][path] = Saved(name, {})
        for key, value in values.items():
            if value.nbytes > most:
                raise ValueError(
                    f"The size of '{path}/vars/{key}' is {value.nbytes:,} bytes, which "
                    f"exceeds the maximum shard size, {int(most):,}: increase "
                    "`max_shard_size`."
                )
            if size + value.nbytes > most:
                shards.append({})
                size = 0
            size += value.nbytes
            shards[-1].setdefault(path, Saved(None, {})).values[key] = value
    return shards


def _key(path: str) -> str:
    return f"/{path}/vars" if path else "/vars"


def _listed(path: Any, doing: str) -> Path:
    """Return the path of the list: one that ends in ``.json``."""
    given = Path(path)
    if given.suffix == ".json":
        return given
    renamed = given.with_suffix(".json")
    warnings.warn(
        f"{doing} sharded weights requires `*.json` as the extension. The original "
        f"path: {given} will be renamed to {renamed}.",
        stacklevel=4,
    )
    return renamed


class ShardedWeights:
    """Weights in several files, opened for reading.

    Args:
        path: of the ``.weights.json`` that lists them.
    """

    def __init__(self, path: Any) -> None:
        self._path = _listed(path, "Loading")
        self._open: dict[str, Weights] = {}
        index = read_json(self._path.read_bytes(), str(self._path))
        try:
            self._places = {
                key: [safe_name(name) for name in _as_list(names)]
                for key, names in index["weight_map"].items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(f"{self._path} does not list shards") from error

    def at(self, path: str) -> Mapping[str, Any]:
        """Return the arrays of the object at this path; none if it has none."""
        names = self._places.get(_key(path), [])
        return ChainMap(*(self._shard(name).at(path) for name in names))  # type: ignore[arg-type]

    def _shard(self, name: str) -> Weights:
        if name not in self._open:
            if "/" in safe_name(name):
                raise ModelFileError(
                    f"Not allowed: a shard in another folder, {name!r}"
                )
            place = self._path.with_name(name)
            size = size_on_disk(place)
            self._open[name] = Weights(place, size, str(place))
        return self._open[name]

    def close(self) -> None:
        """Close the files."""
        for weights in self._open.values():
            weights.close()

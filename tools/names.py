"""Which of Keras's public names minikeras has, as a page of the reference.

    python tools/names.py             writes docs/reference/names.md
    python tools/names.py --refresh   first writes tools/keras_names.txt, from Keras

The list of Keras's names is kept, so that the page and its test need no Keras.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tools" / "keras_names.txt"
PAGE = ROOT / "docs" / "reference" / "names.md"
PRIVATE = {"keras.src", "keras._tf_keras"}

Names = Mapping[str, Iterable[str]]

HEAD = """\
# Names of Keras

Made by `tools/names.py`: of the {count} public names of Keras {version}, {present} are
here, under the same names. What is missing is listed.

| namespace | names | missing |
| --- | --- | --- |
"""


def of_keras() -> dict[str, list[str]]:
    """Return the public names of each of Keras's namespaces; it must be installed."""
    keras = importlib.import_module("keras")
    rooms = {"keras": keras, **dict(_below(keras))}
    found = {name: _public(room) for name, room in rooms.items()}
    return {name: names for name, names in sorted(found.items()) if names}


def _below(package: ModuleType) -> Iterable[tuple[str, ModuleType]]:
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if info.name not in PRIVATE and info.ispkg:
            room = importlib.import_module(info.name)
            yield info.name, room
            yield from _below(room)


def _public(room: ModuleType) -> list[str]:
    return [
        name
        for name in sorted(dir(room))
        if not name.startswith("_") and not inspect.ismodule(getattr(room, name))
    ]


def read() -> tuple[str, dict[str, list[str]]]:
    """Return the version of Keras and its names, as they are kept in the list."""
    version, *lines = LIST.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(": ") for line in lines)
    return version, {room: names.split() for room, names in pairs}


def write(version: str, names: Names) -> None:
    """Keep the names in the list."""
    lines = [version, *(f"{room}: {' '.join(all_)}" for room, all_ in names.items())]
    LIST.write_text("\n".join(lines) + "\n", encoding="utf-8")


def missing() -> dict[str, list[str]]:
    """Return for each namespace the names that minikeras lacks."""
    return {
        room: [name for name in names if not _has(room, name)]
        for room, names in read()[1].items()
    }


def _has(room: str, name: str) -> bool:
    found: Any = importlib.import_module("minikeras")
    for part in (*room.split(".")[1:], name):
        try:
            found = getattr(found, part)
        except AttributeError:
            return False
    return True


def page() -> str:
    """Return the page of the reference."""
    version, names = read()
    lacking = missing()
    rows = [
        f"| `{room}` | {len(all_) - len(lacking[room])} of {len(all_)} | "
        f"{' '.join(f'`{name}`' for name in lacking[room])} |\n"
        for room, all_ in names.items()
    ]
    count = sum(map(len, names.values()))
    present = count - sum(map(len, lacking.values()))
    head = HEAD.format(count=count, version=version, present=present)
    return head + "".join(row.replace("|  |", "| |") for row in rows)


def main(arguments: list[str]) -> None:
    """Write the page, and the list before it if that is asked for."""
    if "--refresh" in arguments:
        write(importlib.import_module("keras").__version__, of_keras())
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Hostile files are refused, each for its reason, and do nothing; their twins load."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.saving.attacks import broken, building, code, places, sizes, tensors
from tests.saving.attacks.kit import Attack

ATTACKS: list[Attack] = [
    *code.ATTACKS,
    *places.ATTACKS,
    *sizes.ATTACKS,
    *building.ATTACKS,
    *broken.ATTACKS,
    *tensors.ATTACKS,
]
SECONDS, MEMORY = 8.0, 300 << 20
TWINS = ("hostile", "benign")
ROOT = Path(__file__).parents[3]

Results = dict[tuple[str, str], dict[str, Any]]


def tree(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, with its contents."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def guarded(jobs: list[tuple[str, str]], folder: Path) -> list[dict[str, Any]]:
    """Open files in processes that are watched; also by strace, if it is here."""
    command = [sys.executable, "-m", "tests.saving.attacks.guard"]
    if shutil.which("strace"):
        how = [
            "-f",
            "-qq",
            "--seccomp-bpf",
            "-e",
            "trace=openat,connect,execve",
            "-o",
            "calls.txt",
        ]
        command = ["strace", *how, *command]
    paths = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "TMPDIR": str(folder / "temporary"),
        "MINIKERAS_KERNELS": "numpy",  # nothing is compiled, and no library loaded
    }
    done = subprocess.run(
        command,
        input=json.dumps(jobs),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def check_calls(calls: str) -> None:
    """Raise an error if the system was asked for what lies outside of the files.

    Libraries in C open files and sockets unseen by Python's audit hooks.
    """
    wrong = re.compile(r'"[^"]*/(secret\.\w+|passwd|marker)"|AF_INET')
    _, _, watched = calls.partition("watched from here")
    found = [x for x in watched.splitlines() if wrong.search(x) and "ENOENT" not in x]
    assert watched
    assert not found
    assert "execve(" not in watched, "a program was started"


def run(attacks: list[Attack], root: Path) -> Results:
    """Build the files of attacks and of their twins, and open them all."""
    (root / "work" / "temporary").mkdir(parents=True)
    jobs, keys = [], []
    for i, attack in enumerate(attacks):
        for twin in TWINS:
            folder = root / f"{i}-{twin}" / "files"
            folder.mkdir(parents=True)
            path = attack.build(folder, getattr(attack, twin))
            jobs.append((attack.how, str(path)))
            keys.append((str(attack), twin))
    before = tree(root)
    results = guarded(jobs, root / "work")
    saved = [name for name in tree(root) if ".again." in name]
    for name in saved:
        (root / name).unlink()
    calls = root / "work" / "calls.txt"
    if calls.exists():
        check_calls(calls.read_text())
        calls.unlink()
    assert tree(root) == before, "files were written"
    assert not list(root.rglob("marker"))
    return dict(zip(keys, results, strict=True))


def fault(attack: Attack, twin: str, found: dict[str, Any]) -> str:
    """Return what is wrong with how a file was read, nothing if all is well."""
    if "killed" in found:
        return f"killed by signal {-found['killed']}"
    message, error = found["message"], found["error"]
    why = attack.why if twin == "hostile" else None
    known = {"ValueError", "TypeError", "OSError"}
    said = f"{error}: {message[-300:]}"
    faults = {
        f"the twin is refused: {said}": twin == "benign" and error,
        "it was read": why and not error,
        f"another reason: {said}": why and error and not re.search(why, message),
        f"an error of another kind: {said}": error and not known & set(found["kinds"]),
        f"it asked for {found['events']}": found["events"],
        "it shows what lies outside": found["secret"],
        "it changed settings": not found["same settings"],
        f"it took {found['memory'] >> 20} MiB": found["memory"] > MEMORY,
        f"it took {found['seconds']:.1f} s": found["seconds"] > SECONDS,
    }
    return "; ".join(fault for fault, present in faults.items() if present)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What came of the attacks that are quickly made."""
    chosen = [attack for attack in ATTACKS if not attack.heavy]
    return run(chosen, tmp_path_factory.mktemp("quick") / "root")


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Results:
    chosen = [attack for attack in ATTACKS if attack.heavy]
    return run(chosen, tmp_path_factory.mktemp("heavy") / "root")


def test_names_are_unique() -> None:
    assert max(Counter(map(str, ATTACKS)).values()) == 1


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if not a.heavy], ids=str)
def test_files(attack: Attack, twin: str, quick: Results) -> None:
    assert not fault(attack, twin, quick[str(attack), twin])


@pytest.mark.slow
@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.heavy], ids=str)
def test_large_files(attack: Attack, twin: str, heavy: Results) -> None:
    assert not fault(attack, twin, heavy[str(attack), twin])

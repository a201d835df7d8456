"""What a kill, a full disk and a changed bit leave of files, and of a training.

    python benchmarks/durability.py --trials 30 --seed 0

Every trial has a process of its own, which is killed with SIGKILL at a random moment.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.saving.durability import killing, training


def table(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table in Markdown."""
    for row in (head, ["---"] * len(list(head)), *rows):
        print("|", " | ".join(map(str, row)), "|", flush=True)
    print()


def kills_while_saving(trials: int, seed: int) -> Iterable[Iterable[Any]]:
    """Yield a row for each writer: how many files were the old, the new, broken."""
    for name in killing.WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            found = killing.killed_while_saving(name, Path(folder), trials, seed)
        yield name, trials, found[1.0] + found[2.0], found["broken"]


def kills_in_training(trials: int, seed: int) -> Iterable[Iterable[Any]]:
    """Yield a row for each kind of training: how many came out equal."""
    rng = random.Random(seed)
    for name in training.CASES:
        good = {"losses": 0, "end": 0, "files": 0}
        for number in range(trials):
            save_freq = ("epoch", 1, 5)[number % 3]
            with tempfile.TemporaryDirectory() as folder:
                found = killing.killed_in_training(name, Path(folder), save_freq, rng)
            for what, fine in found.items():
                good[what] += fine
        yield name, trials, good["losses"], good["end"], good["files"]


def full_disks(levels: int) -> Iterable[Iterable[Any]]:
    """Yield a row for each writer: at how many fill levels the old file stayed."""
    for name in killing.WRITERS:
        kept = refused = 0
        for level in range(levels):
            with tempfile.TemporaryDirectory() as folder:
                share = level / levels
                work = partial(full, name, Path(folder), share)
                found = killing.in_child(lambda ready, work=work: work())
            refused += found[0]
            kept += found[1]
        yield name, levels, refused, kept


def full(name: str, folder: Path, share: float) -> tuple[bool, bool]:
    """Save with too little room; return whether it failed, and the old file stayed."""
    path, save, _ = killing.WRITERS[name]
    save(killing.model_of(1.0), folder / path)
    size = max(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    new = killing.model_of(2.0)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * share), hard))
    try:
        save(new, folder / path)
        failed = False
    except OSError:
        failed = True
    return failed, killing.value_in(name, folder) == 1.0


def broken_backups(trials: int, seed: int) -> tuple[int, int]:
    """Return how many broken backups there were, and after how many all was equal."""
    rng, equal = random.Random(seed), 0
    for number in range(trials):
        with tempfile.TemporaryDirectory() as folder:
            equal += killing.in_child(
                lambda ready, f=Path(folder), n=number: killing.fell_back(f, n, rng)
            )
    return trials, equal


def main() -> None:
    """Run all trials, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=30, help="kills for each writer")
    parser.add_argument("--trainings", type=int, default=9, help="of each kind")
    parser.add_argument("--levels", type=int, default=20, help="of a full disk")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    start = time.perf_counter()
    print(f"seed {given.seed}\n")
    saves = kills_while_saving(given.trials, given.seed)
    table(("writer", "kills while saving", "old or new file", "broken"), saves)
    disks = full_disks(given.levels)
    table(("writer", "full disks", "error", "old file stayed"), disks)
    backups = broken_backups(given.trials, given.seed)
    table(("broken backups", "resumed from the one before, bit for bit"), [backups])
    head = (
        "training",
        "runs, killed twice",
        "losses equal",
        "end equal",
        "files whole",
    )
    table(head, kills_in_training(given.trainings, given.seed))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()

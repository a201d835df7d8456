"""Seconds that `import minikeras` takes in a new process, beside `import numpy`.

Processes take turns, so that a change of the machine's speed meets both; the best of
each counts. The byte code is there already, as after any first import, and what a bare
interpreter needs to start is left out.

    python benchmarks/bench_import.py [--rounds 10]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

IMPORTS = {
    "numpy": "import numpy",
    "minikeras": "import minikeras",
    "every room": "import minikeras\nfor n in dir(minikeras): getattr(minikeras, n)",
}
TIMED = """
import time
began = time.perf_counter()
{program}
print(time.perf_counter() - began)
"""


def seconds(program: str, cache: str) -> float:
    """Run imports in a process of their own; return how long they took."""
    command = [sys.executable, "-c", TIMED.format(program=program)]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return float(subprocess.check_output(command, env=environment))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="import time of minikeras")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    programs = IMPORTS.values()
    with tempfile.TemporaryDirectory() as cache:
        for program in programs:
            seconds(program, cache)  # writes the byte code
        rows = [
            [seconds(program, cache) for program in programs] for _ in range(rounds)
        ]
    best = [min(column) for column in zip(*rows, strict=True)]
    for name, value in zip(IMPORTS, best, strict=True):
        print(f"{name:10} {value * 1e3:6.1f} ms, {value / best[0]:.2f} of numpy's")
    print("goal: minikeras below 2 of numpy's")


if __name__ == "__main__":
    main()

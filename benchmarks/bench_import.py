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

IMPORTS = ("numpy", "minikeras")
TIMED = """
import time
began = time.perf_counter()
import {name}
print(time.perf_counter() - began)
"""


def seconds(name: str, cache: str) -> float:
    """Import `name` in a process of its own; return how long it took."""
    command = [sys.executable, "-c", TIMED.format(name=name)]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return float(subprocess.check_output(command, env=environment))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="import time of minikeras")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as cache:
        seconds("minikeras", cache)  # writes the byte code
        rows = [[seconds(name, cache) for name in IMPORTS] for _ in range(rounds)]
    best = [min(column) for column in zip(*rows, strict=True)]
    for name, value in zip(IMPORTS, best, strict=True):
        print(f"{name:10} {value * 1e3:6.1f} ms")
    print(f"minikeras / numpy: {best[1] / best[0]:.2f} (goal: below 2)")


if __name__ == "__main__":
    main()

"""From the start of a process to its first prediction, and to its first trained batch.

Keras writes an MLP (784-128-10, dropout, Adam) to a ``.keras`` file. Then each
framework, in a new process, loads it and predicts a row; or makes the same model and
trains on a batch of 32. The processes take turns; the best of each counts, as wall time
and as processor time of all threads: the second says about the same on a machine that
others use too. Byte code is there already, as after any first start.

    python benchmarks/bench_start.py --peer-python /tmp/peers/bin/python [--rounds 7]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

MODEL = """
layers = keras.layers
model = keras.Sequential([
    keras.Input((784,)), layers.Dense(128, activation="relu"), layers.Dropout(0.2),
    layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""
STAGED = """
import json, sys, time
stages = []
def stage(name):
    stages.append((name, time.process_time()))
stage("interpreter")
import numpy as np
stage("numpy")
import {package} as keras
{program}
print(json.dumps(stages))
"""
PROGRAMS = {
    "first prediction": """
load = keras.models.load_model
stage("import")
model = load({file!r})
stage("load")
model.predict(np.ones((1, 784), "float32"), verbose=0)
stage("predict")
""",
    "first trained batch": f"""
{MODEL}
stage("import, build")
model.train_on_batch(np.ones((32, 784), "float32"), np.zeros(32, "int32"))
stage("train")
""",
}


class Framework(NamedTuple):
    """How a framework is started: package, environment, and whether it is a peer."""

    package: str
    environment: dict[str, str]
    peer: bool


FRAMEWORKS = {
    "minikeras": Framework("minikeras", {}, peer=False),
    "minikeras, kernels of NumPy": Framework(
        "minikeras", {"MINIKERAS_KERNELS": "numpy"}, peer=False
    ),
    **{
        f"Keras, {name}": Framework("keras", {"KERAS_BACKEND": name}, peer=True)
        for name in ("jax", "tensorflow", "torch")
    },
}
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
}


class Start(NamedTuple):
    """What one process took, in seconds."""

    wall: float
    processor: float
    stages: list[tuple[str, float]]


def started(python: str, program: str, environment: dict[str, str]) -> Start:
    """Run a program in a new process."""
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(
        [python, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    spent = after.children_user - before.children_user
    spent += after.children_system - before.children_system
    return Start(wall, spent, json.loads(done.stdout.splitlines()[-1]))


def written(path: Path, python: str, environment: dict[str, str]) -> None:
    """Let Keras write the file."""
    backend = {"KERAS_BACKEND": "jax"}
    program = f"import keras\n{MODEL}\nmodel.save({str(path)!r})\n"
    subprocess.run(
        [python, "-c", program],
        env=environment | backend,
        check=True,
        capture_output=True,
    )


def measured(given: argparse.Namespace, folder: Path) -> dict[tuple[str, str], Start]:
    """Return the best start of each framework with each program."""
    base = os.environ | QUIET | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    base.pop("PYTHONDONTWRITEBYTECODE", None)
    file = folder / "mlp.keras"
    written(file, given.peer_python, base)
    best: dict[tuple[str, str], Start] = {}
    missing: set[str] = set()
    for turn in range(given.rounds + 1):  # the first one writes byte code
        for name, (package, environment, peer) in FRAMEWORKS.items():
            python = given.peer_python if peer else sys.executable
            for title, program in PROGRAMS.items():
                if name in missing:
                    continue
                inside = program.replace("{file!r}", repr(str(file)))
                text = STAGED.format(package=package, program=inside)
                try:
                    start = started(python, text, base | environment)
                except RuntimeError as error:
                    print(f"{name}: left out, {error}", file=sys.stderr)
                    missing.add(name)
                    continue
                known = best.get((title, name), start)
                if turn:
                    best[title, name] = better(known, start)
    return best


def better(one: Start, other: Start) -> Start:
    """Return the least of each: walls apart from processor times and their stages."""
    least = min(one, other, key=lambda start: start.processor)
    return least._replace(wall=min(one.wall, other.wall))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="time to the first result")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        best = measured(given, Path(folder))
    for title in PROGRAMS:
        print(f"\n| {title} | wall, s | processor, s | processor time by stage, ms |")
        print("|---|---|---|---|")
        for name in FRAMEWORKS:
            if (title, name) not in best:
                continue
            wall, processor, stages = best[title, name]
            ends = [0.0, *(end for _, end in stages)]
            spans = [b - a for a, b in pairwise(ends)]
            parts = [
                f"{part} {span * 1e3:.0f}"
                for (part, _), span in zip(stages, spans, strict=True)
            ]
            print(f"| {name} | {wall:.2f} | {processor:.2f} | {', '.join(parts)} |")


if __name__ == "__main__":
    main()

"""Processes that take turns: each framework at each workload, on some cores.

One process a framework and workload, so that none warms or burdens another; rounds in
which each has its turn, so that a change of the machine's speed meets all of them; one
core with one thread, and all cores with as many.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from workloads import WORKLOADS

HERE = Path(__file__).parent
COMPILATION = 300.0  # seconds that a process may take on top of its budget


class Framework(NamedTuple):
    """What a column stands for: the module that runs it, and its environment."""

    side: str
    environment: Mapping[str, str] = MappingProxyType({})
    peer: bool = True


FRAMEWORKS = {
    "floor": Framework("floor", peer=False),
    "minikeras": Framework("keras_fit", peer=False),
    "minikeras-numpy": Framework(
        "keras_fit", {"MINIKERAS_KERNELS": "numpy"}, peer=False
    ),
    "keras-tensorflow": Framework("keras_fit", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Framework("keras_fit", {"KERAS_BACKEND": "jax"}),
    "keras-torch": Framework("keras_fit", {"KERAS_BACKEND": "torch"}),
    "torch": Framework("torch_steps"),
    "torch.compile": Framework("torch_steps"),
    "jax.jit": Framework("jax_steps"),
}
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
}
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
UNSET = ("MINIKERAS_KERNELS", "PYTHONDONTWRITEBYTECODE")

# One process's findings, as child.py prints them, with where they belong.
Finding = dict[str, Any]


def parser(description: str, rows: Iterable[str]) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    found = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = found.add_argument
    for option, choices in {"rows": [*rows], "frameworks": [*FRAMEWORKS]}.items():
        add(
            f"--{option}",
            nargs="+",
            choices=choices,
            default=choices,
            metavar=option[:-1].upper(),
            help=f"of {', '.join(choices)} (default: all)",
        )
    add("--cores", choices=("1", "all", "both"), default="both")
    add("--rounds", type=int, default=3, help="runs of each process (default: 3)")
    add("--budget", type=float, default=8.0, help="seconds a process measures for")
    add("--peer-python", default=sys.executable, help="the Python that has the others")
    add(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: processor time, for one core that other programs use as well",
    )
    add("--json", type=Path, help="write all findings here")
    add("--markdown", type=Path, help="write the tables here, too")
    return found


def measure(options: argparse.Namespace, workloads: Sequence[str]) -> list[Finding]:
    """Run every process in every round; what failed or is missing, only once."""
    found: list[Finding] = []
    given_up: set[str | tuple] = set()
    turns = product(
        range(options.rounds), core_sets(options.cores), workloads, options.frameworks
    )
    for round_, cores, workload, name in turns:
        place = (len(cores), workload, name)
        if {name, place} & given_up or inapplicable(name, workload):
            continue
        result = run(name, workload, cores, options)
        where = dict(zip(("cores", "workload", "framework"), place, strict=True))
        found.append({"round": round_} | where | result)
        print(json.dumps(found[-1]), file=sys.stderr)
        if "missing" in result:
            given_up.add(name)
        elif "failed" in result:
            given_up.add(place)
    return found


def core_sets(cores: str) -> list[list[int]]:
    """The cores to run on: one, all, or first the one and then all."""
    available = sorted(os.sched_getaffinity(0))
    one, every = [available[:1]], [available]
    both = one + every if len(available) > 1 else one
    return {"1": one, "all": every, "both": both}[cores]


def inapplicable(framework: str, workload: str) -> bool:
    """Whether there is nothing to measure: products alone have no start."""
    return framework == "floor" and WORKLOADS[workload].task == "start"


def run(
    name: str, workload: str, cores: list[int], options: argparse.Namespace
) -> Finding:
    """Run one child on these cores; return what it found, or why it did not."""
    framework = FRAMEWORKS[name]
    python = options.peer_python if framework.peer else sys.executable
    what = [framework.side, name, workload, str(len(cores)), str(options.budget)]
    try:
        done = subprocess.run(
            [python, HERE / "child.py", *what, str(time.monotonic())],
            env=environment(framework, len(cores)),
            capture_output=True,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
            timeout=options.budget + COMPILATION,
            check=False,
        )
        return json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as late:
        return {"failed": f"not done after {late.timeout:.0f} s"}
    except (IndexError, ValueError):
        last = done.stderr.strip().splitlines()[-1:]
        return {"failed": f"exit status {done.returncode}: {''.join(last)}"}


def environment(framework: Framework, threads: int) -> dict[str, str]:
    """The variables of a child: as here, with so many threads, quiet, on the CPU."""
    kept = {key: value for key, value in os.environ.items() if key not in UNSET}
    limits = dict.fromkeys(THREADS, str(threads))
    here = {"PYTHONPATH": str(HERE.parent)}
    return kept | here | limits | QUIET | framework.environment


def machine() -> str:
    """Name the processor, the number of its cores here, and Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        models = [line.split(":")[1] for line in lines if "model name" in line]
        model = models[0].strip() if models else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"

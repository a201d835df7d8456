"""``minikeras doctor``: what is installed here, what is used, and what is amiss."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np

import minikeras
from minikeras import config
from minikeras.cli.outcome import DIFFERENT, FINE, Outcome, table
from minikeras.engine import devices, native
from minikeras.engine.loops import processors

__all__ = ["add_arguments", "run"]

HELP = (
    "Show versions, the array library, threads, and which extras are installed. The "
    "exit code is 1 if something is amiss."
)
THREADS = ("MINIKERAS_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)(\[.*?\])?\s*(>=(?P<least>[\d.]+))?.*?"
    r"(extra == ['\"](?P<extra>[\w-]+)['\"])?$"
)
USERS = ("test", "docs", "dev", "all", "demo")  # extras that are no features


class Finding(NamedTuple):
    """A line of the report, and what to do if something is amiss."""

    subject: str
    value: str
    advice: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> Outcome:
    """Return what was found."""
    found = [*_system(), *_arrays(), *_cuda(), *_extras()]
    amiss = [x for x in found if x.advice]
    text = table(("what", "found"), [(x.subject, x.value) for x in found])
    for each in amiss:
        text += f"\n\n{each.subject}: {each.value}\n  {each.advice}"
    text += "\n\n" + (f"{len(amiss)} amiss" if amiss else "nothing amiss")
    data = {
        "found": {x.subject: x.value for x in found},
        "amiss": [x._asdict() for x in amiss],
    }
    return Outcome(text, data, DIFFERENT if amiss else FINE)


def _system() -> Iterator[Finding]:
    yield Finding("minikeras", minikeras.__version__)
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    yield Finding("platform", platform.platform())
    file = devices.config_file()
    yield Finding("settings", f"{file}{'' if file.exists() else ' (there is none)'}")
    yield Finding("floatx", config.floatx())
    yield Finding("image_data_format", config.image_data_format())


def _arrays() -> Iterator[Finding]:
    """Yield what computes: NumPy, its BLAS, threads, machine code."""
    yield Finding("NumPy", np.__version__)
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    name = f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    slow = blas.get("name") in (None, "none")
    advice = "NumPy has no BLAS and multiplies slowly: pip install --force numpy"
    yield Finding("BLAS", name, advice if slow else "")
    told = [f"{x}={os.environ[x]}" for x in THREADS if x in os.environ]
    here = f"{processors()} of {os.cpu_count()} processors"
    yield Finding("threads", ", ".join([here, *told]))
    yield Finding("loops", native.explain())
    yield Finding("backend", devices.backend())
    if devices.backend() == "cupy":
        yield Finding("device", _device(devices.xp))


def _device(cupy: Any) -> str:
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    free, total = cupy.cuda.Device().mem_info
    name = properties["name"].decode()
    return f"{name}, {free >> 20:,} of {total >> 20:,} MiB free"


def _cuda() -> Iterator[Finding]:
    """Yield the wheels of CuPy: there may be one only, and for the driver's CUDA."""
    wheels = sorted(
        {
            f"{x.name} {x.version}"
            for x in metadata.distributions()
            if re.fullmatch(r"cupy(-cuda\d+x|-rocm.*)?", str(x.name or "").lower())
        }
    )
    several = "two wheels of CuPy break each other: pip uninstall all but one of them"
    if wheels:
        yield Finding("CuPy", ", ".join(wheels), several if len(wheels) > 1 else "")
    if devices.backend() == "cupy":
        runtime = devices.xp.cuda.runtime
        built, driver = (
            runtime.runtimeGetVersion() // 1000,
            runtime.driverGetVersion() // 1000,
        )
        advice = (
            f"the driver is older than the wheel: pip install 'minikeras[cuda{driver}]'"
        )
        text = f"{built} in the wheel, {driver} in the driver"
        yield Finding("CUDA", text, advice if driver < built else "")


# -- extras ----------------------------------------------------------------------------


def _extras() -> Iterator[Finding]:
    """Yield what of each extra is installed."""
    try:
        lines = metadata.requires("minikeras") or []
    except metadata.PackageNotFoundError:
        yield Finding("extras", "unknown, as minikeras itself is not installed")
        return
    extras: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        match = _REQUIREMENT.match(line)
        if match and match["extra"] not in (None, *USERS):
            extras.setdefault(match["extra"], []).append(
                (match["name"], match["least"] or "0")
            )
    for extra, packages in sorted(extras.items()):
        states = [_state(name, least) for name, least in packages]
        old = any("too old" in state for state in states)
        advice = f"pip install --upgrade 'minikeras[{extra}]'" if old else ""
        yield Finding(f"[{extra}]", ", ".join(states), advice)


def _state(package: str, least: str) -> str:
    """Return which version of a package is installed."""
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{package} is not installed"
    if _numbers(version) < _numbers(least):
        return f"{package} {version} is too old, {least} is needed"
    return f"{package} {version}"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]

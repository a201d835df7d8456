"""Machine code from LLVM's text, through llvmlite, which is optional.

LLVM is loaded when the first module is compiled. What has been compiled stays until
the process ends: threads may be inside it, and it is small.
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Host", "compile_module", "host", "missing", "version"]

OLDEST = (0, 45)  # the first whose LLVM reads splats in text


def missing() -> str | None:
    """Return what is missing for native kernels, or None if nothing is."""
    if os.environ.get("MINIKERAS_KERNELS") == "numpy":
        return "MINIKERAS_KERNELS=numpy asks for them"
    if sys.implementation.name != "cpython" or os.name != "posix":
        return f"native ones are not for {sys.implementation.name} on {os.name}"
    if not _installed():
        return "llvmlite 0.45 is not installed; pip install 'minikeras[llvm]' does that"
    return None


@cache
def _installed() -> bool:
    """Return whether there is llvmlite, without loading LLVM."""
    try:
        found = importlib.import_module("llvmlite").__version__
    except ImportError:
        return False
    return tuple(map(int, found.split(".")[:2])) >= OLDEST


@cache
def _llvm() -> Any:
    llvm = importlib.import_module("llvmlite.binding")
    llvm.check_jit_execution()  # an error in Python, where LLVM's own ends the process
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _features() -> str:
    return _llvm().get_host_cpu_features().flatten()


class Host(NamedTuple):
    """What there is on this machine, and need not be elsewhere.

    Attributes:
        masks: whether one instruction loads or stores a part of a vector.
        scales: whether one instruction, known to LLVM, multiplies by a power of two.
        halves: whether instructions load, store and round to float16.
        powf: the address of the C library's function; 0 if it is not found.
    """

    masks: bool
    scales: bool
    halves: bool
    powf: int


@cache
def host() -> Host:
    """Return what there is on this machine."""
    features = _features().split(",")
    wide = "+avx512vl" in features
    return Host(
        masks=wide,
        scales=wide and _llvm().llvm_version_info[0] >= 22,
        halves="+f16c" in features or "+neon" in features,
        powf=_address("powf"),
    )


def _address(function: str) -> int:
    """Return where a function of the C library is; 0 if it is not found."""
    try:
        found = getattr(ctypes.CDLL(None), function)
    except (AttributeError, OSError, TypeError):
        return 0
    return ctypes.cast(found, ctypes.c_void_p).value or 0


def version() -> str:
    """Return what compiles, and for which processor."""
    llvm = _llvm()
    numbers = ".".join(map(str, llvm.llvm_version_info))
    return f"LLVM {numbers} for {llvm.get_host_cpu_name()}"


@cache
def _engine(level: int) -> Any:
    """Return what holds all machine code that was made with so much effort."""
    llvm = _llvm()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=_features(), opt=level, jit=True
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    # Not even the end of the interpreter may free it: threads are inside.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    return engine


_numbers = itertools.count()


def compile_module(text: str, functions: Sequence[str], level: int = 1) -> list[int]:
    """Return the addresses of functions of a module.

    Args:
        text: the module, written as it should be: nothing is optimized.
        functions: their names.
        level: how LLVM chooses instructions. 0 takes a third of the time of 1, and
            keeps no value in a register for longer than a block.
    """
    engine, number = _engine(level), next(_numbers)
    for name in functions:
        text = text.replace(f"@{name}(", f"@{name}.{number}(")
    module = _llvm().parse_assembly(text)
    engine.add_module(module)
    engine.finalize_object()
    addresses = [engine.get_function_address(f"{name}.{number}") for name in functions]
    engine.remove_module(module)  # the text is needed no more, the code always
    return addresses

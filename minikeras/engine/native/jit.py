"""Machine code from LLVM's text, through llvmlite, which is optional.

It is imported when the first module is compiled. What has been compiled stays until
the process ends: threads may be inside it, and it is small.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Host", "compile_module", "host", "missing", "version"]


def missing() -> str | None:
    """Return what is missing for native kernels, or None if nothing is."""
    if os.environ.get("MINIKERAS_KERNELS") == "numpy":
        return "MINIKERAS_KERNELS=numpy asks for NumPy's"
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} has no interface for them"
    if not _installed():
        return "llvmlite is not installed; pip install 'minikeras[llvm]' does that"
    return None


@cache
def _installed() -> bool:
    return importlib.util.find_spec("llvmlite") is not None


@cache
def _llvm() -> Any:
    llvm = importlib.import_module("llvmlite.binding")
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


def compile_module(text: str, functions: Sequence[str]) -> list[int]:
    """Return the addresses of functions of a module."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    # The text is written as it should be: one is the least level that still keeps
    # values in registers, and higher ones take longer for the same instructions.
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=_features(),
        opt=1,
        reloc="pic",
        codemodel="small",
        jit=True,
    )
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    addresses = [engine.get_function_address(name) for name in functions]
    engine.remove_module(module)  # the text is needed no more, the code always
    engine.detach()
    return addresses

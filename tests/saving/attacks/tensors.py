"""Families D19 and B of ``.safetensors`` files: headers that lie."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.saving.attacks.kit import Attack

__all__ = ["ATTACKS"]

DATA = np.ones(8, "float32").tobytes()  # of the kernel, then of the bias


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> Any:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


KERNEL, BIAS = entry([3, 2], 0, 24), entry([2], 24, 32)
HONEST = {"dense/kernel": KERNEL, "dense/bias": BIAS}


def written(header: Any, data: bytes = DATA, size: int | None = None) -> bytes:
    """The bytes of a file whose header says these things."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def tensors(folder: Path, data: bytes) -> Path:
    path = folder / "m.safetensors"
    path.write_bytes(data)
    return path


TWICE = json.dumps(HONEST).replace('"dense/bias"', '"dense/kernel"').encode()
LYING: dict[str, bytes] = {
    "header beyond the file": written(HONEST, size=10_000),
    "header of 2**63": written(HONEST, size=2**63),
    "overlapping": written({**HONEST, "dense/bias": entry([2], 16, 24)}),
    "huge shape": written({**HONEST, "dense/kernel": entry([2**62, 8], 0, 24)}),
    "petabyte": written({**HONEST, "dense/kernel": entry([2**50], 0, 2**52)}),
    "one name twice": written(TWICE),
    "shared by a tensor of no size": written({**HONEST, "none": entry([0], 24, 24)}),
    "gap": written({**HONEST, "dense/bias": entry([2], 28, 36)}, DATA + bytes(4)),
    "trailing bytes": written(HONEST, DATA + bytes(100)),
    "negative": written({**HONEST, "dense/bias": entry([2], -8, 0)}),
    "another dtype": written({**HONEST, "dense/bias": entry([2], 24, 32, "PICKLE")}),
    "deep": written(b'{"a":' * 100_000),
    "cut": written(HONEST, DATA[:20]),
    "empty": b"",
}

ATTACKS: list[Attack] = [
    Attack(
        "D19", name, tensors, data, written(HONEST), "safetensors|not fit", "weights"
    )
    for name, data in LYING.items()
]

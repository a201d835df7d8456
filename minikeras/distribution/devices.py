"""The devices of this process, by Keras's names: ``cpu:0``, ``gpu:0``."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from minikeras.engine import devices

__all__ = ["get_device_count", "initialize", "list_devices"]

_KINDS = "cpu", "gpu", "tpu"
_VARIABLES = "JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the devices that can be computed on, such as ``["cpu:0"]``.

    Args:
        device_type: ``"cpu"``, ``"gpu"`` or ``"tpu"``; by default that on which this
            process computes. There are never devices of two kinds.

    Raises:
        ValueError: if `device_type` is none of these.
    """
    own = "cpu" if devices.xp is np else "gpu"
    kind = own if device_type is None else device_type.lower()
    if kind not in _KINDS:
        raise ValueError(f"device_type must be one of {_KINDS}; got {device_type!r}")
    here = kind == own or kind == "cpu"
    return [f"{kind}:0"] if here else []


def get_device_count(device_type: str | None = None) -> int:
    """Return how many devices `list_devices` lists."""
    return len(list_devices(device_type))


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Take part in a computation of several processes; here only one can be alone.

    Args:
        job_addresses: addresses of all processes, with commas between them.
        num_processes: how many there are.
        process_id: which of them this is.

    What is not given is read from ``KERAS_DISTRIBUTION_JOB_ADDRESSES`` and so on.

    Raises:
        NotImplementedError: if there are more processes than one.
        ValueError: if this would be none of them.
    """
    given: list[Any] = [job_addresses, num_processes, process_id]
    for i, name in enumerate(_VARIABLES):
        if given[i] is None:
            given[i] = os.environ.get(f"KERAS_DISTRIBUTION_{name}")
    count, own = int(given[1] or 1), int(given[2] or 0)
    if count > 1:
        raise NotImplementedError(
            f"initialize: {count} processes were asked for, but a model is trained in "
            "one process here; leave num_processes out, or let it be 1"
        )
    if own != 0:
        raise ValueError(f"initialize: there is no process {own} of {count}")

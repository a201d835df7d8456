"""``minikeras diff RUN1 RUN2``: the first step and tensor in which two runs differ."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from minikeras.callbacks.recorder import read_run
from minikeras.cli.outcome import DIFFERENT, Outcome

__all__ = ["add_arguments", "run"]

HELP = (
    "Compare the records of two runs of training, which callbacks.RunRecorder writes, "
    "bit for bit. The exit code is 1 if they differ."
)
Record = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run1", help="the record of a run")
    parser.add_argument("run2", help="that of another one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> Outcome:
    """Return where the runs part."""
    (tensors, first), (others, second) = read_run(given.run1), read_run(given.run2)
    form = _form_differs(tensors, others)
    if form:
        text = f"the models differ: {form}"
        return Outcome(text, {"same": False, "models": form}, DIFFERENT)
    before = None
    for one, other in zip(first, second, strict=False):
        found = _differences(one, other, tensors)
        if found:
            return _parting(one, found, before, len(tensors))
        before = one
    if len(first) != len(second):
        shorter, longer = (
            (given.run1, second) if len(first) < len(second) else (given.run2, first)
        )
        extra = longer[min(len(first), len(second))]
        text = f"the same until {shorter} ends; the other one has {_place(extra)} too"
        data = {"same": False, "ends": shorter, "step": extra["step"]}
        return Outcome(text, data, DIFFERENT)
    steps = first[-1]["step"] if first else 0
    text = f"no difference in {steps} steps, {len(tensors)} tensors"
    return Outcome(text, {"same": True, "steps": steps})


def _form_differs(tensors: Sequence[Record], others: Sequence[Record]) -> str | None:
    """Say in what two lists of tensors differ; names may, as they count models."""
    for i, (one, other) in enumerate(zip(tensors, others, strict=False)):
        if (one["shape"], one["dtype"]) != (other["shape"], other["dtype"]):
            return f"tensor {i} is {_described(one)} against {_described(other)}"
    if len(tensors) != len(others):
        return f"{len(tensors)} tensors against {len(others)}"
    return None


def _described(tensor: Record) -> str:
    return f"{tensor['name']} {tuple(tensor['shape'])} {tensor['dtype']}"


def _differences(
    one: Record, other: Record, tensors: Sequence[Record]
) -> dict[str, Any] | None:
    """Return what differs between two records, None if nothing does."""
    logs = {
        name: [one["logs"].get(name), other["logs"].get(name)]
        for name in sorted({*one["logs"], *other["logs"]})
        if repr(one["logs"].get(name)) != repr(other["logs"].get(name))  # NaN is NaN
    }
    pairs = zip(tensors, one["hashes"], other["hashes"], strict=True)
    names = [tensor["name"] for tensor, a, b in pairs if a != b]
    places = [
        {k: x[k] for k in ("kind", "step", "epoch", "batch")} for x in (one, other)
    ]
    if places[0] != places[1]:
        return {"logs": {}, "tensors": [], "places": [_place(one), _place(other)]}
    return {"logs": logs, "tensors": names} if logs or names else None


def _parting(
    record: Record, found: dict[str, Any], before: Record | None, count: int
) -> Outcome:
    """Say in what step two runs part, and in what."""
    lines = [f"the first difference is at {_place(record)}"]
    if "places" in found:
        lines.append(
            f"one is at {found['places'][0]}, the other at {found['places'][1]}"
        )
    lines += [f"{name}: {a!r} against {b!r}" for name, (a, b) in found["logs"].items()]
    names = found["tensors"]
    if names:
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"tensor {names[0]}{more}, of {count}")
    if before is not None and found["logs"] and record["kind"] == "step":
        lines.append(
            f"All tensors were the same at {_place(before)}: what differs is data, "
            "their order, or a random number."
        )
    data = {
        "same": False,
        **{k: record[k] for k in ("step", "epoch", "batch")},
        **found,
    }
    return Outcome("\n".join(lines), data, DIFFERENT)


def _place(record: Record) -> str:
    if record["kind"] == "start":
        return "the start, before the first step"
    if record["kind"] == "epoch":
        return f"the end of epoch {record['epoch']}"
    return f"step {record['step']} (epoch {record['epoch']}, batch {record['batch']})"

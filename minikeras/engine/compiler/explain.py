"""What a plan does, call by call: `Explanation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from time import perf_counter
from typing import Any, NamedTuple

from minikeras.engine.compiler.program import (
    Fused,
    Instruction,
    Map,
    Slot,
    Store,
    Total,
)
from minikeras.engine.compiler.repeat import Repeat

__all__ = ["Explanation", "Row"]


class Row(NamedTuple):
    """One instruction of a plan.

    Attributes:
        what: a node's op; the steps of a fused loop, and what runs it.
        layer: the name scope of the node it serves, or whose gradient it serves.
        shapes: of what it reads and what it writes.
        place: where what it writes lies.
        flops: floating-point operations, each counted as one.
        bytes: of all that it reads and writes.
        calls: how many calls of Python it is.
        seconds: the shortest time it took; None if that was not asked for.
    """

    what: str
    layer: str
    shapes: str
    place: str
    flops: int
    bytes: int
    calls: int
    seconds: float | None


class Explanation:
    """A table of a plan's calls, in order, to be printed or read.

    Attributes:
        rows: one for each instruction.
        memory: bytes of the plan's own memory, variables not among them.
        least: the most bytes of it that are in use at one time: no plan needs fewer.
        compile_seconds: how long the plan took to make.
    """

    def __init__(
        self, rows: Sequence[Row], memory: int, least: int, compile_seconds: float
    ) -> None:
        self.rows = list(rows)
        self.memory = memory
        self.least = least
        self.compile_seconds = compile_seconds

    def __str__(self) -> str:
        head = ("call", "layer", "shapes", "lies", "Mflop", "KB", "us")
        table = [head, *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table]
        flops, read = (
            sum(getattr(r, k) for r in self.rows) for k in ("flops", "bytes")
        )
        calls = sum(row.calls for row in self.rows)
        return "\n".join(
            [
                *lines,
                f"{calls} calls, {flops / 1e6:.1f} Mflop, {read / 1e6:.1f} MB read and "
                f"written; own memory {self.memory / 1e6:.2f} MB (at least "
                f"{self.least / 1e6:.2f}); made in {self.compile_seconds * 1e3:.0f} ms",
            ]
        )

    __repr__ = __str__


def _cells(row: Row) -> tuple[str, ...]:
    time = "" if row.seconds is None else f"{row.seconds * 1e6:.1f}"
    what = row.what if row.calls == 1 else f"{row.what} x{row.calls}"
    return (
        _short(what, 60),
        row.layer,
        _short(row.shapes, 60),
        _short(row.place, 30),
        f"{row.flops / 1e6:.2f}",
        f"{row.bytes / 1e3:.1f}",
        time,
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def explained(
    bound: Iterable[tuple[Callable[[], Any], Instruction]],
    place: Callable[[Slot], str],
    runner: Callable[[Any], str],
    repeats: int,
) -> list[Row]:
    """Return a row for each instruction, timed over so many `repeats`; 0: not timed."""
    bound = list(bound)
    units = list(dict.fromkeys(unit for _, unit in bound))
    times = dict.fromkeys(units, 1) | dict(_times(units, 1))
    calls = Counter(unit for _, unit in bound)
    best = dict.fromkeys(units, inf)
    for _ in range(repeats):
        took = dict.fromkeys(units, 0.0)
        for call, unit in bound:
            start = perf_counter()
            call()
            took[unit] += perf_counter() - start
        best = {unit: min(best[unit], took[unit]) for unit in units}
    return [
        Row(
            _what(unit, runner),
            _layers(unit),
            _shapes(unit),
            ", ".join(dict.fromkeys(place(y) for y in unit.outputs)),
            unit.flops * times[unit],
            _bytes(unit) * times[unit],
            calls[unit],
            best[unit] if repeats else None,
        )
        for unit in units
    ]


def _times(units: Iterable[Instruction], n: int) -> Iterator[tuple[Instruction, int]]:
    """Yield instructions, those of loops' bodies too, with how often each is done."""
    for unit in units:
        if isinstance(unit, Repeat):
            yield unit, 0  # what it does is done by its body
            yield from _times(unit.schedule.body, n * unit.steps)
        else:
            yield unit, n


def _layers(unit: Instruction) -> str:
    """Return the layer that an instruction serves; of a loop for several, how many."""
    nodes = [m.node for m in unit.members] if isinstance(unit, Fused) else [unit.node]
    found = dict.fromkeys(filter(None, (_layer(node.name) for node in nodes)))
    first = next(iter(found), "")
    return first if len(found) < 2 else f"{first} and {len(found) - 1} more"


def _layer(name: str) -> str:
    """Return the scope of a node, of a gradient's node that of what it derives."""
    scope, _, _ = name.rpartition("/")
    derived, is_gradient, _ = scope.rpartition("_grad")
    if not is_gradient:
        return scope
    return derived.removeprefix("gradients/").rpartition("/")[0] + " (gradient)"


def _bytes(unit: Instruction) -> int:
    return sum(x.layout.nbytes for x in {*unit.inputs, *unit.outputs})


def _what(unit: Instruction, runner: Callable[[Any], str]) -> str:
    if isinstance(unit, Fused):
        return f"{runner(unit.loop)}({' '.join(m.name for m in unit.members)})"
    if isinstance(unit, Store):
        return f"store {unit.handle.name}"
    return unit.name if isinstance(unit, (Map, Total)) else unit.op.name


def _shapes(unit: Instruction) -> str:
    def listed(slots: Iterable[Slot]) -> str:
        return " ".join("x".join(map(str, slot.shape)) or "1" for slot in slots)

    return f"{listed(unit.inputs)} -> {listed(unit.outputs)}"

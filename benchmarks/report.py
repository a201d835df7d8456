"""From findings to Markdown: medians over the rounds, and what did not run and why."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Sequence

from processes import Finding, machine

UNKNOWN = "–"


class Report:
    """The findings of some processes, read by one of the clocks."""

    def __init__(self, found: list[Finding], clock: str) -> None:
        self.found, self.clock = found, clock

    def distinct(self, key: str) -> list:
        """Return the values of a key, in the order in which they came."""
        here = [one for one in self.found if "missing" not in one]
        return list(dict.fromkeys(one[key] for one in here))

    def known(self, key: str, cores: int, workload: str) -> dict[str, float]:
        """Return the medians over the rounds, of each framework that has any."""
        values: dict[str, list[float]] = {}
        for one in self.found:
            if key in one and (one["cores"], one["workload"]) == (cores, workload):
                value = one[key]
                value = value[self.clock] if isinstance(value, dict) else value
                values.setdefault(one["framework"], []).append(value)
        return {name: statistics.median(some) for name, some in values.items()}

    def cells(self, texts: dict[str, str], cores: int, workload: str) -> list[str]:
        """Return a text for each framework: its own, "failed", or a dash."""
        failed = {
            one["framework"]: "failed"
            for one in self.found
            if "failed" in one and (one["cores"], one["workload"]) == (cores, workload)
        }
        shown = failed | texts
        return [shown.get(name, UNKNOWN) for name in self.distinct("framework")]

    def notes(self) -> Iterable[str]:
        """What a reader must know: versions, what was left out, what failed."""
        versions = (one["version"] for one in self.found if "version" in one)
        packages = ", ".join(dict.fromkeys(", ".join(versions).split(", ")))
        yield f"{machine()}; {packages}. Clock: {self.clock}.\n"
        for one in self.found:
            if "missing" in one:
                yield f"- {one['framework']} is left out: {one['missing']}"
            if "failed" in one:
                where = f"{one['workload']}, {one['framework']}, {one['cores']} core(s)"
                yield f"- {where}: {one['failed']}"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: names at the left, the rest at the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def publish(
    options: argparse.Namespace, found: list[Finding], parts: list[str]
) -> None:
    """Print the parts, and write them and the findings where the options say."""
    text = "\n\n".join(parts) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    if options.json:
        about = {"machine": machine(), "clock": options.clock}
        options.json.write_text(json.dumps(about | {"found": found}, indent=1))

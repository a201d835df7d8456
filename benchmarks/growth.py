"""What grows with depth, with the batch, and in memory.

Rows: `depth`, step and compile time of 10, 100 and 1000 layers Dense 32, batch 32;
`batch`, both of an MLP 784-64-10 with batches of 1 to 4096; `memory`, by how much the
greatest resident size grows after the imports; what a framework imports later, when it
is used, counts. To compile is what the first step takes beyond a later one.

    python benchmarks/growth.py --peer-python /path/to/python --markdown growth.md
    python benchmarks/growth.py --rows memory --frameworks minikeras torch --cores 1
"""

from __future__ import annotations

from processes import measure, parser
from report import Report, grid, publish
from workloads import BATCH, DEPTH, WORKLOADS

ROWS = {
    "depth": tuple(DEPTH),
    "batch": tuple(BATCH),
    "memory": ("mlp-512", "mlp-2048", "cnn"),
}


def step_and_compilation(report: Report, cores: int, workload: str) -> dict[str, str]:
    """Microseconds of a step, and milliseconds of compilation."""
    first = report.known("first", cores, workload)
    return {
        name: f"{step * 1e6:.0f}; {max(0, first[name] - step) * 1e3:.0f}"
        for name, step in report.known("step", cores, workload).items()
    }


def megabytes(report: Report, cores: int, workload: str) -> dict[str, str]:
    """Growth of the greatest resident size, from KiB."""
    known = report.known("memory", cores, workload)
    return {name: f"{kib * 1024 / 1e6:.0f}" for name, kib in known.items()}


def table(report: Report, row: str, cores: int) -> str:
    """One workload a line, one framework a column."""
    if row == "memory":
        corner, texts = "MB at the most, beyond the imports", megabytes
    else:
        corner, texts = "µs a step; ms to compile", step_and_compilation
    lines = [
        [WORKLOADS[one].title, *report.cells(texts(report, cores, one), cores, one)]
        for one in ROWS[row]
    ]
    return grid([corner, *report.distinct("framework")], lines)


def main() -> None:
    """Measure, and print the tables."""
    options = parser(__doc__, ROWS).parse_args()
    options.frameworks = [name for name in options.frameworks if name != "floor"]
    workloads = [workload for row in options.rows for workload in ROWS[row]]
    found = measure(options, workloads)
    report = Report(found, options.clock)
    parts = ["\n".join(report.notes())]
    for cores in report.distinct("cores"):
        for row in options.rows:
            title = f"## {row.capitalize()}, {cores} core{'s' * (cores > 1)}"
            parts += [title, table(report, row, cores)]
    publish(options, found, parts)


if __name__ == "__main__":
    main()
